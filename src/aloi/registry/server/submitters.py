"""Who may publish now: keys that the configuration names, or those that an organisation's logged roster says.

An organisation begins by a key that the configuration names for it. Once a roster that such a key signed is logged, the
roster alone says which keys speak for it, so that one that is revoked there publishes nothing more. A roster of which a
part was erased says nothing any more: then nobody publishes for that organisation.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.logentry import stated
from aloi.evidence.loggedstatements import Held, read_logged
from aloi.evidence.organisations import ORGANISATION, Organisation, organisation_digest
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.roster import Chain, read_rosters
from aloi.evidence.statement import claimed
from aloi.registry.log import Log
from aloi.registry.server.configuration import Submitter
from aloi.registry.server.requests import Refused
from aloi.registry.store import Stored
from aloi.translation import N_

AGE = 1.0
"""Seconds after which rosters are read again, should another process have changed them."""
_LATEST = 1 << 53


class Speaking(NamedTuple):
    """A submitter now: `keys` may publish, `former` did, and verify what they signed."""

    name: str
    organisation: str
    keys: tuple[PublicKey, ...]
    former: tuple[PublicKey, ...]


class Submitters:
    """Who may publish in a log; `refresh` reads it."""

    def __init__(self, log: Log, configured: Sequence[Submitter], clock: Callable[[], float] = time.time) -> None:
        self._log = log
        self._configured = configured
        self._clock = clock
        self._read_at = -AGE
        self.speaking: tuple[Speaking, ...] = ()

    def refresh(self, *, now: bool = False) -> None:
        """Read the rosters again where they may have changed; at once if asked. Raises RegistryError."""
        at = time.monotonic()
        if now or at - self._read_at >= AGE:
            self.speaking = tuple(self._speaking(each) for each in self._configured)
            self._read_at = at

    def keys(self) -> list[PublicKey]:
        """Every key that may publish."""
        return [key for each in self.speaking for key in each.keys]

    def names(self, keys: Iterable[str]) -> set[str]:
        """The submitters whose keys these are."""
        by = set(keys)
        return {each.name for each in self.speaking if by & {key.id for key in each.keys}}

    def listed(self, data: bytes) -> list[PublicKey]:
        """The keys that may sign one envelope beside those that may publish: those that a submitter's roster lists.

        A key confirms the roster that lists it by signing it. Raises Refused ('domain-taken') for a roster of a
        submitter's domain that is signed by none of its keys.
        """
        try:
            envelope = dsse.read(data)
            claim = claimed(stated(envelope)[1])
        except EvidenceError:
            return []  # the door says what is wrong with it
        record = claim.record if claim else None
        if not isinstance(record, Organisation):
            return []
        signers = {each.keyid for each in envelope.signatures}
        for each in self.speaking:
            if each.organisation == record.domain:
                if not signers & {key.id for key in each.keys}:
                    raise _taken(record.domain)
                return [key.key() for key in record.keys]
        return []

    def _speaking(self, submitter: Submitter) -> Speaking:
        domain = submitter.organisation
        if not domain:
            return Speaking(submitter.name, "", submitter.keys, ())
        anchors = {key.id: key for key in submitter.keys}
        rosters = [each for each in self._log.filed(organisation_digest(domain)) if each.kind == ORGANISATION]
        chain = _chain(rosters, domain, anchors)
        if chain is None and not _erased(rosters, anchors):
            return Speaking(submitter.name, domain, submitter.keys, ())
        listed = _listed(chain)
        if chain is None or _erased(rosters, {**anchors, **listed}):
            return Speaking(submitter.name, domain, (), tuple({**anchors, **listed}.values()))
        now = int(self._clock())
        found = read_rosters(each.logged for each in chain.versions)
        keys = {name: key for name, key in listed.items() if found.speaker(name, _LATEST, now).organisation == domain}
        former = {name: key for name, key in {**anchors, **listed}.items() if name not in keys}
        return Speaking(submitter.name, domain, tuple(keys.values()), tuple(former.values()))


def _chain(rosters: Sequence[Stored], domain: str, anchors: Collection[str]) -> Chain | None:
    """What an organisation says of itself, from the first statement that a configured key signed."""
    held = [Held(index=one.index, time=one.received, entry=one.body, envelope=one.envelope) for one in rosters]
    read, _ = read_logged(held)
    begun = [
        each
        for each in read
        if isinstance(each.record, Organisation) and (each.record.previous or set(each.signers) & set(anchors))
    ]
    return read_rosters(begun).organisations.get(domain)


def _listed(chain: Chain | None) -> dict[str, PublicKey]:
    versions = chain.versions if chain else ()
    return {each.id: each.key() for version in versions for each in version.organisation.keys}


def _erased(rosters: Sequence[Stored], keys: Mapping[str, PublicKey]) -> bool:
    """Whether a part is gone that one of these keys signed: what it revoked, nobody knows any more."""
    return any(each.envelope is None and set(each.signers.split()) & set(keys) for each in rosters)


def may_not_publish(error: EvidenceError) -> EvidenceError:
    """The door's refusal of a signer, as who publishes has to read it."""
    told = EvidenceError(
        N_("signed by {key}, which may not publish in this registry"),
        reason=error.reason,
        remedy=N_("ask who keeps the registry to let this key publish"),
        **error.facts,
    )
    told.where = error.where
    return told


def _taken(domain: str) -> Refused:
    return Refused(
        403,
        "domain-taken",
        N_("{domain} is the domain of a submitter, none of whose keys signed this"),
        remedy=N_("sign what an organisation says of itself with one of its own keys"),
        domain=domain,
    )
