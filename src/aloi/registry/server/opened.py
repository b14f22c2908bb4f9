"""What a configuration names, opened; every fault on the way, with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from aloi.errors import AloiError, Fault
from aloi.system.loading import Lines, Place, dotted, line_of

T = TypeVar("T")


class Opened:
    """Collects `faults`; files stand in `folder`, beside the configuration."""

    def __init__(self, folder: Path, lines: Lines) -> None:
        self.folder = folder
        self.lines = lines
        self.faults: list[Fault] = []

    def fault(self, place: Place, sentence: str, **facts: Any) -> None:
        """A sentence about a place in the file."""
        self.faults.append(Fault(sentence, path=dotted(place), line=line_of(self.lines, place), **facts))

    def get(self, place: Place, make: Callable[[], T]) -> T | None:
        """What `make` gives; None where it fails, which is then a fault of the place."""
        try:
            return make()
        except AloiError as error:
            facts = {name: fact for name, fact in error.facts.items() if name != "path"}
            path, line = str(error.facts.get("path", dotted(place))), line_of(self.lines, place)
            self.faults.append(Fault(error.message, path=path, line=line, remedy=error.remedy, **facts))
            return None
