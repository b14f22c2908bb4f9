"""Aloi: the open loop of assurance for AI systems."""

__version__ = "0.1.0"
