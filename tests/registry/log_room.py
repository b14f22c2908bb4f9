"""What the tests of the log write with: fixed keys, and as many different envelopes as they want."""

import hashlib
from functools import cache
from itertools import islice

from cryptography.hazmat.primitives.asymmetric import ed25519

from aloi.evidence import envelope as dsse
from aloi.evidence.keys import PrivateKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Endorsement
from aloi.registry.admission import Admitted, admit

ORIGIN = "registry.example.org/log"
SYSTEM = Subject.of("banque-azur", "sha256:" + "a1" * 32)


def key_of(number: int) -> PrivateKey:
    """A fixed key, public knowledge."""
    return PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


WRITER, SUBMITTER, OTHER = key_of(1), key_of(2), key_of(3)
KEYS = (SUBMITTER.public, OTHER.public)


def payload_of(number: int) -> bytes:
    """A statement that differs from all others in its number."""
    return state(Endorsement(organisation=f"organisation {number}", at="2026-11-26"), [SYSTEM])


@cache
def _signed(number: int) -> bytes:
    return dsse.write(dsse.sign(payload_of(number), SUBMITTER))


def envelope_of(number: int, *keys: PrivateKey) -> bytes:
    """An envelope over `payload_of(number)`."""
    return dsse.write(dsse.sign(payload_of(number), *keys)) if keys else _signed(number)


def envelopes(first: int, last: int) -> list[bytes]:
    return [envelope_of(number) for number in range(first, last)]


@cache
def _admitted(number: int) -> Admitted:
    return admit(envelope_of(number), KEYS)


def admitted(first: int, last: int) -> list[Admitted]:
    """What the door lets through of `envelopes(first, last)`."""
    return [_admitted(number) for number in range(first, last)]


def unsigned(number: int) -> Admitted:
    """What the door lets through, without a signature: for trees of many entries."""
    text = f"{number}".encode()
    return Admitted(
        envelope=b"{}", body=text, digest=hashlib.sha256(text).digest(), kind="endorsement", signers="ed25519:00"
    )


def batches(items, count):
    """Parts of at most `count`."""
    items = iter(items)
    while part := list(islice(items, count)):
        yield part
