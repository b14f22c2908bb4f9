"""What a system did in production, from the record of its gateway: read, counted, watched and stated."""
