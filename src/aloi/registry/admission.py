"""The door of a log: what is not a statement of ours, whole and signed by a key that is known, stays outside."""

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence import statement as statements
from aloi.evidence.decoding import shown
from aloi.evidence.predicates import CLAIMS, claim_type
from aloi.evidence.publickeys import PublicKey
from aloi.translation import N_


class Admitted(NamedTuple):
    """An envelope that was verified: its canonical bytes, what the log holds of it, and by what it is known again."""

    envelope: bytes
    body: bytes
    digest: bytes
    kind: str
    signers: str


def admit(data: bytes, keys: Iterable[PublicKey]) -> Admitted:
    """Verify one DSSE envelope over a statement of a known kind; every signature must be of one of `keys`.

    Raises EvidenceError as `envelope.read`, `envelope.verify`, `statement.read` and `statement.claimed`, and
    'unknown-predicate', 'entry-too-large'.
    """
    envelope = dsse.read(data)
    opened = dsse.verify(envelope, keys)
    statement = statements.read(opened.payload)
    known = claim_type(statement.predicate_type)
    if known is None or statements.claimed(statement) is None:
        raise EvidenceError(
            N_("statements of the type “{got}” are not logged here; known: {known}"),
            reason="unknown-predicate",
            remedy=N_("use a registry of a newer release, or state it in one of the known kinds"),
            got=shown(statement.predicate_type),
            known=", ".join(CLAIMS),
        )
    written = dsse.write(envelope)
    return Admitted(
        envelope=written,
        body=logentry.write(logentry.build(envelope, written, statement)),
        digest=hashlib.sha256(opened.payload).digest(),
        kind=known[0],
        signers=" ".join(sorted(key.id for key in opened.signers)),
    )


def admit_all(
    batch: Iterable[bytes],
    keys: Iterable[PublicKey],
    listed: Callable[[bytes], Iterable[PublicKey]] = lambda _: (),
) -> list[Admitted]:
    """All or none of a batch; the error says in `where` which one was refused, counted from 0.

    `listed` gives, for an envelope, keys that may sign it beside `keys`.
    """
    known = tuple(keys)
    admitted = []
    for place, data in enumerate(batch):
        try:
            admitted.append(admit(data, (*known, *listed(data))))
        except EvidenceError as error:
            error.where = f"#{place}"
            raise
    return admitted
