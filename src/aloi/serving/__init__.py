"""How Aloi's servers listen: the socket, the signals that end them, and connections that nobody can hold open."""
