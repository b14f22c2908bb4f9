"""The gateway: the remedies of a system in front of its model, in production."""
