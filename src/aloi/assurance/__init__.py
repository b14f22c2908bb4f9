"""The loop: composes the rooms, from a plan to a signed bundle and a report."""
