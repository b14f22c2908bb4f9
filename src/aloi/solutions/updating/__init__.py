"""What the injection detector learns from attacks that were found, and what that changes on other texts."""
