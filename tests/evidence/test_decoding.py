import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence.decoding import DEPTH, decode, shown
from aloi.evidence.records import Estimate


class Point(msgspec.Struct):
    x: int
    name: str = ""


ESTIMATE = '{"value":%s,"low":"0.1","high":"0.3","failures":1,"n":5,"level":"0.95","method":"m"}'

HOSTILE = {
    "empty": (b"", "not-json"),
    "cut short": (b'{"x":', "not-json"),
    "two values": (b'{"x":1}{"x":2}', "not-json"),
    "trailing comma": (b'{"x":1,}', "not-json"),
    "trailing text": (b'{"x":1} x', "not-json"),
    "single quotes": (b"{'x':1}", "not-json"),
    "NaN": (b'{"x":NaN}', "not-json"),
    "Infinity": (b'{"x":Infinity}', "not-json"),
    "minus Infinity": (b'{"x":-Infinity}', "not-json"),
    "leading zero": (b'{"x":01}', "not-json"),
    "raw newline in a string": (b'{"x":1,"name":"a\nb"}', "not-json"),
    "lone surrogate": (b'{"x":1,"name":"\\ud800"}', "not-json"),
    "byte order mark": (b'\xef\xbb\xbf{"x":1}', "not-json"),
    "number of 5000 digits": (b'{"x":' + b"1" * 5000 + b"}", "not-json"),
    "mismatched brackets": (b'{"x":[}', "not-json"),
    "a million open brackets": (b"[" * 1_000_000, "not-json"),
    "UTF-16": ('{"x":1}'.encode("utf-16"), "not-utf8"),
    "Latin-1": ('{"name":"é","x":1}'.encode("latin-1"), "not-utf8"),
    "overlong UTF-8": (b'{"x":1,"name":"\xc0\xaf"}', "not-utf8"),
    "same key twice": (b'{"x":1,"x":2}', "duplicate-key"),
    "same key, same value": (b'{"x":1,"x":1}', "duplicate-key"),
    "same key, escaped": (b'{"x":1,"\\u0078":2}', "duplicate-key"),
    "same key, in a field nobody reads": (b'{"x":1,"y":{"a":1,"a":1}}', "duplicate-key"),
    "nested too deep": (b'{"x":1,"y":' + b"[" * DEPTH + b"]" * DEPTH + b"}", "too-deep"),
    "nested far too deep": (b"[" * 400_000 + b"]" * 400_000, "too-deep"),
    "mixed nesting": (b'[{"a":' * 30 + b"1" + b"}]" * 30, "too-deep"),
    "too large": (b'{"x":1,"name":"' + b"a" * (1 << 20) + b'"}', "too-large"),
    "wrong type": (b'{"x":"1"}', "wrong-type"),
    "missing field": (b'{"name":"a"}', "wrong-type"),
    "not an object": (b"[1]", "wrong-type"),
    "null": (b"null", "wrong-type"),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_refused(data, reason):
    with pytest.raises(EvidenceError) as caught:
        decode(data, Point)
    assert caught.value.reason == reason
    assert caught.value.remedy


def test_hostile_text_costs_linear_time():
    unterminated = b'"' + b'\\"' * 500_000
    start = time.process_time()
    for data in (unterminated, b"[" * 1_000_000, b"[]," * 300_000, b'{"a":' * 200_000):
        with pytest.raises(EvidenceError):
            decode(data, Point)
    assert time.process_time() - start < 10  # a quadratic scan would take hours


def test_depth_at_the_limit_is_read():
    assert decode(b"[" * DEPTH + b"]" * DEPTH, list) == json.loads("[" * DEPTH + "]" * DEPTH)


def test_brackets_and_quotes_inside_strings_do_not_count():
    text = '[{"\\' * 50
    assert decode(json.dumps({"x": 1, "name": text}).encode(), Point).name == text


def test_wrong_type_tells_the_path():
    with pytest.raises(EvidenceError) as caught:
        decode(b'{"a":[{"x":1},{"x":true}]}', dict[str, list[Point]])
    assert caught.value.facts["path"] == "$[...][1].x"


@pytest.mark.parametrize(
    ("value", "reason"), [('"0.4"', "invalid-value"), ('"NaN"', "invalid-value"), ("0.2", "float")]
)
def test_a_record_that_refuses_its_fields(value, reason):
    with pytest.raises(EvidenceError) as caught:
        decode((ESTIMATE % value).encode(), Estimate, floats=False)
    assert caught.value.reason == reason


def test_unknown_fields_are_tolerated():
    assert decode(b'{"x":1,"later":{"edition":[1.5]}}', Point) == Point(x=1)


def test_foreign_text_cannot_drive_a_terminal():
    with pytest.raises(EvidenceError) as caught:
        decode(b'{"\\u001b[2Jx":1,"\\u001b[2Jx":2}', Point)
    assert "\x1b" not in str(caught.value)
    assert len(shown("a" * 500)) == 80
    assert shown("été \u202e\n") == "été \\u202e\\n"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_json_writes_is_read(value):
    assert decode(json.dumps(value).encode(), object) == value


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0123456789eE+-.ntrfals \n', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    try:
        value = decode(data, object)
    except EvidenceError:
        return
    assert json.loads(data) == value
