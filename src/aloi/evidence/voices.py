"""Who speaks in the statements of a log, and of which statements they speak."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from aloi.evidence.loggedstatements import LoggedStatement
from aloi.evidence.roster import Rosters
from aloi.evidence.vouching import STATEMENT

Why = Literal[
    "no-standing-key",
    "subject-name",
    "unknown-statement",
    "stranger",
    "final",
    "of-a-roster",
    "own-statement",
    "own-dispute",
    "repeated",
    "no-finding",
    "another-hazard",
    "another-system",
    "withdrawn-finding",
    "unknown-commitment",
    "foreign-commitment",
    "late-commitment",
    "other-commitment",
    "supersedes-otherwise",
    "no-organisation",
]


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement says of another one and does not count, and why."""

    index: int
    envelope: str
    about: str
    why: Why


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """Who speaks in a statement: `parties` are domains, and keys that belong to no organisation.

    `authors` may take it back: the parties, and the organisations to which keys that signed it belong at any time.
    """

    parties: frozenset[str]
    authors: frozenset[str]
    disowned: bool


class Voices:
    """The statements of one log by the digests that name them, with who speaks in each.

    What is said of a statement is said of all its copies: the same payload under other signatures.
    """

    def __init__(self, statements: Iterable[LoggedStatement], rosters: Rosters) -> None:
        self.statements: dict[str, LoggedStatement] = {}
        self.nothing: list[Nothing] = []
        self._copies: dict[str, list[LoggedStatement]] = {}
        self._voices: dict[str, Voice] = {}
        for each in statements:
            if each.envelope not in self.statements:
                self.statements[each.envelope] = each
                self._copies.setdefault(each.statement, []).append(each)
                self._voices[each.envelope] = _voice(each, rosters)

    def of(self, said: LoggedStatement) -> Voice:
        """Who speaks in a statement."""
        return self._voices[said.envelope]

    def copies(self, envelope: str) -> tuple[LoggedStatement, ...]:
        """The statement of an envelope, under whichever signatures; none where it is not known."""
        said = self.statements.get(envelope)
        return tuple(self._copies[said.statement]) if said else ()

    def about(self, said: LoggedStatement) -> Iterator[str]:
        """The statements that one names and speaks of; what it says in vain is told."""
        for subject in dict.fromkeys(said.subjects):
            digest = subject.fingerprint
            if subject.name != STATEMENT:
                if digest in self.statements:
                    self.tell(said, digest, "subject-name")
            elif digest not in self.statements:
                self.tell(said, digest, "unknown-statement")
            elif not self.of(said).parties:
                self.tell(said, digest, "no-standing-key")
            else:
                yield digest

    def tell(self, said: LoggedStatement, about: str, why: Why) -> None:
        """Note what counts as nothing."""
        self.nothing.append(Nothing(index=said.index, envelope=said.envelope, about=about, why=why))


def _voice(said: LoggedStatement, rosters: Rosters) -> Voice:
    speakers = {key: rosters.speaker(key, said.index, said.time) for key in said.signers}
    parties = frozenset(speaker.organisation or key for key, speaker in speakers.items() if speaker.counts)
    owners = {domain for key in said.signers if (domain := rosters.owner(key))}
    return Voice(
        parties=parties,
        authors=parties | owners,
        disowned=any(speaker.disowned for speaker in speakers.values()),
    )
