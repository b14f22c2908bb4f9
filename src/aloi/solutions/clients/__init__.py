"""Remedies inside the process of an application, around the client by which it asks its model."""
