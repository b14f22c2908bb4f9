"""The tamper suite: what is changed after it was signed is refused, each time for a reason with a name.

`make bench BENCH=tamper`. First mutants: of each kind of file, copies with some bytes changed, put in, taken out,
doubled, exchanged or cut off, are given to its verifier. Then attacks that know what they are doing: the tables that
the tests hold, gathered from where they stand. `ALOI_MUTANTS=20000` makes more mutants of each kind.

A mutant that verifies and says exactly what the original says (a space more in an envelope's JSON, a line by a key that
nobody knows) is counted by itself; one that says anything else is *accepted*, and there must be none.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from aloi.errors import EvidenceError
from benchmarks.bars import bar

TESTS = Path(__file__).parents[2] / "tests"
sys.path[:0] = [str(TESTS / "evidence"), str(TESTS)]

from benchmarks.evidence import tampering  # noqa: E402 - it reads the tables of the tests, whose folders stand above

MUTANTS = int(os.environ.get("ALOI_MUTANTS", "2000"))
SEED = 20261128


class Outcome(NamedTuple):
    """Of the mutants of one file: for which reasons they were refused, how many said the same, what was accepted."""

    refused: Counter[str]
    same: int
    accepted: list[bytes]


def mutants(data: bytes, span: range, count: int, draw: random.Random) -> Iterator[bytes]:
    """Copies of `data` that differ from it, changed at places of `span`."""
    made = 0
    while made < count:
        place = draw.choice(span)
        length = draw.choice((1, 1, 1, 2, 4, 44))
        other = draw.choice(span)
        match draw.randrange(8):
            case 0 | 1:
                changed = data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
            case 2:
                changed = data[:place] + bytes([draw.randrange(256)]) + data[place + 1 :]
            case 3:
                changed = data[:place] + data[place + length :]
            case 4:
                changed = data[:place] + data[place : place + length] + data[place:]
            case 5:
                changed = data[:place] + bytes([draw.randrange(256)]) + data[place:]
            case 6:
                changed = data[:place] + data[other : other + length] + data[place + length :]
            case _:
                changed = data[:place]
        if changed != data:
            made += 1
            yield changed


def tampered(artefact: tampering.Artefact, count: int) -> Outcome:
    """Give mutants to the verifier. What it raises beside EvidenceError ends everything."""
    honest = artefact.verify(artefact.data)
    outcome = Outcome(Counter(), 0, [])
    same = 0
    for changed in mutants(artefact.data, artefact.span, count, random.Random(f"{SEED} {artefact.name}")):
        try:
            told = artefact.verify(changed)
        except EvidenceError as error:
            outcome.refused[error.reason] += 1
            continue
        if told == honest:
            same += 1
        else:
            outcome.accepted.append(changed)
    return outcome._replace(same=same)


def attacked(attack: tampering.Attack) -> str:
    """The reason for which an attack is refused; empty where it is not."""
    try:
        attack.attempt()
    except EvidenceError as error:
        return error.reason
    return ""


def main() -> None:
    """Print both tables."""
    start = time.process_time()
    total, accepted = _mutants()
    attacks, wrong = _attacks()
    print(f"{time.process_time() - start:.0f} s of CPU time")
    bar("mutants given to verifiers", f"{total:,}", ">= 10,000", met=total >= 10_000)
    bar("mutants accepted", str(accepted), "0", met=accepted == 0)
    bar("attacks with a meaning", str(attacks), ">= 40", met=attacks >= 40)
    bar("attacks accepted, or refused for another reason", str(wrong), "0", met=wrong == 0)


def _mutants() -> tuple[int, int]:
    total = accepted = 0
    print(f"{'file':<24}{'bytes':>7}{'mutants':>9}{'refused':>9}{'the same':>9}{'accepted':>9}  most frequent reasons")
    for artefact in tampering.artefacts():
        outcome = tampered(artefact, MUTANTS)
        reasons = ", ".join(f"{reason} {count}" for reason, count in outcome.refused.most_common(4))
        print(
            f"{artefact.name:<24}{len(artefact.span):>7}{MUTANTS:>9}{outcome.refused.total():>9}"
            f"{outcome.same:>9}{len(outcome.accepted):>9}  {reasons}"
        )
        total += MUTANTS
        accepted += len(outcome.accepted)
    return total, accepted


def _attacks() -> tuple[int, int]:
    tried: Counter[str] = Counter()
    reasons: dict[str, set[str]] = {}
    wrong = 0
    for attack in tampering.attacks():
        found = attacked(attack)
        tried[attack.kind] += 1
        reasons.setdefault(attack.kind, set()).add(found)
        if found != attack.reason:
            wrong += 1
            print(f"NOT REFUSED AS IT SHOULD: {attack.kind}, {attack.name}: {found or 'accepted'}, not {attack.reason}")
    print(f"\n{'attacks on':<40}{'tried':>7}{'reasons':>9}")
    for kind, count in tried.items():
        print(f"{kind:<40}{count:>7}{len(reasons[kind]):>9}")
    return tried.total(), wrong


if __name__ == "__main__":
    main()
