"""What binds this system, this role, on this day, and how sure that is."""

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Literal

from msgspec import Struct

from aloi.standards.applicability import Applicability, OpenPoint, Provision, Transition
from aloi.system.regulation import LegalClass, LegalRole

Input = Literal["placed", "redesigned", "public_authorities"]
INPUTS: tuple[Input, ...] = ("placed", "redesigned", "public_authorities")
Status = Literal["binds", "contested", "not yet", "spared", "unknown"]


class Situation(Struct, frozen=True, kw_only=True):
    """The six inputs. The last three may be unknown (None); what they would change is then said.

    `placed` is the day the first unit of this type and model was lawfully on the market or in service. `redesigned`
    says whether its design changed significantly since the cut-off of its class. `public_authorities` says whether
    public authorities are meant to use it.
    """

    roles: tuple[LegalRole, ...]
    classes: tuple[LegalClass, ...]
    day: date
    placed: date | None = None
    redesigned: bool | None = None
    public_authorities: bool | None = None


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
    """Every provision that concerns a situation, in the order of the law, and the open points that touch it."""

    law: str
    situation: Situation
    provisions: tuple[Applies, ...]
    open_points: tuple[OpenPoint, ...]

    def binding(self) -> tuple[Applies, ...]:
        """The duties that bind on the day; classifications and permissions apply without binding."""
        return tuple(found for found in self.provisions if found.status == "binds" and found.provision.kind == "duty")


def applies(table: Applicability, situation: Situation) -> Answer:
    """Which provisions concern a situation on its day. Provisions that only give context are left out.

    1. A provision concerns a system by role and by class; a class that the law takes out of its general rules is
       concerned only by provisions that name it.
    2. It binds from its operative day, which is the literal day where nothing else is written or inferred.
    3. An older system follows the transition of the provision. Where an answer hangs on an input that is not known,
       the status is 'unknown' and the input is named; it is never guessed.
    """
    looked_at = (_applies(provision, situation) for provision in _concerned(table, situation))
    found = tuple(item for item in looked_at if item is not None)
    named = {point for item in found for point in item.provision.open_points}
    # Two routes to high risk, each with its own date, and no rule for the tie.
    if {"hr-annex3", "hr-annex1-A"} <= set(situation.classes):
        named.add("two-routes")
    if set(table.exclusive) & set(situation.classes):
        named.add("annex1-b")
    points = tuple(point for point in table.open_points if point.id in named)
    return Answer(law=table.key, situation=situation, provisions=found, open_points=points)


def _concerned(table: Applicability, situation: Situation) -> Iterator[Provision]:
    classes = set(situation.classes)
    exclusive = classes & set(table.exclusive)
    for provision in table.provisions:
        by_class = classes & set(provision.systems) or "all" in provision.systems
        if exclusive:
            by_class = exclusive & set(provision.systems)
        by_role = "all" in provision.binds or set(situation.roles) & set(provision.binds)
        if provision.kind != "context" and by_class and by_role:
            yield provision


class _Unconcerned:
    """The provision is written for other systems: of another age, or meant for public authorities."""


_Start = date | None | type[_Unconcerned]


def _start(provision: Provision, *, older: bool, redesigned: bool, public: bool) -> _Start:
    """The day from which a provision binds a system, None for never."""
    transition = provision.transition
    if provision.public_only and not public:
        return _Unconcerned
    if transition is None:
        return provision.operative
    if transition.rule in {"only-older", "only-newer"}:
        return provision.operative if older == (transition.rule == "only-older") else _Unconcerned
    if not older or (transition.rule == "redesign" and redesigned):
        return provision.operative
    if transition.rule == "placed-before" or public:
        return transition.until
    return None


def _applies(provision: Provision, situation: Situation) -> Applies | None:
    starts = {
        choice: _start(provision, older=choice[0], redesigned=choice[1], public=choice[2])
        for choice in product(*_choices(provision.transition, situation))
    }
    statuses = {choice: _status(provision, start, situation.day) for choice, start in starts.items()}
    if len(set(statuses.values())) > 1:
        return Applies(provision=provision, status="unknown", missing=_deciding(statuses))
    status = next(iter(statuses.values()))
    if status is None:
        return None
    known = set(starts.values())
    since = known.pop() if len(known) == 1 else None
    return Applies(provision=provision, status=status, since=since if isinstance(since, date) else None)


def _choices(transition: Transition | None, situation: Situation) -> Iterator[tuple[bool, ...]]:
    """What each of the three last inputs may be: one value where it is known, both where it is not."""
    older: bool | None = False
    if transition is not None:
        older = None if situation.placed is None else situation.placed < transition.cut_off
    for value in (older, situation.redesigned, situation.public_authorities):
        yield (False, True) if value is None else (value,)


def _status(provision: Provision, start: _Start, day: date) -> Status | None:
    if start is _Unconcerned:
        return None
    if isinstance(start, date) and day >= start:
        return "binds"
    if day >= provision.operative:
        return "not yet" if isinstance(start, date) else "spared"
    return "contested" if provision.basis == "reading" and day >= provision.applies_from else "not yet"


def _deciding(statuses: dict[tuple[bool, ...], Status | None]) -> tuple[Input, ...]:
    """The inputs that change the status while the others stay."""
    found = []
    for i, name in enumerate(INPUTS):
        flipped = ((choice, (*choice[:i], not choice[i], *choice[i + 1 :])) for choice in statuses)
        if any(other in statuses and statuses[other] != statuses[choice] for choice, other in flipped):
            found.append(name)
    return tuple(found)


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
    starts = {provision.id: _starts(provision, situation) for provision in active}
    ends = {provision.id: _end(provision) for provision in active}
    if situation is not None:
        ends = {name: end for name, end in ends.items() if end in starts[name]}
    days = {day for some in (*starts.values(), ends.values()) for day in some if day}
    return tuple(
        Change(
            day=day,
            start=tuple(one for one in active if starts[one.id] == {day}),
            may_start=tuple(one for one in active if day in starts[one.id] != {day}),
            end=tuple(one for one in active if ends.get(one.id) == day),
        )
        for day in sorted(days)
        if day > after
    )


def _starts(provision: Provision, situation: Situation | None) -> set[date | None]:
    """The days on which it starts to bind, None for never: one of them, or several where an input is missing."""
    if situation is None:
        return {provision.operative}
    choices = product(*_choices(provision.transition, situation))
    starts = (_start(provision, older=choice[0], redesigned=choice[1], public=choice[2]) for choice in choices)
    return {start if isinstance(start, date) else None for start in starts}


def _end(provision: Provision) -> date | None:
    """The day a transition ends; a provision written for older systems alone ends their grace when it starts."""
    if provision.transition is None:
        return None
    return provision.operative if provision.transition.rule == "only-older" else provision.transition.until
