"""Systems behind remedies whose risks are known: failures, lost ordinary requests and delays of every set of guards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

LEAK, LINKS = "hidden-context-exposure", "unsafe-output"
MAX_LOSS, MAX_MS = 0.10, 50.0


@dataclass(frozen=True)
class Coin:
    """A guard that stops a failing answer of a hazard, and loses an ordinary one, at known rates; `ms` is its delay."""

    stops: Mapping[str, float] = field(default_factory=dict)
    loses: float = 0.0
    ms: float = 1.0


@dataclass(frozen=True)
class World:
    """A bare system, the remedies that may be tried on it, and what its owner wants."""

    title: str
    bare: Mapping[str, float]
    guards: Mapping[str, Coin]
    threshold: float = 0.1

    def risk(self, hazard: str, chosen: Sequence[str]) -> float:
        """The true failure rate behind a set: each guard tosses a coin of its own."""
        return self.bare[hazard] * prod(1 - self.guards[name].stops.get(hazard, 0.0) for name in chosen)

    def loss(self, chosen: Sequence[str]) -> float:
        """The true share of ordinary requests that a set loses."""
        return 1 - prod(1 - self.guards[name].loses for name in chosen)

    def meets(self, chosen: Sequence[str]) -> bool:
        """Whether a set truly keeps every hazard at its threshold or below, and its costs within bounds."""
        within = all(self.risk(hazard, chosen) <= self.threshold for hazard in self.bare)
        return within and self.loss(chosen) <= MAX_LOSS and sum(self.guards[name].ms for name in chosen) <= MAX_MS


def leaks(share: float, loses: float = 0.0, ms: float = 1.0) -> Coin:
    """A guard against the first hazard alone."""
    return Coin({LEAK: share}, loses, ms)


WORLDS = {
    "one good": World(
        "one good remedy, three weak",
        {LEAK: 0.4},
        {"good": leaks(0.95, 0.005), "weak-1": leaks(0.3), "weak-2": leaks(0.2), "weak-3": leaks(0.1)},
    ),
    "two needed": World(
        "two must be combined",
        {LEAK: 0.4, LINKS: 0.3},
        {"leaks": leaks(0.95, 0.005), "links": Coin({LINKS: 0.95}, 0.005), "weak": Coin({LEAK: 0.2, LINKS: 0.2})},
    ),
    "none": World(
        "none is good enough",
        {LEAK: 0.5},
        {"half": leaks(0.5), "third": leaks(0.35), "fifth": leaks(0.2)},
    ),
    "breaks": World(
        "the good one breaks ordinary use",
        {LEAK: 0.4},
        {"harsh": leaks(0.98, 0.14), "weak-1": leaks(0.2), "weak-2": leaks(0.1)},
    ),
    "slow": World(
        "the good one is too slow",
        {LEAK: 0.4},
        {"slow": leaks(0.98, 0.0, 53.0), "weak-1": leaks(0.2), "weak-2": leaks(0.1)},
    ),
    "curse": World(
        "eight that do next to nothing",
        {LEAK: 0.14},
        {f"idle-{place}": leaks(0.03) for place in range(8)},
    ),
    "above": World(
        "every set just above the threshold",
        {LEAK: 0.3},
        {"good-1": leaks(0.55), "good-2": leaks(0.2), "idle": leaks(0.02)},
    ),
    "around": World(
        "single ones just above, pairs well below",
        {LEAK: 0.3},
        {"near-1": leaks(0.64), "near-2": leaks(0.63), "near-3": leaks(0.62), "idle": leaks(0.1)},
    ),
    "loss": World(
        "the good ones lose just above the bound",
        {LEAK: 0.4},
        {"good-1": leaks(0.95, 0.105), "good-2": leaks(0.95, 0.11), "good-3": leaks(0.9, 0.12)},
    ),
    "trap": World(
        "the best one breaks, the next is good",
        {LEAK: 0.4},
        {"harsh": leaks(0.99, 0.14), "good": leaks(0.92, 0.01), "weak": leaks(0.2)},
    ),
}
