"""Keeps a log's folder of tiles up to date in a thread of its own: nobody who publishes waits for it."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aloi.errors import AloiError
from aloi.registry.tilefolder import TileFolder

PAUSE = 0.5  # seconds between two writes: what is published meanwhile is written at once
RETRY = 5.0  # seconds until a folder that failed is tried again
ENDING = 5.0  # seconds that the last write may take


class TileKeeper:
    """Writes a folder while it is entered. `watch` is told what fails, once, and nothing where it works again."""

    def __init__(self, folder: TileFolder, watch: Callable[[str], None] = lambda _: None) -> None:
        self.folder = folder
        self._watch = watch
        self._problem = ""
        self._moved, self._ended = threading.Event(), threading.Event()
        self._until = float("inf")
        self._thread = threading.Thread(target=self._run, name="tiles")

    def __enter__(self) -> Self:
        self.published()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """The folder is brought up to date once more, if that does not take long."""
        self._until = time.monotonic() + ENDING
        self._ended.set()
        self._moved.set()
        self._thread.join()
        self.folder.close()

    def published(self) -> None:
        """Say that there may be something to write; from any thread."""
        self._moved.set()

    def _run(self) -> None:
        ended = False
        while not ended:
            self._moved.wait(RETRY if self._problem else None)
            self._moved.clear()
            ended = self._ended.is_set()
            self._follow()
            self._ended.wait(PAUSE)

    def _follow(self) -> None:
        problem = ""
        try:
            self.folder.follow(lambda: time.monotonic() < self._until)
        except OSError as error:
            problem = error.strerror or str(error)
        except AloiError as error:
            problem = str(error)
        if problem != self._problem:
            self._problem = problem
            self._watch(problem)
