"""Look for texts of 100 kB that take a guard long. CPU time, one thread.

Pieces that mean something to a guard are put together, changed, and kept where they take longer.

    python benchmarks/solutions/guards_search.py [--seconds N] [--seed N]

The search is not a proof: it finds what it finds. Exits 1 where a text takes more than the limit of `guards.py`.
"""

import argparse
import base64
import random
import sys
import time
from collections.abc import Mapping

from msgspec import Struct

from aloi.solutions.guard import Guard
from aloi.system.messages import Message
from benchmarks.solutions.guards import GUARDS, LARGE_MS, PROMPT, SIZE, build, loop, milliseconds, ways

PIECES = (
    *" \n\t.,;:/-_@()[]<>=%&#|+0Aa",
    *(
        "\r\n",
        "12",
        "123456789",
        "12345678901234",
        "5555555555555555",
        "06 12 34 56 78",
        "+33",
        "FR76",
        "iban",
        "SIREN ",
    ),
    *("552 008 443", "1 85 05 2A", "AB-123-CD", "a@a.fr", "a@", "[at]", "[dot]", " (point) ", "1.2.3.4", "::1", "a::b"),
    *("%41", "%2541", "%25252541", "%20", "%40", "%2e", "&#", "&#65;", "&#x41;", "&lt;", "&amp;", "&amp;amp;", "&quot"),
    *("QUJDREVGR0hJSktM", "R0hJ" * 12, "4142434445464748", "41 ", "0x41", "\\x41", b"%2541 a@a.fr".hex()),
    *(
        base64.b64encode(one.encode()).decode()
        for one in ("call 06 12 34 56 78 now", "%41%42 x", "\u00e9\u2026\ufb03 \u6f22")
    ),
    *(
        "\u00e9",
        "\u6f22",
        "\ufb03",
        "\u2026",
        "\u200b",
        "\u202e",
        "\u0430",
        "\ufdfa",
        "\U0001f600",
        "\U000e0041",
        "\ud800",
    ),
    *(
        "www.",
        "http://",
        "https://a.fr",
        "banque-azur.example",
        "hxxp",
        "mailto:",
        "](",
        "![",
        "[a]: ",
        "<img",
        "onload=",
    ),
    *("<a href=", "<script>", "data:", "password", "token=", "AKIA", "-----BEGIN", "eyJ", "azur7731", "kestrel"),
    *("ignore ", "previous ", "instructions", "You are ", "Azur", PROMPT[:30], "word ", "the "),
)
# How texts are put together: pieces again and again, drawn in any order, and both within base64 or hexadecimal digits.
FORMS = ("again", "again", "drawn", "drawn", "words in base64", "base64", "hexadecimal")
CHILDREN, TRIES = 6, 25


class Text(Struct, frozen=True):
    """How a text is made."""

    form: str
    pieces: tuple[str, ...]
    seed: int

    def written(self) -> str:
        whole = "".join(self.pieces)
        raw = whole.encode("utf-8", "replace")
        match self.form:
            case "drawn":
                text = "".join(random.Random(self.seed).choices(self.pieces, k=SIZE))
            case "words in base64":
                text = (base64.b64encode(raw).decode() + " ") * (SIZE // len(raw) + 1)
            case "base64":
                text = base64.b64encode(raw * (SIZE // len(raw) + 1)).decode()
            case "hexadecimal":
                text = (raw * (SIZE // len(raw) + 1)).hex()
            case _:
                text = whole * (SIZE // len(whole) + 1)
        return text[:SIZE]

    def changed(self, draw: random.Random) -> "Text":
        pieces = list(self.pieces)
        for _ in range(draw.choice((1, 1, 2))):
            at = draw.randrange(len(pieces))
            match draw.randrange(4):
                case 0 if len(pieces) > 1:
                    pieces.pop(at)
                case 1:
                    pieces.insert(at, draw.choice(PIECES))
                case 2:
                    pieces[at] = draw.choice(PIECES)
                case _:
                    pieces.insert(at, pieces[at] * draw.choice((1, 2, 20)))
        return Text(self.form if draw.random() < 0.9 else draw.choice(FORMS), tuple(pieces), self.seed)


class Slow(Struct, frozen=True, order=True):
    """The guard that takes longest for a text, what it is asked, and the milliseconds it takes."""

    spent: float
    guard: str
    way: str


def slowest(text: Text, asked: Mapping[str, Guard]) -> Slow:
    message = Message(role="assistant", content=text.written())
    found = Slow(0.0, "", "")
    for name, guard in asked.items():
        for way, work in ways(guard, message).items():
            spent = milliseconds(work, 1, min)
            if spent > found.spent:  # the machine may have been slow meanwhile
                spent = min(spent, milliseconds(work, 2, min))
            found = max(found, Slow(spent, name, way))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_known_args()[0]
    guards = {name: build(name)[0] for name in GUARDS}
    print(f"a million turns of a plain loop: {milliseconds(loop, 5, min):.0f} ms CPU")
    draw, until = random.Random(options.seed), time.monotonic() + options.seconds
    found: list[tuple[Slow, Text]] = []
    while time.monotonic() < until:
        texts = [
            Text(
                draw.choice(FORMS),
                tuple(draw.choices(PIECES, k=draw.choice((1, 2, 3, 4, 6, 10)))),
                draw.randrange(2**30),
            )
            for _ in range(CHILDREN)
        ]
        best = max(((slowest(text, guards), text) for text in texts), key=lambda one: one[0])
        for _ in range(TRIES):
            if time.monotonic() > until:
                break
            other = best[1].changed(draw)
            best = max(best, (slowest(other, guards), other), key=lambda one: one[0])
        found.append(best)
    again = [
        (
            milliseconds(
                ways(guards[slow.guard], Message(role="assistant", content=text.written()))[slow.way], 15, min
            ),
            slow,
            text,
        )
        for slow, text in found
    ]
    print(f"slowest text of each of {len(found)} climbs, ms CPU, best of 15; limit {LARGE_MS}")
    for spent, slow, text in sorted(again, key=lambda one: -one[0])[:20]:
        print(f"  {spent:6.1f} {slow.guard:22}{slow.way:8}{text.form:16}{''.join(text.pieces)[:60]!r}")
    over = sum(spent > LARGE_MS for spent, _, _ in again)
    print(f"{over} of {len(again)} above {LARGE_MS:.0f}")
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
