"""A blind round: evaluators fix what they found on one system before any of them can read another's finding.

    round = read(path.read_bytes())
    told = read_round(round, read_statuses(statements, rosters), seconds)

The round is a file that says who takes part, on what, and by when. It is not signed: each participant's commitments
name its digest as a subject, and so agree to it, and a look-up of that digest proves who committed and who did not.
What was fixed is opened by a replication, which tells the commitment's salt. Who takes part answers with the key that
the round names.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta

from aloi.errors import EvidenceError
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.commitments import commit
from aloi.evidence.decoding import decode
from aloi.evidence.fields import Code, Digest, KeyId, Name, Time, moment
from aloi.evidence.records import Finding, Record
from aloi.evidence.status import Status, Statuses
from aloi.evidence.vouching import Commitment, Replication
from aloi.translation import N_

FORMAT: Final = "https://aloi.dev/round/v1"
ROUND = "round"
LIMIT = 1 << 17

Phase = Literal["committing", "revealing", "closed"]
Standing = Literal["absent", "committed", "revealed", "opened", "other"]


class Participant(Record, frozen=True, kw_only=True):
    """Who takes part: a name for readers, and the key by which they commit and reveal."""

    name: Name
    key: KeyId


class Round(Record, frozen=True, kw_only=True):
    """What is measured, by whom, in which log, and until when each fixes and tells what they found."""

    format: Literal["https://aloi.dev/round/v1"] = FORMAT
    system: Digest
    hazards: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=50)]
    participants: Annotated[tuple[Participant, ...], Meta(min_length=2, max_length=100)]
    log: Name
    commit_by: Time
    reveal_by: Time

    def __post_init__(self) -> None:
        if len({each.key for each in self.participants}) < len(self.participants):
            raise ValueError(N_("two participants have one key"))
        if len(set(self.hazards)) < len(self.hazards):
            raise ValueError(N_("a hazard is named twice"))
        if moment(self.reveal_by) <= moment(self.commit_by):
            raise ValueError(N_("reveal_by is not after commit_by"))

    @property
    def digest(self) -> str:
        """By which commitments name it."""
        return digest(write(self))


class Part(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What one participant did on one hazard, by the log.

    'absent': no finding, and too few commitments to fix one; 'committed': fixed, not told; 'revealed': told, not
    shown to be what was fixed; 'opened': told, and what was fixed; 'other': told, and fixed as something else.
    `finding` is its envelope, `blind` the participants whose findings it repeats blindly.
    """

    hazard: str
    standing: Standing
    finding: str = ""
    blind: tuple[str, ...] = ()


class Taking(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One participant: `commitments` are envelopes with the second at which each was logged, `unopened` those of them
    that nothing opens.

    `late`: committed only after the deadline, or after somebody's finding could be read. `early`: told before all
    had committed and before the deadline.
    """

    participant: Participant
    commitments: tuple[tuple[str, int], ...]
    unopened: tuple[str, ...]
    parts: tuple[Part, ...]
    late: bool
    early: bool

    @property
    def committed(self) -> bool:
        """Whether something is fixed for every hazard."""
        return all(each.standing != "absent" for each in self.parts)


class RoundState(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A round at a moment. `strangers` are envelopes of commitments to it by others than its participants."""

    digest: str
    round: Round
    phase: Phase
    taking: tuple[Taking, ...]
    strangers: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everybody told, in time, what they had fixed."""
        return not any(each.late or each.early or each.unopened for each in self.taking) and all(
            part.standing == "opened" for each in self.taking for part in each.parts
        )


def write(round_: Round) -> bytes:
    """The file's bytes: canonical JSON, so that a round has one digest."""
    return canonical(round_)


def read(data: bytes) -> Round:
    """A round from its file. Raises EvidenceError as `decode`, and 'not-canonical'."""
    found = decode(data, Round, limit=LIMIT, floats=False)
    if write(found) != data:
        raise EvidenceError(
            N_("the round is not in its one canonical form: something was added or re-written"),
            reason="not-canonical",
            remedy=N_("obtain the file again from whoever opened the round, byte for byte"),
        )
    return found


def opened(statuses: Statuses) -> dict[str, str]:
    """By the envelope of a commitment, the envelope of what it fixed, as a replication of the same party shows."""
    found: dict[str, str] = {}
    for status in statuses.statements.values():
        record = status.logged.record
        if not isinstance(record, Replication) or record.sealed is None or status.state == "void":
            continue
        before = statuses.statements.get(record.sealed.commitment)
        if before is None or not isinstance(before.logged.record, Commitment):
            continue
        for subject in status.logged.subjects:
            fixed = commit(subject.fingerprint, record.sealed.salt, "statement")
            if fixed == before.logged.record.commitment and set(before.parties) & set(status.parties):
                found.setdefault(before.logged.envelope, subject.fingerprint)
    return found


def read_round(round_: Round, statuses: Statuses, seconds: int) -> RoundState:
    """Where a round stands at a POSIX second, by what one log holds of its digest and of its system."""
    named = [each for each in statuses.statements.values() if _names(each, round_.digest)]
    shown = opened(statuses)
    own = {
        each.key: sorted((one for one in named if each.key in one.logged.signers), key=lambda one: one.logged.index)
        for each in round_.participants
    }
    findings = {key: _findings(key, round_, statuses, commitments, shown) for key, commitments in own.items()}
    first_told = min((one.logged.index for found in findings.values() for one in found.values()), default=None)
    all_in = _all_in(round_, own)
    ended = moment(round_.commit_by)
    taking = []
    for each in round_.participants:
        commitments, found = own[each.key], findings[each.key]
        parts = _parts(round_, commitments, found, shown, statuses)
        taking.append(
            Taking(
                participant=each,
                commitments=tuple((one.logged.envelope, one.logged.time) for one in commitments),
                unopened=tuple(one.logged.envelope for one in commitments if one.logged.envelope not in shown),
                parts=parts,
                late=any(
                    one.logged.time > ended or (first_told is not None and one.logged.index > first_told)
                    for one in commitments
                ),
                early=any(
                    one.logged.time < ended and (all_in is None or one.logged.index < all_in) for one in found.values()
                ),
            )
        )
    strangers = tuple(one.logged.envelope for one in named if not any(one in some for some in own.values()))
    return RoundState(
        digest=round_.digest,
        round=round_,
        phase=_phase(round_, all_in, taking, seconds),
        taking=tuple(taking),
        strangers=strangers,
    )


def _names(status: Status, round_: str) -> bool:
    return (
        isinstance(status.logged.record, Commitment)
        and status.state != "void"
        and any(each.name == ROUND and each.fingerprint == round_ for each in status.logged.subjects)
    )


def _all_in(round_: Round, own: Mapping[str, Sequence[Status]]) -> int | None:
    """The place in the log of the commitment by which everybody had fixed something for each hazard."""
    enough = len(round_.hazards)
    if any(len(each) < enough for each in own.values()):
        return None
    return max(each[enough - 1].logged.index for each in own.values())


def _findings(
    key: str, round_: Round, statuses: Statuses, commitments: Sequence[Status], shown: Mapping[str, str]
) -> dict[str, Status]:
    """What a key that committed told on each hazard: what it had fixed or else, since then, the first."""
    if not commitments:
        return {}
    fixed = {shown[one.logged.envelope] for one in commitments if one.logged.envelope in shown}
    found: dict[str, Status] = {}
    for each in statuses.statements.values():
        record = each.logged.record
        if not isinstance(record, Finding) or record.stage != "measure" or each.state == "void":
            continue
        about = {subject.fingerprint for subject in each.logged.subjects}
        if key in each.logged.signers and round_.system in about and record.hazard in round_.hazards:
            if each.logged.envelope in fixed:
                found[record.hazard] = each
            elif each.logged.index > commitments[0].logged.index:
                found.setdefault(record.hazard, each)
    return found


def _parts(
    round_: Round,
    commitments: Sequence[Status],
    found: Mapping[str, Status],
    shown: Mapping[str, str],
    statuses: Statuses,
) -> tuple[Part, ...]:
    fixed = {shown[one.logged.envelope]: one for one in commitments if one.logged.envelope in shown}
    closed = [one for one in commitments if one.logged.envelope not in shown]
    parts = []
    for hazard in round_.hazards:
        finding = found.get(hazard)
        if finding is None:
            standing: Standing = "committed" if closed else "absent"
            closed = closed[1:]
            parts.append(Part(hazard=hazard, standing=standing))
            continue
        envelope = finding.logged.envelope
        standing = "opened" if envelope in fixed else "revealed" if closed else "other"
        closed = closed if envelope in fixed else closed[1:]
        parts.append(Part(hazard=hazard, standing=standing, finding=envelope, blind=_blind(envelope, round_, statuses)))
    return tuple(parts)


def _blind(envelope: str, round_: Round, statuses: Statuses) -> tuple[str, ...]:
    """The participants whose findings one repeats blindly."""
    keys = {
        key
        for status in statuses.statements.values()
        if any(each.blind and each.finding == envelope for each in status.replications)
        for key in status.logged.signers
    }
    return tuple(each.name for each in round_.participants if each.key in keys)


def _phase(round_: Round, all_in: int | None, taking: Sequence[Taking], seconds: int) -> Phase:
    if all_in is None and seconds < moment(round_.commit_by):
        return "committing"
    done = all(part.standing == "opened" for each in taking for part in each.parts)
    return "closed" if seconds >= moment(round_.reveal_by) or done else "revealing"
