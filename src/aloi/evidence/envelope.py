"""A statement signed: DSSE v1 (https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md).

The bytes that were signed are verified, then read; nothing is decoded and encoded in between.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from aloi.errors import EvidenceError
from aloi.evidence.canonical import canonical_texts
from aloi.evidence.decoding import decode, shown
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.evidence.records import Record
from aloi.translation import N_

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Signature(Record, frozen=True, kw_only=True):
    """One signature. DSSE leaves `keyid` optional; here it is owed and must be the id of the key."""

    keyid: str
    sig: str


class Envelope(Record, frozen=True, kw_only=True):
    """A DSSE envelope in its JSON form; `payload` and `sig` are base64."""

    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: Annotated[tuple[Signature, ...], Meta(min_length=1, max_length=16)]


class Opened(NamedTuple):
    """The payload that was signed, and the keys that signed it."""

    payload: bytes
    signers: tuple[PublicKey, ...]


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Pre-authentication encoding: the bytes a signature is over (DSSE protocol, "Signature Definition")."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def sign(payload: bytes, *keys: SigningKey) -> Envelope:
    """Sign a statement's bytes with one or more keys."""
    signed = pae(payload)
    return Envelope(
        payload=to_base64(payload),
        payload_type=PAYLOAD_TYPE,
        signatures=tuple(Signature(keyid=key.public.id, sig=to_base64(key.sign(signed))) for key in keys),
    )


def read(data: bytes) -> Envelope:
    """An envelope from its file; others' spacing and extra fields are tolerated, they carry no meaning here."""
    return decode(data, Envelope)


def write(envelope: Envelope) -> bytes:
    """The envelope's canonical bytes."""
    return canonical_texts(envelope)


def verify(envelope: Envelope, keys: Iterable[PublicKey], *, threshold: int = 1) -> Opened:
    """The payload, once every signature holds and at least `threshold` distinct keys signed.

    We check (1) the payload type, (2) that base64 has its one spelling, (3) one signature per key, (4) that each key id
    names a given key, (5) each signature over the PAE. Raises EvidenceError: 'payload-type', 'bad-base64',
    'repeated-signer', 'unknown-signer', 'bad-signature', 'too-few-signers'.
    """
    if envelope.payload_type != PAYLOAD_TYPE:  # (1)
        raise other_payload(envelope.payload_type)
    known = {key.id: key for key in keys}
    payload = from_base64(envelope.payload, "payload")  # (2)
    signed = pae(payload)
    signers: dict[str, PublicKey] = {}
    for signature in envelope.signatures:
        if signature.keyid in signers:  # (3)
            raise EvidenceError(
                N_("the key {key} signed twice; each key counts once"),
                reason="repeated-signer",
                remedy=N_("obtain the evidence again from its author"),
                key=shown(signature.keyid),
            )
        key = _known(known, signature.keyid)  # (4)
        key.verify(from_base64(signature.sig, "sig"), signed)  # (5)
        signers[key.id] = key
    if len(signers) < threshold:
        raise too_few_signers(len(signers), threshold)
    return Opened(payload, tuple(signers.values()))


def _known(keys: Mapping[str, PublicKey], keyid: str) -> PublicKey:
    if keyid not in keys:
        raise unknown_signer(keyid)
    return keys[keyid]


def other_payload(got: str) -> EvidenceError:
    """The refusal of an envelope that holds something else than a statement."""
    return EvidenceError(
        N_("the envelope holds “{got}” where “{expected}” is expected"),
        reason="payload-type",
        remedy=N_("obtain the evidence again from its author"),
        got=shown(got),
        expected=PAYLOAD_TYPE,
    )


def unknown_signer(keyid: str) -> EvidenceError:
    """The refusal of a signer nobody vouched for; it says how to come by the key."""
    return EvidenceError(
        N_("signed by {key}, which is not among the keys you trust"),
        reason="unknown-signer",
        remedy=N_(
            "obtain the signer's public key through another channel than this evidence, and name it as one that you "
            "trust: `--key FILE` of `aloi verify`, `--trust FILE` elsewhere"
        ),
        key=shown(keyid, 120),
    )


def too_few_signers(count: int, threshold: int) -> EvidenceError:
    """The refusal of an envelope that fewer keys signed than the verifier asks for."""
    return EvidenceError(
        N_("trusted keys that signed: {count}; required: {threshold}"),
        reason="too-few-signers",
        remedy=N_("obtain the evidence with the signatures you require, or give more public keys"),
        count=count,
        threshold=threshold,
    )
