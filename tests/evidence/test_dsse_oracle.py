"""securesystemslib, an independent DSSE implementation, reads ours and we read theirs."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from evidence_world import World, fixed_key
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as Theirs
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.keys import PrivateKey

SECRETS = {
    "ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(b"\7" * 32),
    "p256": ec.derive_private_key(7, ec.SECP256R1()),
}
STATEMENT = World().plan_bytes()


def their_key(key):
    return SSlibKey.from_crypto(SECRETS[key.algorithm].public_key(), keyid=key.public.id)


@pytest.fixture(params=SECRETS)
def key(request):
    return PrivateKey(SECRETS[request.param])


def test_they_verify_ours(key):
    ours = json.loads(dsse.write(dsse.sign(STATEMENT, key)))
    theirs = Theirs.from_dict(ours)
    assert set(theirs.verify([their_key(key)], 1)) == {key.public.id}
    assert theirs.payload == STATEMENT


def test_we_verify_theirs(key):
    theirs = Theirs(STATEMENT, dsse.PAYLOAD_TYPE, {})
    theirs.sign(CryptoSigner(SECRETS[key.algorithm], their_key(key)))
    data = json.dumps(theirs.to_dict()).encode()
    assert dsse.verify(dsse.read(data), [key.public]).payload == STATEMENT


def test_we_both_refuse_another_payload(key):
    ours = dsse.sign(STATEMENT, key)
    forged = json.loads(dsse.write(dsse.sign(STATEMENT + b" ", fixed_key())))
    forged["signatures"] = json.loads(dsse.write(ours))["signatures"]
    with pytest.raises(EvidenceError):
        dsse.verify(dsse.read(json.dumps(forged).encode()), [key.public])
    with pytest.raises(VerificationError):
        Theirs.from_dict(forged).verify([their_key(key)], 1)


@settings(max_examples=50)
@given(st.binary(max_size=200), st.text(max_size=30))
def test_the_same_bytes_are_signed(payload, name):
    name = name.encode("utf-8", "ignore").decode()
    assert dsse.pae(payload, name) == Theirs(payload, name, {}).pae()
