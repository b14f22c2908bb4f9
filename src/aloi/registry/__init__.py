"""Where evidence is shared: an append-only log, what it holds of whom, and those who watch it."""
