"""Which findings were repeated by others, and which of them blindly."""

from collections.abc import Container

import msgspec

from aloi.evidence.loggedstatements import LoggedStatement
from aloi.evidence.records import Finding
from aloi.evidence.unsealing import fixed
from aloi.evidence.voices import Voices, Why
from aloi.evidence.vouching import Replication


class Repetition(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that repeats another one: the envelopes of the replication and of that finding.

    It is `blind` where it was fixed before the other was logged. Whether both agree is not judged here.
    """

    envelope: str
    finding: str
    exact: bool
    blind: bool


def read_repetitions(voices: Voices, withdrawn: Container[str]) -> dict[str, list[Repetition]]:
    """By the envelope of a finding, how it was repeated; in the order of the log."""
    found: dict[str, list[Repetition]] = {}
    done: set[tuple[str, str]] = set()
    for said in voices.statements.values():
        if not isinstance(said.record, Replication) or said.envelope in withdrawn:
            continue
        digest = next((each for each in voices.about(said) if each != said.record.of), None)
        if digest is None:
            continue
        mine, other = voices.statements[digest], voices.statements.get(said.record.of)
        why = _unfit(voices, said, mine, other, withdrawn)
        if why is None and other is not None and (mine.statement, other.statement) in done:
            why = "repeated"
        if why or other is None:
            voices.tell(said, said.record.of, why or "unknown-statement")
            continue
        done.add((mine.statement, other.statement))
        repetition = Repetition(
            envelope=said.envelope,
            finding=digest,
            exact=said.record.kind == "exact",
            blind=_is_blind(voices, said, digest, other),
        )
        for copy in voices.copies(other.envelope):
            found.setdefault(copy.envelope, []).append(repetition)
    return found


def _unfit(
    voices: Voices,
    said: LoggedStatement,
    mine: LoggedStatement,
    other: LoggedStatement | None,
    withdrawn: Container[str],
) -> Why | None:
    speaker = voices.of(said)
    if other is None:
        return "unknown-statement"
    if not isinstance(mine.record, Finding) or not isinstance(other.record, Finding):
        return "no-finding"
    if not speaker.parties & voices.of(mine).parties:
        return "stranger"
    if speaker.parties & voices.of(other).authors:
        return "own-statement"
    if mine.envelope in withdrawn:
        return "withdrawn-finding"
    return _differs(said, mine, other)


def _differs(said: LoggedStatement, mine: LoggedStatement, other: LoggedStatement) -> Why | None:
    assert isinstance(said.record, Replication)
    assert isinstance(mine.record, Finding)
    assert isinstance(other.record, Finding)
    if mine.record.hazard != other.record.hazard:
        return "another-hazard"
    systems = {each.fingerprint for each in mine.subjects} & {each.fingerprint for each in other.subjects}
    return None if systems or said.record.kind == "conceptual" else "another-system"


def _is_blind(voices: Voices, said: LoggedStatement, mine: str, other: LoggedStatement) -> bool:
    assert isinstance(said.record, Replication)
    if said.record.sealed is None:
        return False
    before = fixed(voices, said, said.record.sealed, mine, "statement")
    why: Why | None = None
    if not isinstance(before, LoggedStatement):
        why = before
    elif before.index > min(copy.index for copy in voices.copies(other.envelope)):
        why = "late-commitment"
    if why:
        voices.tell(said, said.record.sealed.commitment, why)
    return why is None
