"""For which organisation a key speaks, at a place of a log: from what organisations state of themselves.

    rosters = read_rosters(read, proofs)         # statements in the order of the log
    rosters.speaker(key_id, index, time)         # whom it spoke for when that entry was logged

A key speaks for an organisation from the statement on that lists it and that it signed itself, so that nobody can list
another's key as their own. Each statement after the first must be signed by a key of the one before it. What was logged
is judged by what the log held before it: a key that is revoked later spoke while it stood.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence.domainproof import check_domain_proof, served_keys
from aloi.evidence.fields import moment
from aloi.evidence.loggedstatements import LoggedStatement
from aloi.evidence.organisations import ORGANISATION, Organisation, RosterKey, organisation_digest

KeyState = Literal["standing", "unlisted", "early", "expired", "revoked", "left-out"]
Unfit = Literal[
    "subject",
    "not-its-own-key",
    "unknown-previous",
    "fork",
    "sequence",
    "not-of-the-roster",
    "no-longer-revoked",
    "domain-taken",
    "unconfirmed-key",
    "key-elsewhere",
]


class Version(NamedTuple):
    """One statement of an organisation; of it and those before, the keys that signed one in which they were listed,
    and since when which were revoked."""

    logged: LoggedStatement
    organisation: Organisation
    confirmed: frozenset[str]
    revoked: Mapping[str, int]


Versions = list[Version]


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation over time; `proved` where a text that its domain serves lists the keys of one of the versions."""

    versions: tuple[Version, ...]
    proved: bool = False

    @property
    def newest(self) -> Organisation:
        """What it says of itself now."""
        return self.versions[-1].organisation

    def before(self, index: int) -> Version | None:
        """The version that the log held before an entry; None where there was none."""
        return next((each for each in reversed(self.versions) if each.logged.index < index), None)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of an organisation that does not count, or a key in it that does not, and why."""

    index: int
    envelope: str
    why: Unfit
    key: str = ""


class Speaker(NamedTuple):
    """Whom a key spoke for: a domain, or '' for nobody but itself. An organisation answers for its keys alone.

    `disowned`: the key stood in the roster then, and the organisation said later that it was revoked by that time.
    """

    organisation: str
    state: KeyState
    disowned: bool = False

    @property
    def counts(self) -> bool:
        """Whether its word counts: as the organisation's, or as that of a key that belongs to none."""
        return self.state in {"standing", "unlisted"}


NOBODY = Speaker("", "unlisted")


class Rosters(msgspec.Struct, frozen=True, kw_only=True):
    """The organisations of a log by domain, whose each confirmed key is, and what did not count."""

    organisations: Mapping[str, Chain]
    owners: Mapping[str, str]
    told: tuple[Told, ...]

    def owner(self, key: str) -> str:
        """The domain whose roster the key has ever confirmed to be in; '' where there is none."""
        return self.owners.get(key, "")

    def speaker(self, key: str, index: int, time: int) -> Speaker:
        """Whom a key spoke for in the entry `index`, logged at `time` (seconds since 1970)."""
        domain = self.owner(key)
        version = self.organisations[domain].before(index) if domain else None
        if version is None or key not in version.confirmed:
            return NOBODY
        listed = _listed(version.organisation, key)
        state = _state(listed, time) if listed else "left-out"
        if state != "standing":
            return Speaker("", state)
        since = self.organisations[domain].versions[-1].revoked.get(key)
        return Speaker(domain, state, disowned=since is not None and since <= time)


def read_rosters(statements: Iterable[LoggedStatement], proofs: Mapping[str, bytes] = MappingProxyType({})) -> Rosters:
    """What the organisations' statements of one log, in its order, come to.

    `proofs` are texts that domains serve, by domain. Of several that claim one domain, the one that its text names
    counts, else the first that was logged. Of two successors of one statement the first logged counts.
    """
    chains: dict[str, list[Versions]] = {}
    places: dict[str, Versions] = {}
    told: list[Told] = []
    seen: set[str] = set()
    for each in statements:
        if not isinstance(each.record, Organisation) or each.envelope in seen:
            continue
        seen.add(each.envelope)
        chain = places.get(each.record.previous, []) if each.record.previous else []
        why = _unfit(each, each.record, chain)
        if why:
            told.append(Told(index=each.index, envelope=each.envelope, why=why))
            continue
        if not chain:
            chains.setdefault(each.record.domain, []).append(chain)
        chain.append(_version(each, each.record, chain[-1] if chain else None))
        places[each.envelope] = chain
    chosen = {domain: _choose(found, proofs.get(domain), told) for domain, found in chains.items()}
    owners = _owners(chosen, told)
    return Rosters(organisations=chosen, owners=owners, told=tuple(sorted(told, key=lambda one: (one.index, one.key))))


def _unfit(said: LoggedStatement, record: Organisation, chain: Versions) -> Unfit | None:
    """Why a statement does not go on the chain of its predecessor, or begins none; None where it does."""
    if [(each.name, each.fingerprint) for each in said.subjects] != [
        (ORGANISATION, organisation_digest(record.domain))
    ]:
        return "subject"
    if record.previous is None:
        return None if any(_may_sign(record, key, said.time) for key in said.signers) else "not-its-own-key"
    if not chain or chain[-1].organisation.domain != record.domain:
        return "unknown-previous"
    return _unfit_successor(said, record, chain[-1])


def _unfit_successor(said: LoggedStatement, record: Organisation, last: Version) -> Unfit | None:
    if record.previous != last.logged.envelope:
        return "fork"
    if record.sequence != last.organisation.sequence + 1:
        return "sequence"
    if not any(key in last.confirmed and _may_sign(last.organisation, key, said.time) for key in said.signers):
        return "not-of-the-roster"
    if any(last.revoked.get(each.id, math.inf) < _revoked(each) for each in record.keys):
        return "no-longer-revoked"
    return None


def _version(said: LoggedStatement, record: Organisation, last: Version | None) -> Version:
    confirmed = {each.id for each in record.keys} & set(said.signers)
    revoked = {each.id: int(since) for each in record.keys if (since := _revoked(each)) < math.inf}
    return Version(
        logged=said,
        organisation=record,
        confirmed=frozenset(confirmed.union(last.confirmed if last else ())),
        revoked=MappingProxyType({**(last.revoked if last else {}), **revoked}),
    )


def _choose(chains: list[Versions], proof: bytes | None, told: list[Told]) -> Chain:
    proved = next((one for one in chains if proof is not None and any(_is_proved(each, proof) for each in one)), None)
    counts = proved or chains[0]
    told += [
        Told(index=each.logged.index, envelope=each.logged.envelope, why="domain-taken")
        for one in chains
        if one is not counts
        for each in one
    ]
    return Chain(versions=tuple(counts), proved=proved is not None)


def _owners(chosen: Mapping[str, Chain], told: list[Told]) -> dict[str, str]:
    """Whose each key is: of several rosters in which it confirmed to be, the first."""
    first: dict[str, tuple[int, str]] = {}
    for domain, chain in chosen.items():
        for key, version in _confirmations(chain):
            at = (version.logged.index, domain)
            first[key] = min(first.get(key, at), at)
    for domain, chain in chosen.items():
        newest = chain.versions[-1]
        for each in newest.organisation.keys:
            if each.id not in newest.confirmed:
                told.append(_of_key("unconfirmed-key", newest, each.id))
            elif first[each.id][1] != domain:
                told.append(_of_key("key-elsewhere", newest, each.id))
    return {key: domain for key, (_, domain) in first.items()}


def _of_key(why: Unfit, version: Version, key: str) -> Told:
    return Told(index=version.logged.index, envelope=version.logged.envelope, why=why, key=key)


def _confirmations(chain: Chain) -> Iterator[tuple[str, Version]]:
    """Each key of a chain with the version in which it first confirmed to be in it."""
    before: frozenset[str] = frozenset()
    for version in chain.versions:
        yield from ((key, version) for key in version.confirmed - before)
        before = version.confirmed


def _is_proved(version: Version, proof: bytes) -> bool:
    """Whether the text names the roster, and each of its keys has confirmed to be in it: else who lists the keys of a
    domain's owner would be taken for the owner."""
    if not served_keys(version.organisation) <= version.confirmed:
        return False
    try:
        check_domain_proof(proof, version.organisation)
    except EvidenceError:
        return False
    return True


def _listed(organisation: Organisation, key: str) -> RosterKey | None:
    return next((each for each in organisation.keys if each.id == key), None)


def _may_sign(organisation: Organisation, key: str, time: int) -> bool:
    """Whether a key may state the roster: one whose time is still to come as well, since clocks differ."""
    listed = _listed(organisation, key)
    return listed is not None and _state(listed, time) in {"standing", "early"}


def _state(key: RosterKey, time: int) -> KeyState:
    if _revoked(key) <= time:
        return "revoked"
    if time < moment(key.valid_from):
        return "early"
    if key.valid_until is not None and moment(key.valid_until) <= time:
        return "expired"
    return "standing"


def _revoked(key: RosterKey) -> float:
    """The second since when a key is revoked; never, where it is not."""
    return math.inf if key.revoked_at is None else moment(key.revoked_at)
