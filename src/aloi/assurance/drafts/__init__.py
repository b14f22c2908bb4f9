"""Documents for people to finish, filled from a verified bundle, with the gaps visible."""
