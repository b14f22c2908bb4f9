"""Guards: each reads the messages of its roles and rules allow, block or rewrite."""
