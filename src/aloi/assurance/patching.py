"""Which wordings of a hardened prompt are tried: patches compete hazard by hazard, asked afresh, and the last join.

Successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943): all patches of a hazard are asked on a few of the
pairs, the better half on twice as many, until two are left. These two, and the best patches of all hazards together,
are candidates like any other remedy. What is best of many looks better than it is: the choice is confirmed on fresh
items.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from aloi.assurance.arms import BASE, arm
from aloi.science.asking import Asker, Job
from aloi.science.items import Failed, Passed
from aloi.science.trials import Key, Trial
from aloi.solutions.catalogue import Remedy
from aloi.solutions.hardening.patched import patched
from aloi.solutions.hardening.prompt import patches
from aloi.system.description import SystemDescription
from aloi.system.target import Target

LAST = 2


class Patching:
    """The competition of patches on the selection split of one run.

    `failed` are the recorded failures of each failing hazard, `ordinary` the recorded ordinary requests; `pairs` is how
    many of each a candidate is asked at most.
    """

    def __init__(
        self,
        asker: Asker,
        description: SystemDescription,
        failed: Mapping[str, Sequence[Trial]],
        ordinary: Sequence[Trial],
        pairs: int,
    ) -> None:
        self._asker = asker
        self._description = description
        self._failed = {hazard: list(trials[:pairs]) for hazard, trials in failed.items()}
        self._ordinary = list(ordinary[:pairs])
        self._pairs = pairs
        self._language = "fr" if description.languages[0] == "fr" else "en"

    async def candidates(self, target: Target) -> list[Remedy]:
        """The hardened prompts that are worth weighing against other remedies; none where no patch serves."""
        serving = {hazard: self._serving(hazard) for hazard in sorted(self._failed)}
        left = {hazard: names for hazard, names in serving.items() if names and self._failed[hazard]}
        rounds = max((_rounds(len(names)) for names in left.values()), default=0)
        for place in range(rounds):
            seen = math.ceil(self._pairs / 2 ** (rounds - place))
            await self._asker.ask(self._jobs(left, seen, target), lambda _: None)
            left = {hazard: self._better(hazard, names) for hazard, names in left.items()}
        singles = [(name,) for name in dict.fromkeys(name for names in left.values() for name in names)]
        joined = _ordered([names[0] for names in left.values()])
        if len(joined) == 1:
            joined = _ordered([name for (name,) in singles])
        sets = [*singles, joined] if len(joined) > 1 else singles
        return [patched(names, self._language) for names in sets]

    @staticmethod
    def _serving(hazard: str) -> list[str]:
        return [name for name, hazards in patches().items() if hazard in hazards]

    def _jobs(self, left: Mapping[str, Sequence[str]], seen: int, target: Target) -> Iterator[Job]:
        names = list(dict.fromkeys(name for of in left.values() for name in of))
        remedies = {name: patched([name], self._language) for name in names}
        behind = {name: arm(target, [remedy], self._description) for name, remedy in remedies.items()}
        for hazard, contenders in left.items():
            for trial in self._failed[hazard][:seen]:
                yield Job(Key("select", hazard, BASE, trial.key.index), trial.item, target)
                for name in contenders:
                    key = Key("select", hazard, remedies[name].name, trial.key.index)
                    yield Job(key, trial.item, behind[name])
        for trial in self._ordinary[:seen]:
            for name in names:
                yield Job(Key("select", "benign", remedies[name].name, trial.key.index), trial.item, behind[name])

    def _better(self, hazard: str, names: Sequence[str]) -> list[str]:
        """The better half, the best first, two at the least: by what still fails and what is lost, added up."""
        ranked = sorted(names, key=lambda name: self._harm(hazard, name))
        return ranked[: max(LAST, math.ceil(len(ranked) / 2))]

    def _harm(self, hazard: str, name: str) -> float:
        """The shares of attacks that still work and of ordinary requests that are lost. What was not asked is harm."""
        log, of = self._asker.log, patched([name], self._language).name
        attacked = list(log.trials("select", hazard, of))
        fine = {trial.key.index for trial in self._ordinary if not isinstance(trial.outcome, Failed)}
        ordinary = [trial for trial in log.trials("select", "benign", of) if trial.key.index in fine]
        left = [not isinstance(trial.outcome, Passed) for trial in attacked]
        lost = [not isinstance(trial.outcome, Passed) for trial in ordinary]
        return _share(left, unknown=1.0) + _share(lost, unknown=0.0 if not self._ordinary else 1.0)


def _share(of: Sequence[bool], unknown: float) -> float:
    return sum(of) / len(of) if of else unknown


def _rounds(contenders: int) -> int:
    return max(0, math.ceil(math.log2(contenders / LAST)))


def _ordered(names: Sequence[str]) -> tuple[str, ...]:
    """Each once, as the library lists them: the same set has the same name and digest."""
    return tuple(name for name in patches() if name in names)
