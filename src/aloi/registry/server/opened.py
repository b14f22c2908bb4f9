"""What a configuration names, opened; every fault on the way, with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from msgspec import Meta

from aloi.errors import AloiError, AskerError, Fault, InvalidFile
from aloi.system.loading import Lines, Place, dotted, line_of
from aloi.translation import N_

T = TypeVar("T")
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Url = Annotated[str, Meta(pattern="^https?://", max_length=500)]
Verifier = Annotated[str, Meta(min_length=1, max_length=4_000)]  # a key of ML-DSA-44 has 1,800 characters
Address = Annotated[str, Meta(pattern=r"^([^:\s]+|\[[0-9a-f:]+\]):[0-9]{1,5}$")]
_PORTS = 0xFFFF


def contents(path: Path, remedy: str) -> bytes:
    """The bytes of a configuration. Raises AskerError, with what to do, where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise AskerError(
            N_("{path} cannot be read: {problem}"), remedy=remedy, path=path, problem=error.strerror or error
        ) from error


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

    def listen(self, address: str) -> tuple[str, int]:
        """The host and the port of an `Address`."""
        host, _, port = address.rpartition(":")
        if int(port) > _PORTS:
            self.fault(("listen",), N_("{path}: there is no port {got}"), got=port)
        return host.strip("[]"), int(port)

    def require_whole(self, path: Path) -> None:
        """Raises InvalidFile with every fault that was found, in the order of the lines."""
        if self.faults:
            raise InvalidFile(str(path), sorted(self.faults, key=lambda fault: fault.line or 0))
