"""A registry's log behind HTTP: what it takes in, from whom and how much of it; and what it answers to anybody."""
