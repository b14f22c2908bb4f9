"""Server-sent events out of bytes in any cuts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.solutions.gateway.dialects.dialect import Broken, Event
from aloi.solutions.gateway.events import Events

LIMIT = 1 << 20

STREAMS = {
    "nothing": (b"", []),
    "one event": (b"data: a\n\n", [Event("", b"a")]),
    "a name": (b"event: ping\ndata: {}\n\n", [Event("ping", b"{}")]),
    "carriage returns": (b"event: ping\rdata: a\r\rdata: b\r\r", [Event("ping", b"a"), Event("", b"b")]),
    "both": (b"data: a\r\n\r\ndata: b\r\n\r\n", [Event("", b"a"), Event("", b"b")]),
    "mixed ends": (b"data: a\r\rdata: b\n\r\ndata: c\r\n\n", [Event("", b"a"), Event("", b"b"), Event("", b"c")]),
    "several lines of data": (b"data: a\ndata:\ndata:  b\n\n", [Event("", b"a\n\n b")]),
    "no blank after the colon": (b"data:a\n\n", [Event("", b"a")]),
    "a field alone": (b"data\n\n", [Event("", b"")]),
    "comments": (b": hello\n\n:\ndata: a\n: b\n\n", [Event("", b"a")]),
    "other fields": (b"id: 1\nretry: 5\ndata: a\nDATA: b\n data: c\n\n", [Event("", b"a")]),
    "a name without data": (b"event: a\n\ndata: b\n\n", [Event("", b"b")]),
    "the last of two names": (b"event: a\nevent: b\ndata: c\n\n", [Event("b", b"c")]),
    "an event that is not closed": (b"data: a\n\ndata: b\n", [Event("", b"a")]),
    "a mark of order": (b"\xef\xbb\xbfdata: a\n\n", [Event("", b"a")]),
    "a second mark": (b"\n\xef\xbb\xbfdata: a\n\n", []),
    "bytes that are no text": (b"event: \xff\ndata: \xff\n\n", [Event("\ufffd", b"\xff")]),
    "many empty lines": (b"\n\n\r\r\n\ndata: a\n\n\n\n", [Event("", b"a")]),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_read_alike_whole_and_byte_by_byte(name):
    stream, expected = STREAMS[name]
    assert Events(LIMIT).feed(stream) == expected
    reader = Events(LIMIT)
    assert [event for i in range(len(stream)) for event in reader.feed(stream[i : i + 1])] == expected


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)
WRITTEN = st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=3)), max_size=6)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(events=WRITTEN, end=ENDS, cuts=st.lists(st.integers(0, 400), max_size=40), comment=TEXTS)
def test_any_events_survive_any_cuts(events, end, cuts, comment):
    lines = []
    for name, texts in events:
        lines += [f"event: {name}", f":{comment}", *(f"data: {text}" for text in texts), ""]
    stream = end.join([*(line.encode() for line in lines), b""]) if lines else b""
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = Events(LIMIT)
    chunks = [stream[a:b] for a, b in pairwise(places)]
    read = [event for chunk in chunks for event in reader.feed(chunk)]
    assert read == [Event(name, "\n".join(texts).encode()) for name, texts in events]


@pytest.mark.parametrize("size", [997, 100_000, 2 * LIMIT])
@pytest.mark.parametrize(
    "endless",
    [b"x" * 1000, b": " + b"x" * (LIMIT + 1) + b"\n", b"data: " + b"x" * 1000 + b"\n", b"data:\n"],
    ids=["a line", "a comment", "lines of data", "empty lines of data"],
)
def test_what_never_ends_is_cut_off(endless, size):
    reader, stream = Events(LIMIT), endless * (2 * LIMIT // len(endless) + 1)
    chunks = (stream[start : start + size] for start in range(0, len(stream), size))
    with pytest.raises(Broken) as broken:
        list(map(reader.feed, chunks))
    assert broken.value.reason == "too-large"


def test_the_longest_event_is_read():
    text = b"x" * (LIMIT - len("data: "))
    assert Events(LIMIT).feed(b"data: " + text + b"\n\n") == [Event("", text)]
