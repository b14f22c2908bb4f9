"""A gateway's record, read once: for each set of guards what was counted, what its guards did, and what people say."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from aloi.assurance.monitoring.labels import Word
from aloi.errors import AskerError
from aloi.solutions.gateway.journal import BEGINNING, Range, read
from aloi.solutions.gateway.kept import Counted, Decided, Exchanged, Guards, Kept, seconds_of
from aloi.translation import N_

DECIDED = ("blocked", "changed")  # outcomes of which each exchange has a line


class Batch(NamedTuple):
    """Exchanges that were counted together: how many ended behind the guards, and were blocked, until `at`."""

    since: float
    at: float
    screened: int
    blocked: int


@dataclass
class Served:
    """What one set of guards did before one system.

    `acts` counts exchanges by guard, role and action; `blocks` and `samples` what people said of such exchanges.
    """

    guards: Guards
    batches: list[Batch] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    took: Counter[str] = field(default_factory=Counter)
    acts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    blocks: Counter[Word] = field(default_factory=Counter)
    samples: Counter[Word] = field(default_factory=Counter)
    missed: int = 0
    uncounted: int = 0
    texts: bool = False
    _pending: dict[str, list[Decided]] = field(default_factory=dict)

    def seconds(self, share: float) -> float:
        """The time within which guards were done for this share of the exchanges that they read."""
        reached, wanted = 0, share * self.took.total()
        for which in sorted(self.took, key=int):
            reached += self.took[which]
            if reached >= wanted:
                return seconds_of(which)
        return 0.0

    def decide(self, line: Decided) -> None:
        """An exchange with a line of its own; the next counts count it."""
        if line.outcome in DECIDED:
            self._pending.setdefault(line.outcome, []).append(line)

    def count(self, line: Counted) -> None:
        """Counts, and which of the decisions before they speak of: of more than they count, the last.

        Earlier ones were decided by a process that was ended before it could count them.
        """
        pending, self._pending = self._pending, {}
        for outcome, decided in pending.items():
            own = min(len(decided), line.counts.get(outcome, 0))
            self.uncounted += len(decided) - own
            for one in decided[len(decided) - own :]:
                self.acts.update({(act.guard, act.role, act.action) for act in one.decisions})
        self.counts.update(line.counts)
        self.took.update(line.took)
        self.missed += line.missed
        screened = sum(line.counts.get(one, 0) for one in ("answered", *DECIDED))
        self.batches.append(Batch(line.since, line.at, screened, line.counts.get("blocked", 0)))

    def end(self) -> None:
        """The record ends: what was decided since the last counts is counted nowhere."""
        self.uncounted += sum(map(len, self._pending.values()))
        self._pending = {}

    def leave_out(self) -> None:
        """What came before is not all that the counts at hand speak of: neither is taken."""
        self._pending = {}


class Traffic(NamedTuple):
    """A record that was read. `others` names systems that it also tells of, `nameless` counts lines of guards that no
    line describes, `unknown` the labels of exchanges that it does not hold."""

    range: Range
    served: tuple[Served, ...]
    others: tuple[str, ...]
    nameless: int
    unknown: int

    @property
    def whole(self) -> bool:
        """Whether nothing was removed before its first line."""
        return self.range.first == BEGINNING


def read_traffic(folder: Path, system: str, labels: Mapping[str, Word]) -> Traffic:
    """What the record in `folder` tells of the system of this name, with people's words by the exchange's id.

    Raises AskerError where it tells nothing of it, and as `journal.read`.
    """
    reading = _Reading(labels)
    told = read(folder, reading.take)
    served = tuple(one for one in reading.served.values() if one.guards.system == system)
    for one in served:
        one.end()
    others = tuple(sorted({one.guards.system for one in reading.served.values()} - {system}))
    found = tuple(one for one in served if one.counts)
    if served and not found:
        raise AskerError(
            N_("{folder} tells of exchanges of {system} and counts none: {uncounted} decisions are not counted"),
            remedy=N_(
                "measure again after a minute of traffic; a gateway counts soon after its first exchange, then once a"
                " minute, and when it ends: one that was killed before that has counted none"
            ),
            folder=folder,
            system=system,
            uncounted=sum(one.uncounted for one in served),
        )
    if not found:
        raise AskerError(
            N_("{folder} counts no exchange of {system}; it tells of {others}"),
            remedy=N_("name the system whose gateway wrote it"),
            folder=folder,
            system=system,
            others=", ".join(others) or "-",
        )
    return Traffic(told, found, others, reading.nameless, len(labels) - len(reading.labelled))


class _Reading:
    """Takes in one line after the other."""

    def __init__(self, labels: Mapping[str, Word]) -> None:
        self.served: dict[tuple[str, str], Served] = {}
        self.nameless = 0
        self.labelled: set[str] = set()
        self._labels = labels
        self._now: dict[str, Served] = {}
        self._whole: bool | None = None
        self._begun: set[str] = set()

    def take(self, line: Kept) -> None:
        if self._whole is None:
            self._whole = line.before == BEGINNING
        if isinstance(line, Guards):
            key = (line.guard_set, line.fingerprint)
            self._now[line.guard_set] = self.served.setdefault(key, Served(line))
            return
        served = self._now.get(line.guard_set)
        if served is None:
            self.nameless += 1
        elif not isinstance(line, Counted):
            self._exchange(served, line)
        elif self._whole or line.guard_set in self._begun:
            served.count(line)
        else:  # where earlier lines were removed the first counts speak of some of them
            served.leave_out()
            self._begun.add(line.guard_set)

    def _exchange(self, served: Served, line: Exchanged) -> None:
        served.texts = served.texts or bool(line.asked)
        word = self._labels.get(line.id)
        if isinstance(line, Decided):
            served.decide(line)
        if word is not None and line.id not in self.labelled:
            self.labelled.add(line.id)
            if line.outcome == "blocked":
                served.blocks[word] += 1
            elif not isinstance(line, Decided):
                served.samples[word] += 1
