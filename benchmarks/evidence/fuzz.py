"""Every parser is given what it does not expect: `make bench BENCH=fuzz`, `ALOI_INPUTS=1000000` for the longer run.

Inputs are made from valid ones by changes of bytes, runs, lines, numbers and tokens, several at once, and from inputs
that were refused for a reason not seen before. A parser may give a value or refuse it; anything else is a crash. What
it gives is written again where the format has one spelling, and must be the same bytes. Then tokens and pairs of them
are repeated to 20,000 bytes at several places of a valid input: a parser whose time grows with more than the length is
slow there. Same seed, same inputs.

`python -m benchmarks.evidence.guided` is guided by coverage, and ends where it finds something.
"""

import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aloi.errors import EvidenceError
from benchmarks.bars import bar
from benchmarks.evidence.parsers import PARSERS, REFUSALS, Parser

INPUTS = int(os.environ.get("ALOI_INPUTS", "100000"))
SEED = 20261128
KEPT = 300
LONG = 20_000
SLOW = 1.0  # seconds of CPU time for one input
JSON = [b'"', b"\\", *(bytes([each]) for each in b"{}[]:,"), b"null", b"true", b"NaN", b"1e999", b"-0", b"0.5"]
ESCAPES = [b"\\u0000", b"\\ud800", b"\xff", b"\0", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xc2\xa0", b"\xd9\xa1"]
LINES = [b"\n", b"\n\n", b"\r\n", b"\t", b" ", b"  ", b"\xe2\x80\x94 ", b"../", b"%", b"sha256:"]
NUMBERS = [b"0", b"00", b"-1", b"+1", b"18446744073709551616", b"9223372036854775807", b"9223372036854775808"]
BASE64 = [b"=", b"==", b"AAAA", b"-_", b"+", b"/"]
DEEP = [b'{"x":', b'{"a":[']
YAML = [b"*a", b"&a ", b"!!python/object:os.system", b"- ", b"? ", b"<<: "]
TOKENS = [*JSON, *ESCAPES, *LINES, *NUMBERS, *BASE64, *DEEP, *YAML]


class Outcome(NamedTuple):
    """What became of the inputs of one parser; `crashes` and `respelt` are inputs, and there must be none."""

    read: int
    refused: Counter[str]
    crashes: list[tuple[bytes, str]]
    respelt: list[bytes]
    slowest: float


def changed(data: bytes, seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """The input with one to six changes."""
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        place, length = draw.randrange(len(data) + 1), draw.choice((1, 1, 2, 4, 16, 64, 400))
        match draw.randrange(10):
            case 0 | 1 if data:
                at = draw.randrange(len(data))
                data = data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
            case 2:
                data = data[:place] + draw.randbytes(min(length, 16)) + data[place:]
            case 3 | 4:
                data = data[:place] + draw.choice(TOKENS) + data[place + draw.choice((0, 1, length)) :]
            case 5:
                data = data[:place] + data[place + length :]
            case 6:
                data = data[:place] + data[place : place + length] * draw.choice((2, 2, 3, 40)) + data[place + length :]
            case 7:
                other = draw.choice(seeds)
                start = draw.randrange(len(other) + 1)
                data = data[:place] + other[start : start + length] + data[place + length :]
            case 8:
                lines = data.split(b"\n")
                one, two = draw.randrange(len(lines)), draw.randrange(len(lines))
                lines[one], lines[two] = lines[two], lines[one]
                data = b"\n".join(lines)
            case _:
                data = data[:place] if draw.random() < 0.3 else draw.choice(TOKENS) * draw.choice((1, 30, 300)) + data
    return data


def long_inputs(seeds: Sequence[bytes], share: float, draw: random.Random) -> Iterator[bytes]:
    """Valid inputs with one or two tokens repeated in them, whole and cut off behind."""
    for token in TOKENS:
        for part in (token, token + draw.choice(TOKENS)):
            if draw.random() > share:
                continue
            seed = draw.choice(seeds)
            line = seed.find(b"\n") + 1
            for place in (0, line, len(seed) // 2, draw.randrange(len(seed) + 1), len(seed)):
                run = part * (LONG // len(part))
                yield seed[:place] + run + seed[place:]
                yield seed[:place] + run


def fuzzed(name: str, parser: Parser, count: int) -> Outcome:
    """Give a parser so many inputs."""
    draw, corpus, known = random.Random(f"{SEED} {name}"), list(parser.seeds), set[str]()
    outcome = Outcome(0, Counter(), [], [], 0.0)
    read, slowest = 0, 0.0
    inputs = (changed(draw.choice(corpus), corpus, draw) for _ in range(count))
    for data in itertools.chain(parser.seeds, inputs, long_inputs(parser.seeds, parser.share, draw)):
        start = time.thread_time()
        try:
            value = parser.parse(data)
        except REFUSALS as error:
            reason = error.reason if isinstance(error, EvidenceError) else type(error).__name__
            outcome.refused[reason] += 1
            if reason not in known and len(corpus) < KEPT and len(data) < 20_000:
                known.add(reason)
                corpus.append(data)
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            outcome.crashes.append((data, f"{type(error).__name__}: {error}"))
        else:
            read += 1
            if parser.write and parser.write(value) != data:
                outcome.respelt.append(data)
        slowest = max(slowest, time.thread_time() - start)
    return outcome._replace(read=read, slowest=slowest)


def main() -> None:
    """Print what became of the inputs, parser by parser."""
    whole = sum(parser.share for parser in PARSERS.values())
    total = crashes = respelt = 0
    slowest = 0.0
    start = time.process_time()
    print(f"{'parser':<20}{'inputs':>9}{'read':>8}{'reasons':>9}{'crashes':>9}{'respelt':>9}{'slowest':>11}")
    for name, parser in PARSERS.items():
        count = round(INPUTS * parser.share / whole) + 1
        outcome = fuzzed(name, parser, count)
        given = outcome.read + outcome.refused.total() + len(outcome.crashes)
        print(
            f"{name:<20}{given:>9,}{outcome.read:>8,}{len(outcome.refused):>9}{len(outcome.crashes):>9}"
            f"{len(outcome.respelt):>9}{1000 * outcome.slowest:>8.1f} ms"
        )
        for data, problem in outcome.crashes[:3]:
            print(f"  CRASH {problem}: {data[:200]!r}")
        for data in outcome.respelt[:3]:
            print(f"  RESPELT {data[:200]!r}")
        total += given
        crashes, respelt = crashes + len(outcome.crashes), respelt + len(outcome.respelt)
        slowest = max(slowest, outcome.slowest)
    print(f"{time.process_time() - start:.0f} s of CPU time")
    bar("inputs given to parsers", f"{total:,}", f">= {INPUTS:,}", met=total >= INPUTS)
    bar("inputs that crash a parser", str(crashes), "0", met=crashes == 0)
    bar("inputs read whose value is written otherwise", str(respelt), "0", met=respelt == 0)
    bar("slowest input", f"{1000 * slowest:.0f} ms", f"<= {1000 * SLOW:.0f} ms", met=slowest <= SLOW)


if __name__ == "__main__":
    main()
