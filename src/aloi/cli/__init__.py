"""The command line: the verbs of the loop. Only `main` prints errors and exits."""
