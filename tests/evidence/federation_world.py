"""A log that organisations speak in: each test writes a history of it, and reads where things stand."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from evidence_world import HAZARDS, SYSTEM, finding, fixed_key, plan
from vouching_world import named, organisation

from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.canonical import digest
from aloi.evidence.loggedstatements import Held, LoggedStatement, Unread, read_logged
from aloi.evidence.organisations import ORGANISATION, Organisation, RosterKey, organisation_digest
from aloi.evidence.records import Record
from aloi.evidence.roster import Rosters, read_rosters
from aloi.evidence.statement import Subject, state
from aloi.evidence.status import Status, Statuses, read_statuses
from aloi.evidence.vouching import Dispute, Endorsement, Withdrawal

START = 1_790_000_000  # 2026-09-21T14:13:20Z
HOUR = 3600
KEYS = {number: fixed_key(number) for number in range(60, 80)}
KNOWN = [key.public for key in KEYS.values()]
AT = "2026-09-21T14:00:00Z"
NO_PROOFS: Mapping[str, bytes] = MappingProxyType({})


def keyid(number: int) -> str:
    return KEYS[number].public.id


def listed(number: int, **changes: object) -> RosterKey:
    fields: dict[str, object] = {"valid_from": "2026-01-01T00:00:00Z"} | changes
    return RosterKey(  # type: ignore[arg-type]  # a test names only what it changes
        id=keyid(number), public_key=RosterKey.of(KEYS[number].public, AT).public_key, **fields
    )


class History:
    """Entries in the order in which they are logged, an hour apart."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        self.payloads: dict[str, bytes] = {}

    def envelope(self, record: Record, *subjects: Subject, by: Sequence[int], under: str | None = None) -> bytes:
        return dsse.write(dsse.sign(state(record, subjects, plan=under), *(KEYS[each] for each in by)))

    def put(self, envelope: bytes) -> str:
        """Log an envelope; its digest."""
        index = len(self.held)
        entry = logentry.of(dsse.read(envelope))
        self.held.append(Held(index=index, time=START + index * HOUR, entry=entry, envelope=envelope))
        return digest(envelope)

    def log(self, record: Record, *subjects: Subject, by: Sequence[int] = (60,), under: str | None = None) -> str:
        return self.put(self.envelope(record, *subjects, by=by, under=under))

    def organisation(
        self,
        domain: str,
        *keys: RosterKey,
        by: Sequence[int],
        previous: str | None = None,
        sequence: int = 0,
        subject: Subject | None = None,
    ) -> str:
        record = organisation(domain=domain, keys=keys, previous=previous, sequence=sequence, at=AT, name=domain)
        return self.log(record, subject or about(domain), by=by)

    def founded(self, domain: str, *numbers: int) -> str:
        """An organisation with keys that all sign."""
        return self.organisation(domain, *(listed(each) for each in numbers), by=numbers)

    def result(self, by: Sequence[int] = (60,), hazard: str = HAZARDS[0], system: Subject = SYSTEM) -> str:
        return self.log(finding(hazard), system, by=by)

    def planned(self, by: Sequence[int] = (60,), **changes: object) -> tuple[str, str]:
        """Envelope and statement of a plan."""
        record = plan(**changes)
        return self.log(record, SYSTEM, by=by), digest(state(record, [SYSTEM]))

    def withdraw(self, envelope: str, by: Sequence[int], **changes: object) -> str:
        fields: dict[str, object] = {"organisation": "x", "at": AT, "reason": "other", "text": "taken back"}
        return self.log(Withdrawal(**(fields | changes)), named(envelope), by=by)  # type: ignore[arg-type]  # as above

    def dispute(self, envelope: str, by: Sequence[int], reason: str = "not so") -> str:
        return self.log(Dispute(organisation="x", at=AT, reason=reason), named(envelope), by=by)

    def endorse(self, envelope: str, by: Sequence[int], at: str = AT) -> str:
        return self.log(Endorsement(organisation="x", at=at), named(envelope), by=by)

    def read(self) -> tuple[tuple[LoggedStatement, ...], tuple[Unread, ...]]:
        return read_logged(self.held, KNOWN)

    def rosters(self, proofs: Mapping[str, bytes] = NO_PROOFS) -> Rosters:
        return read_rosters(self.read()[0], proofs)

    def statuses(self, proofs: Mapping[str, bytes] = NO_PROOFS) -> Statuses:
        read, _ = self.read()
        return read_statuses(read, read_rosters(read, proofs))

    def status(self, envelope: str) -> Status:
        return self.statuses().statements[envelope]

    def nothing(self) -> list[tuple[int, str]]:
        return [(each.index, each.why) for each in self.statuses().nothing]


def about(domain: str) -> Subject:
    return Subject.of(ORGANISATION, organisation_digest(domain))


def newest(rosters: Rosters, domain: str) -> Organisation:
    return rosters.organisations[domain].newest
