"""What a client does with a registry, each step verified: publish with proof, and look up all that is logged."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aloi.errors import EvidenceError, RegistryError
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.decoding import shown
from aloi.evidence.encoding import from_base64
from aloi.evidence.loggedstatements import Held
from aloi.evidence.lookup import Complete, verify_lookup
from aloi.evidence.notes import NoteKey
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.trustpolicy import Logged, Policy, verify_logged
from aloi.registry.client import About, Erasure, Submitter, open_registry
from aloi.translation import N_

PART = 200
_AT_ONCE = 8


class Shared(NamedTuple):
    """A statement that a log of the policy holds: where, under which head, and the proof of it."""

    logged: Logged
    proof: bytes


class Found(NamedTuple):
    """All that a log holds about a subject, as its answer proves: entries with their envelopes, in the log's order.

    `erased` says by index when and why an envelope was erased; `keys` are those that the registry lets publish, or did,
    and `names` what it calls who has them. `organisations` are the domains of those who signed an entry.
    """

    answer: bytes
    complete: Complete
    held: tuple[Held, ...]
    erased: Mapping[int, Erasure]
    keys: tuple[PublicKey, ...]
    names: Mapping[str, str]
    organisations: tuple[str, ...]


async def share(url: str, envelopes: Sequence[bytes], policy: Policy) -> list[Shared]:
    """Publish envelopes (canonical bytes), and verify the proof of each under the policy.

    Raises RegistryError where the registry refuses or cannot be reached, EvidenceError as `verify_logged` where what
    it answers does not hold. To share the same again changes nothing.
    """
    shared = []
    async with open_registry(url) as registry:
        for first in range(0, len(envelopes), PART):
            part = envelopes[first : first + PART]
            for envelope, receipt in zip(part, await registry.publish(part), strict=True):
                proof = receipt.proof.encode()
                shared.append(Shared(verify_logged(logentry.of(dsse.read(envelope)), proof, policy), proof))
    return shared


async def find(url: str, subject: str, policy: Policy) -> Found:
    """All about `sha256:<64 hex>`: the answer verified, then each envelope fetched and held to its entry.

    Raises as `share`, EvidenceError as `verify_lookup`, and 'entry-mismatch' for an envelope that is not its entry's.
    """
    turns = asyncio.Semaphore(_AT_ONCE)
    erased: dict[int, Erasure] = {}
    async with open_registry(url) as registry:
        about = await registry.about()
        answer = await registry.look_up(subject)
        complete = verify_lookup(answer, subject, policy)

        async def held(index: int, body: bytes) -> Held:
            async with turns:
                told = await registry.entry(index)
                envelope = None if told.erased else await registry.envelope(index)
            if told.erased:
                erased[index] = told.erased
            if told.entry.encode() != body or (envelope is not None and _entry_of(envelope) != body):
                raise EvidenceError(
                    N_("what the registry serves as entry {index} is not what its log holds"),
                    reason="entry-mismatch",
                    remedy=N_("keep its answer, ask again, and tell who keeps the registry"),
                    index=index,
                )
            return Held(index=index, time=told.received, entry=body, envelope=envelope)

        found = await asyncio.gather(*(held(index, body) for index, body in complete.entries.items()))
    named = _keys(about)
    signers = {key for body in complete.entries.values() for key in _signers(body)}
    return Found(
        answer=answer,
        complete=complete,
        held=tuple(found),
        erased=erased,
        keys=tuple(key for key, _ in named),
        names={key.id: each.name for key, each in named},
        organisations=tuple({each.organisation: 1 for key, each in named if each.organisation and key.id in signers}),
    )


def _signers(body: bytes) -> tuple[str, ...]:
    try:
        return logentry.read(body).signers
    except EvidenceError:
        return ()


def _keys(about: About) -> list[tuple[PublicKey, Submitter]]:
    """Keys with who has them. A key's id is its digest, so that it does not matter who hands it out."""
    try:
        return [
            (PublicKey(from_base64(key, "keys")), each)
            for each in about.submitters
            for key in (*each.keys, *each.former_keys)
        ]
    except EvidenceError as error:
        raise RegistryError(
            N_("{url} does not answer as a registry does: {problem}"),
            remedy=N_("check the address"),
            url=shown(about.name),
            problem=str(error),
        ) from error


async def trust(url: str) -> str:
    """The line of a trust policy for the log that answers at `url`. It is the registry's own word."""
    async with open_registry(url) as registry:
        about = await registry.about()
    try:
        return f"log {NoteKey.parse(about.key)}"
    except EvidenceError as error:
        raise RegistryError(
            N_("{url} does not answer as a registry does: {problem}"),
            remedy=N_("check the address"),
            url=url,
            problem=str(error),
        ) from error


def _entry_of(envelope: bytes) -> bytes:
    try:
        return logentry.of(dsse.read(envelope))
    except EvidenceError:
        return b""
