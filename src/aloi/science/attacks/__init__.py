"""The attacks that come with Aloi, each behind the same entry point that a third party uses."""
