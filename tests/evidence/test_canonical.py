import hashlib
from decimal import Decimal

import msgspec
import pytest
from evidence_world import finding, plan
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence.canonical import canonical, canonical_texts, digest
from aloi.evidence.decoding import decode
from aloi.evidence.records import Plan

# RFC 8785 section 3.2.2 and 3.2.3: literals and numbers, and sorting by UTF-16 code units
RFC = {
    "numbers": (
        {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], "literals": [None, True, False]},
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
    ),
    "sorting": (
        {"€": "Euro", "\r": "CR", "\ufb33": "Hebrew", "1": "One", "😀": "Smiley", "\x80": "Control", "ö": "o"},
        '{"\\r":"CR","1":"One","\x80":"Control","ö":"o","€":"Euro","😀":"Smiley","\ufb33":"Hebrew"}'.encode(),
    ),
    "decimals": ({"a": Decimal("0.10"), "b": Decimal("1E-7")}, b'{"a":"0.10","b":"1E-7"}'),
}


@pytest.mark.parametrize(("value", "expected"), RFC.values(), ids=RFC)
def test_vectors(value, expected):
    assert canonical(value) == expected


INEXACT = {
    "nan": float("nan"),
    "inf": float("inf"),
    "2**53": 2**53,
    "half a surrogate pair": "\ud800",
    "an object": object(),
    "a set": {1, object()},
}


@pytest.mark.parametrize("value", INEXACT.values(), ids=INEXACT)
def test_what_has_no_exact_form_is_refused(value):
    with pytest.raises(EvidenceError) as caught:
        canonical({"x": value})
    assert caught.value.reason == "not-canonical"


def test_records_are_read_back():
    assert decode(canonical(plan()), Plan) == plan()
    assert canonical(finding("a")) == canonical(finding("a"))


def test_digest_is_sha256():
    assert digest(b"aloi") == "sha256:" + hashlib.sha256(b"aloi").hexdigest()


@given(st.dictionaries(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(-1000, 1000)))
def test_order_of_keys_does_not_matter(value):
    assert canonical(value) == canonical(dict(reversed(value.items())))


class Texts(msgspec.Struct, rename="camel"):
    zebra_name: str
    apple: tuple[str, ...]


@given(st.text(), st.lists(st.text(), max_size=3))
def test_texts_are_written_sooner_and_the_same(zebra, apples):
    record = Texts(zebra, tuple(apples))
    assert canonical_texts(record) == canonical(record)


def test_a_lone_surrogate_has_no_canonical_form_either_way():
    for write in (canonical, canonical_texts):
        with pytest.raises(EvidenceError) as caught:
            write(Texts("\ud800", ()))
        assert caught.value.reason == "not-canonical"


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_texts_are_written_sooner_and_the_same(text):
    record = Texts(text, (text, ""))
    assert canonical_texts(record) == canonical(record)
