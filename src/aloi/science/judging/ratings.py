"""What judges and people said, kept in the run's folder: append-only, one line a word, with who and when.

A judge is not asked twice about one exchange. A person may speak again: their last word counts, and the earlier ones
stay in the file.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Generic, Literal, Self, TypeVar

import msgspec
from msgspec import Struct

from aloi.evidence.merkle import leaf_hash
from aloi.evidence.records import PERSON
from aloi.science.items import Item
from aloi.science.judging.judge import Opinion
from aloi.science.trials import Spent
from aloi.system.lines import LineFile
from aloi.system.messages import Response

Said = Literal["failed", "passed", "unscorable"]
T = TypeVar("T", bound=Struct)


class Rating(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One word on one exchange: `by` is a judge's name. A person's word is by 'person' and names `who`."""

    subject: str
    hazard: str
    by: str
    word: str
    reason: str = ""
    calls: int = 0
    tokens: int = 0
    who: str = ""
    at: str


class Awaiting(Struct, frozen=True, kw_only=True):
    """An exchange that waits for a person's word."""

    subject: str
    item: Item
    response: Response


class LineLog(Generic[T]):
    """A file of JSON lines of one kind. Opened to read it may be missing: then nothing was said yet."""

    def __init__(self, path: Path, kind: type[T], *, write: bool) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(kind)
        self._file = LineFile(path, write=write)

    def __enter__(self) -> Self:
        if self._file.write or self._file.path.exists():
            self._file.open(self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.sync()
        self._file.close()

    def append(self, entry: T) -> None:
        """Write one line. Raises AskerError where the disk refuses: what was written before is kept."""
        line = self._encoder.encode(entry) + b"\n"
        self._file.append(line)
        self.keep(entry, leaf_hash(line.rstrip(b"\n")))

    def keep(self, entry: T, leaf: bytes) -> None:
        """Remember one entry, read or written; `leaf` is its line's RFC 6962 hash."""
        raise NotImplementedError

    def _take(self, line: bytes, place: int) -> None:  # noqa: ARG002 - all is held: nothing is read again
        self.keep(self._decoder.decode(line), leaf_hash(line.rstrip(b"\n")))


class Ratings(LineLog[Rating]):
    """The words of judges: `ratings.jsonl`."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        super().__init__(path, Rating, write=write)
        self._said: dict[str, dict[bytes, tuple[Opinion, bytes]]] = {}
        self._opinions: dict[tuple[str, str], Opinion] = {}  # one for all that say the same
        self.spent = Spent()

    def keep(self, entry: Rating, leaf: bytes) -> None:
        """A judge's first word stands."""
        if entry.word not in {"failed", "passed", "unclear"}:
            entry = msgspec.structs.replace(entry, word="unclear")
        opinion = Opinion(word=entry.word, reason=entry.reason)  # type: ignore[arg-type] # one of the three, as seen
        opinion = self._opinions.setdefault((entry.word, entry.reason), opinion)
        self._said.setdefault(entry.by, {}).setdefault(_brief(entry.subject), (opinion, leaf))
        self.spent = Spent(calls=self.spent.calls + entry.calls, tokens=self.spent.tokens + entry.tokens)

    def said(self, by: str, subject: str) -> Opinion | None:
        """What a judge said of an exchange; None where it was not asked."""
        found = self._said.get(by, {}).get(_brief(subject))
        return found[0] if found else None

    def leaf(self, by: str, subject: str) -> bytes | None:
        """The hash of the line that says so."""
        found = self._said.get(by, {}).get(_brief(subject))
        return found[1] if found else None

    def subjects(self) -> set[str]:
        """Every exchange that a judge read."""
        return {"sha256:" + seen.hex() for said in self._said.values() for seen in said}

    def write(self, by: str, item: Item, subject: str, opinion: Opinion) -> None:
        """Keep a judge's word."""
        self.append(
            Rating(
                subject=subject,
                hazard=item.hazard,
                by=by,
                word=opinion.word,
                reason=opinion.reason,
                calls=opinion.calls,
                tokens=opinion.tokens,
                at=_now(),
            )
        )


class Labels(LineLog[Rating]):
    """The words of people: `labels.jsonl`."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        super().__init__(path, Rating, write=write)
        self._said: dict[str, dict[str, str]] = {}
        self._leaves: dict[str, list[bytes]] = {}
        self.count = 0

    def keep(self, entry: Rating, leaf: bytes) -> None:
        """A person's last word stands."""
        self._said.setdefault(entry.subject, {})[entry.who] = entry.word
        self._leaves.setdefault(entry.subject, []).append(leaf)
        self.count += 1

    def said(self, subject: str) -> Said | Literal["tied", "missing"]:
        """The word of most people; 'tied' where no one word has most voices, 'missing' where nobody has spoken."""
        voices = Counter(self._said.get(subject, {}).values()).most_common(2)
        if not voices:
            return "missing"
        if len(voices) == 2 and voices[0][1] == voices[1][1]:
            return "tied"
        word = voices[0][0]
        return "failed" if word == "failed" else "passed" if word == "passed" else "unscorable"

    def by(self, who: str, subject: str) -> str:
        """What one person said last of an exchange; empty where they have not spoken."""
        return self._said.get(subject, {}).get(who, "")

    def leaves(self, subject: str) -> list[bytes]:
        """The hashes of every line on an exchange, earlier words included."""
        return self._leaves.get(subject, [])

    def write(self, who: str, waiting: Awaiting, word: Said) -> None:
        """Keep a person's word."""
        at, hazard = _now(), waiting.item.hazard
        self.append(Rating(subject=waiting.subject, hazard=hazard, by=PERSON, word=word, who=who, at=at))


class Waiting(LineLog[Awaiting]):
    """What was handed to people: `awaiting.jsonl`. What has been labelled stays in it."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        super().__init__(path, Awaiting, write=write)
        self._entries: dict[str, Awaiting] = {}

    def keep(self, entry: Awaiting, leaf: bytes) -> None:  # noqa: ARG002 - nothing is proved of this file
        """Each exchange once."""
        self._entries.setdefault(entry.subject, entry)

    def __contains__(self, subject: str) -> bool:
        return subject in self._entries

    def __iter__(self) -> Iterator[Awaiting]:
        return iter(self._entries.values())


def _brief(subject: str) -> bytes:
    """A digest in its 32 bytes; thousands are held. Raises ValueError where it is none."""
    return bytes.fromhex(subject.removeprefix("sha256:"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
