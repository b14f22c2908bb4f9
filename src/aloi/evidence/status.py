"""Where each statement of a log stands: standing, disputed, withdrawn or void, by whose word.

    read, unread = read_logged(held(told, envelopes, times), keys)
    found = read_statuses(read, read_rosters(read))
    found.statements["sha256:…"].state, found.plans, found.nothing

Every party has one voice about a statement: an organisation through all its keys, or a key that belongs to none. A word
about a statement is about what was stated, whichever signatures stand under it: who takes one away, or puts one beside
it, has not made another statement. What counts as nothing is told, with the reason.

A withdrawal is final, and the order in which statements were logged changes no state: what was withdrawn stays so when
it is logged again, and whoever sees more of the log never finds it standing again.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Literal

import msgspec

from aloi.evidence.appraisals import read_appraisals
from aloi.evidence.loggedstatements import LoggedStatement
from aloi.evidence.organisations import Organisation
from aloi.evidence.predicates import kind_of
from aloi.evidence.registration import PlanStatus, Registration, Registrations
from aloi.evidence.replications import Repetition, read_repetitions
from aloi.evidence.roster import Rosters
from aloi.evidence.unsealing import read_openings
from aloi.evidence.voices import Nothing, Voices
from aloi.evidence.vouching import Dispute, Endorsement, Withdrawal

State = Literal["standing", "disputed", "withdrawn", "void"]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A statement, who speaks in it, and what counts of what was said of it: envelopes, in the order of the log.

    'void': no key that signed it stood when it was logged. `disowned`: one that stood was revoked as of a time before.
    `superseded_by` is what its withdrawal names, `current` what stands at the end of that way, '' where it leads
    nowhere. A reply to a dispute is a dispute of it, and stands in that one's own status. `opened_by` is what shows the
    text of a sealed incident.
    """

    logged: LoggedStatement
    state: State
    parties: tuple[str, ...]
    disowned: bool
    withdrawals: tuple[str, ...] = ()
    superseded_by: str = ""
    current: str = ""
    disputes: tuple[str, ...] = ()
    endorsements: tuple[str, ...] = ()
    replications: tuple[Repetition, ...] = ()
    registration: Registration | None = None
    opened_by: str = ""


class Statuses(msgspec.Struct, frozen=True, kw_only=True):
    """Every statement by its envelope's digest, in the order of the log; plans; and what counts as nothing.

    `appraisals` are the envelopes of those that count.
    """

    statements: Mapping[str, Status]
    plans: tuple[PlanStatus, ...]
    appraisals: tuple[str, ...]
    nothing: tuple[Nothing, ...]


def read_statuses(statements: Iterable[LoggedStatement], rosters: Rosters) -> Statuses:
    """Where the statements of one log stand, seen together: those of a look-up, and of the organisations in it."""
    voices = Voices(statements, rosters)
    withdrawn = _withdrawals(voices)
    disputes = _disputes(voices, withdrawn)
    endorsements = _endorsements(voices, withdrawn, disputes)
    repetitions = read_repetitions(voices, withdrawn)
    openings = read_openings(voices, withdrawn)
    appraisals = read_appraisals(voices, withdrawn)
    registrations = Registrations(voices)
    successors = _successors(voices, withdrawn)
    found: dict[str, Status] = {}
    for envelope, said in voices.statements.items():
        voice = voices.of(said)
        disputed, taken_back = disputes.of(envelope), withdrawn.get(envelope, [])
        found[envelope] = Status(
            logged=said,
            state="withdrawn"
            if taken_back
            else "void"
            if not voice.parties
            else "disputed"
            if disputed
            else "standing",
            parties=tuple(sorted(voice.parties)),
            disowned=voice.disowned,
            withdrawals=tuple(each.envelope for each in taken_back),
            superseded_by=successors.get(envelope, ""),
            current=_current(envelope, successors, withdrawn),
            disputes=disputed,
            endorsements=endorsements.of(envelope),
            replications=tuple(repetitions.get(envelope, ())),
            registration=registrations.of(said),
            opened_by=openings.get(envelope, ""),
        )
    nothing = tuple(sorted(voices.nothing, key=lambda one: one.index))
    return Statuses(statements=found, plans=registrations.plans(), appraisals=appraisals, nothing=nothing)


def _withdrawals(voices: Voices) -> dict[str, list[LoggedStatement]]:
    """What was taken back by who may: who made a statement, with the key that signed it or another of their roster."""
    found: dict[str, list[LoggedStatement]] = {}
    for said in voices.statements.values():
        if not isinstance(said.record, Withdrawal):
            continue
        speaker = voices.of(said)
        for digest in voices.about(said):
            record = voices.statements[digest].record
            own = [each for each in voices.copies(digest) if voices.of(each).authors & speaker.parties]
            if isinstance(record, Withdrawal):
                voices.tell(said, digest, "final")
            elif isinstance(record, Organisation):
                voices.tell(said, digest, "of-a-roster")
            elif not own:
                voices.tell(said, digest, "stranger")
            else:
                for each in own:
                    found.setdefault(each.envelope, []).append(said)
    return found


def _disputes(voices: Voices, withdrawn: Container[str]) -> "_Words":
    found = _Words(voices)
    for said in voices.statements.values():
        if isinstance(said.record, Dispute) and said.envelope not in withdrawn:
            for digest in voices.about(said):
                if voices.of(said).parties <= found.parties(digest):
                    voices.tell(said, digest, "repeated")
                else:
                    found.add(said, voices.copies(digest))
    return found


def _endorsements(voices: Voices, withdrawn: Container[str], disputes: "_Words") -> "_Words":
    """Nobody endorses what is one's own, nor what one disputes."""
    found = _Words(voices)
    for said in voices.statements.values():
        if not isinstance(said.record, Endorsement) or said.envelope in withdrawn:
            continue
        for digest in voices.about(said):
            others = voices.of(said).parties - voices.of(voices.statements[digest]).authors
            free = others - disputes.parties(digest)
            if not others:
                voices.tell(said, digest, "own-statement")
            elif not free:
                voices.tell(said, digest, "own-dispute")
            elif free <= found.parties(digest):
                voices.tell(said, digest, "repeated")
            else:
                found.add(said, (each for each in voices.copies(digest) if free - voices.of(each).authors))
    return found


class _Words:
    """What was said of statements, by their envelopes, and by which parties."""

    def __init__(self, voices: Voices) -> None:
        self._voices = voices
        self._said: dict[str, list[str]] = {}
        self._parties: dict[str, set[str]] = {}

    def add(self, said: LoggedStatement, statements: Iterable[LoggedStatement]) -> None:
        for each in statements:
            self._said.setdefault(each.envelope, []).append(said.envelope)
            self._parties.setdefault(each.envelope, set()).update(self._voices.of(said).parties)

    def parties(self, envelope: str) -> frozenset[str]:
        return frozenset(self._parties.get(envelope, ()))

    def of(self, envelope: str) -> tuple[str, ...]:
        return tuple(self._said.get(envelope, ()))


def _successors(voices: Voices, withdrawn: Mapping[str, list[LoggedStatement]]) -> dict[str, str]:
    """By what was withdrawn, what the first withdrawal that names something of the same kind and subject puts there."""
    found: dict[str, str] = {}
    for envelope, words in withdrawn.items():
        said = voices.statements[envelope]
        for word in words:
            named = word.record.superseded_by if isinstance(word.record, Withdrawal) else None
            if named is None:
                continue
            known = voices.statements.get(named)
            if known is not None and not _replaces(known, said):
                voices.tell(word, envelope, "supersedes-otherwise")
            else:
                found.setdefault(envelope, named)
    return found


def _replaces(new: LoggedStatement, old: LoggedStatement) -> bool:
    shared = {each.fingerprint for each in new.subjects} & {each.fingerprint for each in old.subjects}
    return kind_of(new.predicate_type) == kind_of(old.predicate_type) and bool(shared)


def _current(envelope: str, successors: Mapping[str, str], withdrawn: Container[str]) -> str:
    """What stands at the end of the way; '' where there is none: it is withdrawn too, or the way leads back."""
    passed = {envelope}
    here = successors.get(envelope, "")
    while here in successors and here not in passed:
        passed.add(here)
        here = successors[here]
    return "" if here in withdrawn else here
