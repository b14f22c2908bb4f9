"""Fixtures of every room."""

from browsing import browser, opened_page

__all__ = ["browser", "opened_page"]
