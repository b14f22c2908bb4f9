"""Records of traffic with a known truth: minutes of exchanges at given rates, written as a gateway writes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aloi.evidence.guardset import guard_set
from aloi.evidence.records import RemedyIdentity
from aloi.solutions.gateway.journal import Journal
from aloi.solutions.gateway.kept import Counted, Decided, Guards, Kept, Sampled
from aloi.system.messages import GuardDecision

BEGAN = 1_793_000_000
REMEDIES = (
    RemedyIdentity(name="secret-filter", version="3", digest="sha256:" + "3" * 64),
    RemedyIdentity(name="link-policy", version="2", digest="sha256:" + "2" * 64),
)
SET = guard_set(REMEDIES)
FINGERPRINT = "sha256:" + "5" * 64


def guards(system: str = "banque-azur", remedies: tuple[RemedyIdentity, ...] = REMEDIES, at: float = BEGAN) -> Guards:
    return Guards(at=at, system=system, fingerprint=FINGERPRINT, guard_set=guard_set(remedies), remedies=remedies)


def decided(name: str, at: float, outcome: str = "blocked", of: str = SET, **changes: object) -> Decided:
    guard, action = ("secret-filter", "block") if outcome == "blocked" else ("link-policy", "rewrite")
    act = GuardDecision(guard=guard, role="assistant", action=action, reason="r")  # type: ignore[arg-type] # as above
    fields: dict[str, object] = {"decisions": (act,), "guard_seconds": 0.003}
    return Decided(
        at=at, id=name, key="shop", endpoint="/v1/messages", guard_set=of, outcome=outcome, **(fields | changes)
    )  # type: ignore[arg-type] # a test names only what it changes


def sampled(name: str, at: float) -> Sampled:
    return Sampled(at=at, id=name, key="shop", endpoint="/v1/messages", guard_set=SET, outcome="answered")


def minute(number: int, counts: dict[str, int], of: str = SET, **changes: object) -> Counted:
    at = BEGAN + 60.0 * number
    return Counted(at=at + 60, since=at, guard_set=of, counts=counts, **changes)  # type: ignore[arg-type] # as above


def write(
    folder: Path, *parts: Sequence[Kept], guards_of: tuple[Guards, ...] = (guards(),), megabytes: int = 64
) -> None:
    """Each part at once, all by one process."""
    journal = Journal(folder, megabytes)
    journal.open()
    for one in guards_of:
        journal.runs_by(one)
    for part in parts:
        journal.write(part)
    journal.close()


def simulated(
    rates: Sequence[float], rng: np.random.Generator, volume: int = 60, first: int = 0, changed: float = 0.0
) -> list[Kept]:
    """A minute for each rate of blocks, with a line for each exchange that guards acted on."""
    lines: list[Kept] = []
    for number, rate in enumerate(rates, start=first):
        drawn = int(rng.poisson(volume))
        blocked, rewritten = int(rng.binomial(drawn, rate)), int(rng.binomial(drawn, changed))
        rewritten = min(rewritten, drawn - blocked)
        at = BEGAN + 60.0 * number
        lines += [decided(f"b{number}-{place}", at) for place in range(blocked)]
        lines += [decided(f"c{number}-{place}", at, "changed") for place in range(rewritten)]
        counts = {"answered": drawn - blocked - rewritten, "blocked": blocked, "changed": rewritten}
        lines.append(minute(number, counts, took={"84": drawn}))
    return lines
