"""Other people's tools, each run out of process in an environment of its own (`make peers`)."""
