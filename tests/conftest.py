"""What holds for every test."""

import gc

from browsing import browser, opened_page

__all__ = ["browser", "opened_page"]


def pytest_collection_finish() -> None:
    """Thousands of tests were collected: else each collection of garbage would go through them again."""
    gc.collect()
    gc.freeze()
