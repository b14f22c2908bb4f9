"""What binds this system, this role, on this day, and how sure that is."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from typing import Any, Literal, get_args

from msgspec import Struct, structs

from aloi.standards.applicability import Applicability, OpenPoint, Provision
from aloi.system.regulation import Circumstances, LegalClass, LegalRole, Practice

Input = Literal["placed", "redesigned", "public_authorities", "annex_x", Practice]
INPUTS: tuple[Input, ...] = get_args(Input)
Status = Literal["binds", "contested", "not yet", "spared", "unknown"]


class Situation(Circumstances, frozen=True, kw_only=True):
    """Role, class and day, and the circumstances; what one that is not known would change is said."""

    roles: tuple[LegalRole, ...]
    classes: tuple[LegalClass, ...]
    day: date


class Applies(Struct, frozen=True, kw_only=True):
    """Where one provision stands for a situation.

    'binds' from `since`; 'not yet', but from `since`; 'spared' as an older system that nothing reaches; 'contested'
    where the literal date has passed and the operative one, a reading, has not; 'unknown' until `missing` is answered.
    """

    provision: Provision
    status: Status
    since: date | None = None
    missing: tuple[Input, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """Every provision that concerns a situation, in the order of the law, and the open points that touch it.

    `context` holds those that ask nothing of anybody: fines, entry into force, transitions.
    """

    law: str
    situation: Situation
    provisions: tuple[Applies, ...]
    open_points: tuple[OpenPoint, ...]
    context: tuple[Applies, ...] = ()

    def binding(self) -> tuple[Applies, ...]:
        """The duties that bind on the day; classifications and permissions apply without binding."""
        return tuple(found for found in self.provisions if found.status == "binds" and found.provision.kind == "duty")


def applies(table: Applicability, situation: Situation) -> Answer:
    """Which provisions concern a situation on its day. Those that only give context stand apart.

    1. A provision concerns a system by role, by class and by what the system does; a class that the law takes out of
       its general rules is concerned only by provisions that name it.
    2. It binds from its operative day, which is the literal day where nothing else is written or inferred.
    3. An older system follows the transition of the provision. Where an answer hangs on an input that is not known,
       the status is 'unknown' and the input is named; it is never guessed.
    """
    looked_at = (_applies(table, provision, situation) for provision in _concerned(table, situation))
    concerned = tuple(item for item in looked_at if item is not None)
    found = tuple(item for item in concerned if item.provision.kind != "context")
    context = tuple(item for item in concerned if item.provision.kind == "context")
    named = {point for item in found for point in item.provision.open_points}
    # Two routes to high risk, each with its own date, and no rule for the tie.
    if {"hr-annex3", "hr-annex1-A"} <= set(situation.classes):
        named.add("two-routes")
    if set(table.exclusive) & set(situation.classes):
        named.add("annex1-b")
    large, placed = table.large_scale, situation.placed
    if situation.annex_x and large and (placed is None or placed < large.cut_off):
        named.add("annex-x")
    points = tuple(point for point in table.open_points if point.id in named)
    return Answer(law=table.key, situation=situation, provisions=found, open_points=points, context=context)


def _concerned(table: Applicability, situation: Situation) -> Iterator[Provision]:
    classes = set(situation.classes)
    exclusive = classes & set(table.exclusive)
    for provision in table.provisions:
        does = any(getattr(situation, practice) for practice in provision.concerns)
        by_class = does or classes & set(provision.systems) or "all" in provision.systems
        if exclusive:
            by_class = exclusive & set(provision.systems)
        by_role = "all" in provision.binds or set(situation.roles) & set(provision.binds)
        if by_class and by_role:
            yield provision


class _Unconcerned:
    """The provision is written for other systems: of another age, for public authorities, or that do other things."""


_Start = date | None | type[_Unconcerned]


def _start(table: Applicability, provision: Provision, known: Situation) -> _Start:
    """The day from which a provision binds a system, None for never; all that it hangs on is `known`."""
    transition = provision.transition
    if not _written_for(provision, known):
        return _Unconcerned
    if transition is None or transition.rule in {"only-older", "only-newer"}:
        return provision.operative
    redesign = transition.rule == "redesign"
    if redesign and known.annex_x and table.large_scale and _older(known, table.large_scale.cut_off):
        return table.large_scale.until
    if not _older(known, transition.cut_off) or (redesign and known.redesigned):
        return provision.operative
    return transition.until if known.public_authorities or not redesign else None


def _written_for(provision: Provision, known: Situation) -> bool:
    """Whether a provision speaks of such a system at all."""
    if provision.public_only and not known.public_authorities:
        return False
    if provision.concerns and not any(getattr(known, practice) for practice in provision.concerns):
        return False
    transition = provision.transition
    if transition is None or transition.rule not in {"only-older", "only-newer"}:
        return True
    return _older(known, transition.cut_off) == (transition.rule == "only-older")


def _older(known: Situation, cut_off: date) -> bool:
    assert known.placed
    return known.placed < cut_off


def _applies(table: Applicability, provision: Provision, situation: Situation) -> Applies | None:
    open_ = _open(table, provision, situation)
    starts = {choice: _start(table, provision, known) for choice, known in _known(open_, situation)}
    statuses = {choice: _status(provision, start, situation.day) for choice, start in starts.items()}
    if len(set(statuses.values())) > 1:
        return Applies(provision=provision, status="unknown", missing=tuple(_deciding(tuple(open_), statuses)))
    status = next(iter(statuses.values()))
    if status is None:
        return None
    days = set(starts.values())
    since = days.pop() if len(days) == 1 else None
    return Applies(provision=provision, status=status, since=since if isinstance(since, date) else None)


def _open(table: Applicability, provision: Provision, situation: Situation) -> dict[Input, tuple[object, ...]]:
    """The inputs that a provision looks at and nobody gave, each with one value for every way it can go."""
    looked_at: dict[Input, tuple[object, ...]] = dict.fromkeys(provision.concerns, (False, True))
    transition = provision.transition
    if transition is not None:
        cut_offs = {transition.cut_off}
        if transition.rule == "redesign":
            looked_at |= dict.fromkeys(("redesigned", "public_authorities", "annex_x"), (False, True))
            cut_offs |= {table.large_scale.cut_off} if table.large_scale else set()
        looked_at["placed"] = (min(cut_offs) - timedelta(days=1), *sorted(cut_offs))
    if provision.public_only:
        looked_at["public_authorities"] = (False, True)
    return {name: looked_at[name] for name in INPUTS if name in looked_at and getattr(situation, name) is None}


def _known(
    open_: dict[Input, tuple[object, ...]], situation: Situation
) -> Iterator[tuple[tuple[object, ...], Situation]]:
    """The situation with every choice of what is open."""
    for choice in product(*open_.values()):
        given: dict[str, Any] = dict(zip(open_, choice, strict=True))
        yield choice, structs.replace(situation, **given) if given else situation


def _status(provision: Provision, start: _Start, day: date) -> Status | None:
    if start is _Unconcerned:
        return None
    if isinstance(start, date) and day >= start:
        return "binds"
    if day >= provision.operative:
        return "not yet" if isinstance(start, date) else "spared"
    return "contested" if provision.basis == "reading" and day >= provision.applies_from else "not yet"


def _deciding(names: tuple[Input, ...], statuses: dict[tuple[object, ...], Status | None]) -> Iterator[Input]:
    """The inputs that change the status while the others stay."""
    for i, name in enumerate(names):
        beside: dict[tuple[object, ...], set[Status | None]] = {}
        for choice, status in statuses.items():
            beside.setdefault((*choice[:i], *choice[i + 1 :]), set()).add(status)
        if any(len(found) > 1 for found in beside.values()):
            yield name


class Change(Struct, frozen=True, kw_only=True):
    """What a day to come brings: provisions that start to bind, those that may, and transitions that end.

    A provision *may* start where several days are possible as long as an input is missing.
    """

    day: date
    start: tuple[Provision, ...] = ()
    may_start: tuple[Provision, ...] = ()
    end: tuple[Provision, ...] = ()


def calendar(table: Applicability, after: date, situation: Situation | None = None) -> tuple[Change, ...]:
    """The days after `after` on which something changes, the nearest first: for a situation, or for anybody.

    In a situation nothing is told of a provision that can no longer change for it.
    """
    concerned = table.provisions if situation is None else _concerned(table, situation)
    active = [provision for provision in concerned if provision.kind != "context"]
    starts = {provision.id: _starts(table, provision, situation) for provision in active}
    ends = {provision.id: _ends(table, provision) for provision in active}
    if situation is not None:
        ends = {name: found & starts[name] for name, found in ends.items()}
    days = {day for found in (*starts.values(), *ends.values()) for day in found if day}
    return tuple(
        Change(
            day=day,
            start=tuple(one for one in active if starts[one.id] == {day}),
            may_start=tuple(one for one in active if day in starts[one.id] != {day}),
            end=tuple(one for one in active if day in ends[one.id]),
        )
        for day in sorted(days)
        if day > after
    )


def _starts(table: Applicability, provision: Provision, situation: Situation | None) -> set[date | None]:
    """The days on which it starts to bind, None for never: one of them, or several where an input is missing."""
    if situation is None:
        return {provision.operative}
    found = (_start(table, provision, known) for _, known in _known(_open(table, provision, situation), situation))
    return {start if isinstance(start, date) else None for start in found}


def _ends(table: Applicability, provision: Provision) -> set[date | None]:
    """The days transitions end; a provision written for older systems alone ends their grace when it starts."""
    transition = provision.transition
    if transition is None:
        return set()
    if transition.rule == "only-older":
        return {provision.operative}
    large = table.large_scale if transition.rule == "redesign" else None
    return {end for end in (transition.until, large.until if large else None) if end}
