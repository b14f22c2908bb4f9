"""What two frameworks ask alike, what each asks alone, and which one more piece of evidence would answer most."""

from collections.abc import Iterable
from datetime import date

import msgspec
from msgspec import Struct

from aloi.evidence.records import Coverage
from aloi.standards.coverage import cover_judged
from aloi.standards.frameworks import Framework
from aloi.standards.hub import MEASURED, Hub
from aloi.standards.hub import hub as shipped_hub
from aloi.standards.judging import EvidenceItem, Judgement, State, judge
from aloi.standards.mapping import Relation, Row
from aloi.standards.pack import Freshness, freshness


class Reached(Struct, frozen=True, kw_only=True):
    """One requirement that a control reaches, and how."""

    requirement: str
    relation: Relation


class Shared(Struct, frozen=True, kw_only=True):
    """A control through which both frameworks are answered, and what it reaches in each."""

    control: str
    first: tuple[Reached, ...]
    second: tuple[Reached, ...]


class Gain(Struct, frozen=True, kw_only=True):
    """What it would newly satisfy if the evidence of one control, which is not there yet, spoke for it.

    A control that measuring speaks of would be supported, one that a file shows would have its file: 'partial'.

    `proven` and `begun` (from no evidence to 'partial') are requirements as `framework@edition id`.
    """

    control: str
    proven: tuple[str, ...]
    begun: tuple[str, ...]


class Convergence(Struct, frozen=True, kw_only=True):
    """Two frameworks side by side.

    `only_first` and `only_second` are requirements that no shared control reaches; `gains` are sorted, best first.
    `checked` says whether the texts of the two are to be checked again, where a day was given.
    """

    first: str
    second: str
    shared: tuple[Shared, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    gains: tuple[Gain, ...]
    checked: tuple[Freshness, ...] = ()


def convergence(
    first: Framework,
    second: Framework,
    evidence: Iterable[EvidenceItem] = (),
    *,
    hub: Hub | None = None,
    today: date | None = None,
) -> Convergence:
    """Compare two frameworks through the hub. `evidence` is of one system; without any, gains start from nothing.

    Relations between two requirements are not derived: two that intersect one control need not meet each other.
    """
    hub = hub or shipped_hub()
    reached = [_by_control(one) for one in (first, second)]
    both = [control.id for control in hub.controls if all(control.id in one for one in reached)]
    judgements = judge(hub, evidence)
    return Convergence(
        first=first.pack.key,
        second=second.pack.key,
        shared=tuple(
            Shared(control=name, first=_reached(reached[0][name]), second=_reached(reached[1][name])) for name in both
        ),
        only_first=_alone(first, reached[0], both),
        only_second=_alone(second, reached[1], both),
        gains=_gains((first, second), hub, judgements),
        checked=tuple(freshness(one.pack, today) for one in (first, second)) if today else (),
    )


def _by_control(framework: Framework) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in framework.rows:
        if row.relation != "none":
            found.setdefault(row.subject, []).append(row)
    return found


def _reached(rows: Iterable[Row]) -> tuple[Reached, ...]:
    return tuple(Reached(requirement=row.object, relation=row.relation) for row in rows)


def _alone(framework: Framework, reached: dict[str, list[Row]], both: Iterable[str]) -> tuple[str, ...]:
    met = {row.object for name in both for row in reached[name]}
    return tuple(one.id for one in framework.pack.requirements if one.id not in met)


def _gains(pair: tuple[Framework, Framework], hub: Hub, judgements: dict[str, Judgement]) -> tuple[Gain, ...]:
    frameworks = tuple({one.pack.key: one for one in pair}.values())
    now = {one.pack.key: _states(cover_judged(one, judgements)) for one in frameworks}
    gains = []
    for control in hub.controls:
        if judgements[control.id].state in {"supported", "not met"}:  # where it is not met, a remedy comes first
            continue
        state: State = "supported" if control.proof in MEASURED else "partial"  # a file is there, and nobody read it
        if state == judgements[control.id].state:
            continue
        supposed = {**judgements, control.id: msgspec.structs.replace(judgements[control.id], state=state)}
        then = {one.pack.key: _states(cover_judged(one, supposed)) for one in frameworks}
        changed = [
            (f"{key} {name}", now[key][name], reached)
            for key, states in then.items()
            for name, reached in states.items()
            if reached != now[key][name]
        ]
        proven = tuple(name for name, _, reached in changed if reached == "proven")
        begun = tuple(
            name for name, before, reached in changed if reached == "partial" and before not in {"partial", "not met"}
        )
        if proven or begun:
            gains.append(Gain(control=control.id, proven=proven, begun=begun))
    return tuple(sorted(gains, key=lambda gain: (-len(gain.proven), -len(gain.begun), gain.control)))


def _states(coverage: Coverage) -> dict[str, str]:
    return {item.requirement: item.state for item in coverage.requirements}
