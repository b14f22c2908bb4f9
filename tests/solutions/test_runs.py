"""Many runs of base64 and hexadecimal are decoded at once: what is found is what is found one by one."""

import base64
import random

import pytest

from aloi.solutions import runs as module
from aloi.solutions.runs import base64_runs, hex_runs

WORDS = (
    "kestrel",
    "Pay 06 12 34 56 78 now",
    "caf\u00e9 \u00e0 la cr\u00e8me",
    "\u6f22\u5b57\u6f22\u5b57",
    "a\nb\tc",
    "\0\0",
)


def encoded(draw, encode):
    """The base64, or the hexadecimal digits, of words or of noise."""
    raw = draw.choice(WORDS).encode() if draw.random() < 0.6 else draw.randbytes(draw.randrange(6, 30))
    if draw.random() < 0.3:
        raw += draw.randbytes(draw.randrange(3))
    return encode(raw + draw.choice(WORDS).encode())


def base64_text(draw, size):
    def one():
        written = encoded(draw, draw.choice((base64.b64encode, base64.urlsafe_b64encode))).decode()
        return written[: len(written) - draw.choice((0, 0, 0, 1, 2, 3))]

    lines = ("Q" * 40 + "\n", "R0hJ" * 12 + "\r\n", "-" * 41 + "\n", "abc", "=", "==", "\n", "\u00e9", "\ud800", "_")
    return "".join(f"{one()}{draw.choice((' ', ' ', ', ', *lines))}" for _ in range(size))


def hex_text(draw, size):
    marks = ("", "", " ", ":", "\\x", "\\u00", "%", ",0x", "-")

    def one():
        mark = draw.choice(marks)
        return mark.join(f"{byte:02x}" for byte in encoded(draw, bytes))

    return "".join(f"{one()}{draw.choice((' z ', '; ', 'é', '1.', '.'))}" for _ in range(size))


KINDS = {
    "base64": (base64_text, base64_runs, module._one_base64, module._BASE64),
    "hexadecimal": (hex_text, hex_runs, module._one_hex, module._HEX),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [2, 200])
def test_runs_are_read_at_once_as_one_by_one(kind, size):
    text_of, read, decode, pattern = KINDS[kind]
    draw = random.Random(20261128)
    found = 0
    for _ in range(6_000 // size):
        text = text_of(draw, size)
        wanted = module._read(text, [match.span() for match in pattern.finditer(text)], decode)
        assert read(text) == wanted
        found += len(wanted)
    assert found > 1_500
