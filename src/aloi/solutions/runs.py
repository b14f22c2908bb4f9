"""Runs of base64 and of hexadecimal digits in a text: where they stand, and what those say that can be read.

Few runs are decoded one by one; many at once, as arrays of bytes, which takes half of the time and of noise a sixth.
What is found is the same.
"""

import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from string import ascii_lowercase, ascii_uppercase, digits, hexdigits

import numpy as np
from numpy.typing import NDArray

from aloi.solutions.stretches import MANY, OUT, Marks, Stretches

# Nothing shorter is decoded.
LEAST = 12
# More runs than these are decoded at once.
_FEW = 64
# A line of a wrapped base64 block is at least so long; without that bound, words on lines would be joined.
_LINE = 40
_BASE64 = re.compile(rf"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/]{{{_LINE},}}+\r?\n)*[A-Za-z0-9+/_-]{{{LEAST},}}+={{0,2}}")
_HEX = re.compile(r"[0-9a-fA-F]{2}(?:[ :,;-]?+(?:0x|\\x|\\u00|%)?+[0-9a-fA-F]{2}){5,}+")
# In the order of their values (RFC 4648, section 4); "-" and "_" are the last two in addresses (section 5).
_SIGNS = ascii_uppercase + ascii_lowercase + digits + "+/"
_NO_SIGN = 64
_VALUES = np.full(256, _NO_SIGN, np.uint8)
for _value, _sign in [*enumerate(_SIGNS), (62, "-"), (63, "_")]:
    _VALUES[ord(_sign)] = _value
_IN_BASE64 = Stretches(f"{_SIGNS}-_".encode(), LEAST)
_IN_HEX = Stretches((hexdigits + " :,;-%x\\u").encode(), LEAST)
_DIGIT = b"0"
_HEX_DIGITS = Marks({_DIGIT: hexdigits.encode()})
_CUT = re.compile(r"[A-Za-z0-9+/_-]+")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX_MARKS = str.maketrans("", "", " :,;-%")
# Controls that no text has.
_ODD = "\0\1\2\3\4\5\6\7\x08"
_Bytes = NDArray[np.uint8]
_Flags = NDArray[np.bool_]
_Places = NDArray[np.intp]
_Span = tuple[int, int]
# Where a run begins and ends in a text, and what it says.
Run = tuple[int, int, str]


def runs(text: str, low: int = 0) -> Iterator[_Span]:
    """Spans from `low` on of what is decoded as a whole and may hold blanks, whether or not that can be read."""
    yield from _base64_spans(text, low)
    yield from _hex_spans(text, low)


def base64_runs(text: str) -> list[Run]:
    """Those of base64 that can be read, in the standard alphabet or that for addresses, also wrapped in lines."""
    if _IN_BASE64.are_more(text, _FEW):
        return _many_base64(text)
    return _read(text, _base64_one_by_one(text, 0), _one_base64)


def hex_runs(text: str) -> list[Run]:
    """Those that can be read of hexadecimal digits, in pairs that one mark may part."""
    spans = list(_hex_spans(text, 0))
    return _many_hex(text, spans) if len(spans) > _FEW else _read(text, spans, _one_hex)


def _base64_spans(text: str, low: int) -> Iterator[_Span]:
    if not _IN_BASE64.are_more(text, _FEW, low):
        return _base64_one_by_one(text, low)
    lows, highs, _, _ = _base64_in(text, low)
    return zip(lows.tolist(), highs.tolist(), strict=True)


def _base64_one_by_one(text: str, low: int) -> Iterator[_Span]:
    done = low
    for start, _ in _IN_BASE64.of(text, low):
        if start >= done and (match := _BASE64.match(text, start)):  # it may go on over lines
            done = match.end()
            yield start, done


def _hex_spans(text: str, low: int) -> Iterator[_Span]:
    digits, with_marks = _HEX_DIGITS.of(text), 0
    for start, end in _IN_HEX.of(text, low):
        first, last = digits.find(_DIGIT, start, end), digits.rfind(_DIGIT, start, end) + 1
        if first < 0 or last - first < LEAST:
            continue
        if digits.find(OUT, first, last) < 0:
            yield first, last - (last - first) % 2
            continue
        with_marks += 1
        if with_marks > MANY:
            yield from (match.span() for match in _HEX.finditer(text, start))
            return
        yield from (match.span() for match in _HEX.finditer(text, start, end))


def _readable(raw: bytes) -> str | None:
    """The bytes as text, or None where they are not text: binary data decodes to noise that no rule should read."""
    text = raw.decode("utf-8", errors="replace")
    if raw.isascii() and text.isprintable():
        return text or None
    noise = text.count("\ufffd")
    if noise * 8 <= len(text) and not text.isprintable():
        noise += sum(map(text.count, _ODD))
    return text if text and noise * 8 <= len(text) else None


def _one_base64(encoded: str) -> str | None:
    compact = encoded
    if not encoded.isalnum():
        compact = "".join(encoded.split()).rstrip("=").translate(_URL_SAFE)
    if over := len(compact) % 4:
        compact = compact[:-1] if over == 1 else compact + "=" * (4 - over)
    return _readable(binascii.a2b_base64(compact))


def _digits(encoded: str) -> str:
    """Hexadecimal digits without the marks between them."""
    plain = encoded.translate(_HEX_MARKS)
    for mark in ("0x", "\\x", "\\u00"):
        plain = plain.replace(mark, "")
    return plain


def _one_hex(encoded: str) -> str | None:
    try:
        return _readable(bytes.fromhex(encoded))
    except ValueError:  # there are marks between the digits
        return _readable(bytes.fromhex(_digits(encoded)))


def _read(text: str, spans: Iterable[_Span], decode: Callable[[str], str | None]) -> list[Run]:
    return [(low, high, plain) for low, high in spans if (plain := decode(text[low:high])) is not None]


def _many_hex(text: str, spans: list[_Span]) -> list[Run]:
    parts = _digits("\n".join([text[low:high] for low, high in spans])).split("\n")
    sizes = np.fromiter(map(len, parts), np.intp, len(parts)) // 2
    starts, ends = np.array(spans, np.intp).T
    raw = np.frombuffer(bytes.fromhex("".join(parts)), np.uint8)
    return _legible(starts, ends, raw, np.cumsum(sizes) - sizes, sizes)


def _many_base64(text: str) -> list[Run]:
    lows, highs, sizes, values = _base64_in(text, 0)
    groups = (sizes + 3) // 4
    first = np.cumsum(groups) - groups
    quads = np.zeros(4 * int(groups.sum()), np.uint8)
    quads[np.arange(len(values)) + np.repeat(4 * first - (np.cumsum(sizes) - sizes), sizes)] = values
    a, b, c, d = quads.reshape(-1, 4).T
    raw = np.array((a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d)).T.ravel()
    return _legible(lows, highs, raw, 3 * first, sizes * 3 // 4)


def _bytes(text: str) -> _Bytes:
    """The characters of a text behind a blank and before two, with "?" for what is no ASCII."""
    return np.frombuffer(b" " + text.encode("ascii", "replace") + b"  ", np.uint8)


def _edges(among: _Flags) -> tuple[_Places, _Places]:
    """Where stretches of what is among these begin and end; the first, which is not, is not counted."""
    edges = np.flatnonzero(among[1:] != among[:-1])
    return edges[::2], edges[1::2]


def _counts(among: _Flags, first: _Places, last: _Places) -> NDArray[np.int32]:
    """How many are among each part, from its first place to its last (exclusive)."""
    before = np.zeros(len(among) + 1, np.int32)
    np.cumsum(among, dtype=np.int32, out=before[1:])
    return before[last] - before[first]


def _base64_in(text: str, low: int) -> tuple[_Places, _Places, _Places, _Bytes]:
    """Where runs begin and end from `low` on, of how many signs each is, and the values of all these."""
    if low and (cut := _CUT.match(text, low - 1)):
        low = cut.end()
    signs = _bytes(text[low:])
    values = _VALUES[signs]
    starts, ends = _edges(values < _NO_SIGN)
    signs, values = signs[1:], values[1:]
    long = ends - starts >= LEAST
    starts, ends = starts[long], ends[long]
    heads = _heads(signs, starts, ends)
    lows, highs = starts[heads], ends[np.concatenate((heads[1:], [len(ends)])) - 1]
    for _ in range(2):
        highs = highs + (signs[highs] == ord("="))
    inside = np.zeros(len(signs), np.int8)
    inside[starts], inside[ends] = 1, -1
    taken = values[np.cumsum(inside, dtype=np.int8).view(bool)]
    return lows + low, highs + low, np.add.reduceat(ends - starts, heads), taken


def _heads(signs: _Bytes, starts: _Places, ends: _Places) -> _Places:
    """Of stretches of signs, those that do not go on with a wrapped line before them."""
    breaks = ends + (signs[ends] == ord("\r"))
    wrapped = (signs[breaks] == ord("\n")) & (ends - starts >= _LINE)
    if not wrapped.any():
        return np.arange(len(starts))
    wrapped &= _counts((signs == ord("-")) | (signs == ord("_")), starts, ends) == 0
    return np.flatnonzero(np.concatenate(([True], ~wrapped[:-1] | (breaks[:-1] + 1 != starts[1:]))))


def _legible(starts: _Places, ends: _Places, raw: _Bytes, first: _Places, sizes: _Places) -> list[Run]:
    """Of runs that are decoded to bytes, each from `first` on, those that can be read.

    What is no text is mostly told by its bytes: those that begin no character, and those that go on with none.
    """
    later, lead = (raw & 0xC0) == 0x80, raw >= 0xC0
    noise = raw < len(_ODD)
    noise[1:] |= later[1:] & ~(later | lead)[:-1]
    noise[:-1] |= lead[:-1] & ~later[1:]
    last = first + sizes
    kept = np.flatnonzero(8 * _counts(noise, first, last) <= sizes)
    plain = _counts((raw < ord(" ")) | (raw > ord("~")), first[kept], last[kept]) == 0
    held = raw.tobytes()
    shown = held.decode("latin-1")
    places = zip(first[kept].tolist(), last[kept].tolist(), plain.tolist(), strict=True)
    texts = [shown[low:high] if is_plain else _readable(held[low:high]) for low, high, is_plain in places]
    found = zip(starts[kept].tolist(), ends[kept].tolist(), texts, strict=True)
    return [(low, high, plain) for low, high, plain in found if plain is not None]
