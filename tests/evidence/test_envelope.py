import json

import pytest
from evidence_world import SYSTEM, estimate, finding, fixed_key, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.envelope import Envelope, Signature, pae, sign, verify
from aloi.evidence.keys import ALGORITHMS, PrivateKey
from aloi.evidence.statement import claimed, read, state

KEY, OTHER = fixed_key(0), fixed_key(1)
PAYLOAD = state(plan(), [SYSTEM])
GOOD = sign(PAYLOAD, KEY)
SIG = GOOD.signatures[0]


def made(**changes):
    fields = {"payload": GOOD.payload, "payload_type": GOOD.payload_type, "signatures": GOOD.signatures}
    return Envelope(**(fields | changes))


def signed_as(**changes):
    return made(signatures=(Signature(**({"keyid": SIG.keyid, "sig": SIG.sig} | changes)),))


def test_the_protocol_s_own_vector():
    # DSSE protocol.md, "Test vectors"
    assert pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae(b"", "") == b"DSSEv1 0  0 "


def loosened(text):
    """Another base64 spelling of the same bytes: a trailing bit set that decoders commonly ignore."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    assert body != text
    return body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + "=" * (len(text) - len(body))


HOSTILE = {
    "swapped payload type": (made(payload_type="application/json"), "payload-type"),
    "payload type in capitals": (made(payload_type="application/vnd.in-toto+JSON"), "payload-type"),
    "terminal control in the type": (made(payload_type="\x1b[2J"), "payload-type"),
    "another payload": (made(payload=sign(PAYLOAD + b" ", KEY).payload), "bad-signature"),
    "empty payload": (made(payload=""), "bad-signature"),
    "payload without padding": (made(payload=sign(b"a", KEY).payload.rstrip("=")), "bad-base64"),
    "payload with a trailing bit": (made(payload=loosened(sign(b"a", KEY).payload)), "bad-base64"),
    "payload with a newline": (made(payload=GOOD.payload + "\n"), "bad-base64"),
    "payload with a space inside": (made(payload=GOOD.payload[:8] + " " + GOOD.payload[8:]), "bad-base64"),
    "payload in the URL-safe alphabet": (made(payload="-_-_"), "bad-base64"),
    "payload that is no text": (made(payload="é" * 4), "bad-base64"),
    "padding in the middle": (made(payload="YQ==YQ=="), "bad-base64"),
    "signature of another": (signed_as(sig=sign(PAYLOAD, OTHER).signatures[0].sig), "bad-signature"),
    "signature over another payload": (signed_as(sig=sign(b"x", KEY).signatures[0].sig), "bad-signature"),
    "signature over the bare payload": (signed_as(sig=dsse.to_base64(KEY.sign(PAYLOAD))), "bad-signature"),
    "empty signature": (signed_as(sig=""), "bad-signature"),
    "signature with a trailing bit": (signed_as(sig=loosened(SIG.sig)), "bad-base64"),
    "foreign key": (sign(PAYLOAD, OTHER), "unknown-signer"),
    "key id of another": (signed_as(keyid=OTHER.public.id), "unknown-signer"),
    "empty key id": (signed_as(keyid=""), "unknown-signer"),
    "key id in capitals": (signed_as(keyid=KEY.public.id.upper()), "unknown-signer"),
    "two signatures by one key": (made(signatures=(SIG, SIG)), "repeated-signer"),
    "a good signature and a foreign one": (
        made(signatures=(SIG, *sign(PAYLOAD, OTHER).signatures)),
        "unknown-signer",
    ),
}


@pytest.mark.parametrize(("envelope", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_envelopes_are_refused(envelope, reason):
    with pytest.raises(EvidenceError) as caught:
        verify(envelope, [KEY.public])
    assert caught.value.reason == reason
    assert caught.value.remedy
    assert "\x1b" not in str(caught.value)


GOOD_JSON = json.loads(dsse.write(GOOD))
MALFORMED = {
    "no payload": {key: value for key, value in GOOD_JSON.items() if key != "payload"},
    "no payload type": {key: value for key, value in GOOD_JSON.items() if key != "payloadType"},
    "no signatures field": {key: value for key, value in GOOD_JSON.items() if key != "signatures"},
    "signature stripped": GOOD_JSON | {"signatures": []},
    "too many signatures": GOOD_JSON | {"signatures": GOOD_JSON["signatures"] * 17},
    "signatures is an object": GOOD_JSON | {"signatures": {}},
    "no key id": GOOD_JSON | {"signatures": [{"sig": SIG.sig}]},
    "null key id": GOOD_JSON | {"signatures": [{"keyid": None, "sig": SIG.sig}]},
    "no sig": GOOD_JSON | {"signatures": [{"keyid": SIG.keyid}]},
    "payload is a number": GOOD_JSON | {"payload": 1},
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_malformed_envelopes_are_refused(value):
    with pytest.raises(EvidenceError) as caught:
        dsse.read(json.dumps(value).encode())
    assert caught.value.reason == "wrong-type"


def test_an_unknown_signer_tells_how_to_get_the_key():
    with pytest.raises(EvidenceError) as caught:
        verify(GOOD, [])
    assert KEY.public.id in str(caught.value)
    assert "--key FILE" in caught.value.remedy
    assert "another channel" in caught.value.remedy


def test_a_threshold_counts_distinct_keys():
    both = sign(PAYLOAD, KEY, OTHER)
    keys = [KEY.public, OTHER.public]
    assert verify(both, keys, threshold=2).signers == (KEY.public, OTHER.public)
    with pytest.raises(EvidenceError) as caught:
        verify(GOOD, keys, threshold=2)
    assert caught.value.reason == "too-few-signers"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm(algorithm):
    key = PrivateKey.generate(algorithm)
    envelope = dsse.read(dsse.write(sign(PAYLOAD, key, KEY)))
    assert verify(envelope, [key.public, KEY.public]).payload == PAYLOAD
    assert envelope.signatures[0].keyid.startswith(algorithm + ":")


def test_others_spacing_and_fields_are_tolerated():
    loose = json.dumps(GOOD_JSON | {"note": "not signed"}, indent=2).encode()
    assert verify(dsse.read(loose), [KEY.public]).payload == PAYLOAD


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_any_payload_comes_back(payload):
    assert verify(dsse.read(dsse.write(sign(payload, KEY))), [KEY.public]).payload == payload


DECIMALS = st.decimals(min_value=0, max_value=1, allow_nan=False, allow_infinity=False, places=9)


@settings(max_examples=60)
@given(st.lists(DECIMALS, min_size=3, max_size=3).map(sorted), st.integers(0, 2**53 - 1), st.text(max_size=20))
def test_numbers_and_text_survive_signing_exactly(bounds, count, name):
    name = name.encode("utf-8", "ignore").decode()
    low, value, high = bounds
    record = finding(name, estimate=estimate(0, count, low=low, value=value, high=high))
    opened = verify(dsse.read(dsse.write(sign(state(record, [SYSTEM], plan="sha256:" + "0" * 64), KEY))), [KEY.public])
    back = claimed(read(opened.payload)).record
    assert back == record
    assert [str(back.estimate.low), str(back.estimate.value)] == [str(low), str(value)]
