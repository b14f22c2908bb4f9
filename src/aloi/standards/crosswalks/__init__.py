"""Mapping rows in the formats in which others exchange them, both ways: SSSOM, NIST OLIR, OSCAL mapping-collection."""
