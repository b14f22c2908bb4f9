"""Where mappings contradict one another, cite what is stale or not there, and what nothing reaches."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations
from typing import Literal, NamedTuple

from msgspec import Struct

from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.hub import hub as shipped_hub
from aloi.standards.mapping import Row
from aloi.standards.pack import freshness
from aloi.translation import N_

Kind = Literal["contradiction", "stale", "dangling", "overdue", "unreached", "idle"]
KINDS: tuple[Kind, ...] = ("contradiction", "stale", "dangling", "overdue", "unreached", "idle")


class Citation(NamedTuple):
    """An id that something cites, and where it does."""

    where: str
    framework: str
    id: str


class Conflict(Struct, frozen=True, kw_only=True):
    """One thing to settle. `message` is a template over `facts`; `rows` name the rows that it rests on."""

    kind: Kind
    framework: str
    message: str
    facts: dict[str, str]
    rows: tuple[str, ...] = ()


class _Said(NamedTuple):
    """What two rows on one requirement say together about their two controls."""

    what: Literal["same", "part", "whole", "apart", "meet"]
    framework: str
    rows: tuple[str, str]


def conflicts(
    frameworks: Sequence[Framework],
    citations: Iterable[Citation] = (),
    *,
    hub: Hub | None = None,
    today: date | None = None,
) -> tuple[Conflict, ...]:
    """What to settle, by kind.

    'contradiction': two controls, which the hub keeps apart, would be one and the same, or would hold nothing in common
    by one requirement and something by another (set theory of NIST IR 8278A); or one control equals two requirements
    of a framework. 'stale': an id of an earlier edition is cited, which a newer one has replaced. 'dangling': an id
    that the cited framework does not have. 'overdue': a text that was to be checked again before `today`. 'unreached':
    a requirement that no control reaches. 'idle': a control that no framework asks for.
    """
    hub = hub or shipped_hub()
    found = [
        *_contradictions(frameworks),
        *_cited(frameworks, citations),
        *_overdue(frameworks, today),
        *(one for framework in frameworks for one in _unreached(framework)),
        *_idle(frameworks, hub),
    ]
    return tuple(sorted(found, key=lambda one: KINDS.index(one.kind)))


def _overdue(frameworks: Sequence[Framework], today: date | None) -> Iterator[Conflict]:
    if today is None:
        return
    for framework in frameworks:
        checked = freshness(framework.pack, today)
        if checked.stale:
            message = N_("checked on {day}, to be checked again by {due}")
            facts = {"day": checked.checked_on.isoformat(), "due": checked.due.isoformat()}
            yield Conflict(kind="overdue", framework=framework.pack.key, message=message, facts=facts)


def _named(row: Row) -> str:
    return f"{row.subject} {row.relation} {row.object}"


def _contradictions(frameworks: Sequence[Framework]) -> Iterator[Conflict]:
    said: dict[tuple[str, str], list[_Said]] = defaultdict(list)
    for framework in frameworks:
        by_object: dict[str, list[Row]] = defaultdict(list)
        equal: dict[str, list[Row]] = defaultdict(list)
        for row in framework.rows:
            by_object[row.object].append(row)
            if row.relation == "equal":
                equal[row.subject].append(row)
        for control, rows in equal.items():
            if len(rows) > 1:
                yield Conflict(
                    kind="contradiction",
                    framework=framework.pack.key,
                    message=N_("{control} equals {requirements}, which the framework keeps apart"),
                    facts={"control": control, "requirements": ", ".join(row.object for row in rows)},
                    rows=tuple(map(_named, rows)),
                )
        for rows in by_object.values():
            for one, other in combinations(sorted(rows, key=lambda row: row.subject), 2):
                if what := _together(one, other):
                    rows_ = (_named(one), _named(other))
                    said[one.subject, other.subject].append(_Said(what, framework.pack.key, rows_))
    yield from (conflict for pair, sayings in said.items() for conflict in _against(pair, sayings))


def _together(one: Row, other: Row) -> Literal["same", "part", "whole", "apart", "meet"] | None:
    """What follows for two controls from their relations to one requirement; None where nothing does.

    'part': the first lies within the second; 'whole': the other way round.
    """
    match one.relation, other.relation:
        case "equal", "equal":
            return "same"
        case ("equal", "superset") | ("subset", "superset") | ("subset", "equal"):
            return "part"
        case ("superset", "equal") | ("superset", "subset") | ("equal", "subset"):
            return "whole"
        case ("none", "equal" | "subset") | ("equal" | "subset", "none"):
            return "apart"
        case ("equal" | "superset", "intersects") | ("intersects", "equal" | "superset") | ("superset", "superset"):
            return "meet"
        case _:
            return None


_OPPOSED = {
    frozenset({"apart", "meet"}),
    frozenset({"apart", "part"}),
    frozenset({"apart", "whole"}),
    frozenset({"part", "whole"}),
}


def _against(pair: tuple[str, str], sayings: Sequence[_Said]) -> Iterator[Conflict]:
    facts = {"one": pair[0], "other": pair[1]}
    first: dict[str, _Said] = {}
    for one in sayings:
        first.setdefault(one.what, one)
    if same := first.get("same"):
        message = N_("{one} and {other} would be the same control")
        yield Conflict(kind="contradiction", framework=same.framework, message=message, facts=facts, rows=same.rows)
    for a, b in combinations(first.values(), 2):
        if frozenset({a.what, b.what}) in _OPPOSED:
            message = N_("{one} and {other} would have nothing in common by one requirement, and something by another")
            if {a.what, b.what} == {"part", "whole"}:
                message = N_("{one} and {other} would each be a part of the other")
            frameworks = " ".join(dict.fromkeys((a.framework, b.framework)))
            rows = a.rows + b.rows
            yield Conflict(kind="contradiction", framework=frameworks, message=message, facts=facts, rows=rows)


def _cited(frameworks: Sequence[Framework], citations: Iterable[Citation]) -> Iterator[Conflict]:
    by_name = {framework.pack.id: framework.pack for framework in frameworks}
    for citation in citations:
        name, _, edition = citation.framework.partition("@")
        pack = by_name.get(name)
        if pack is None:
            continue
        facts = {"where": citation.where, "id": citation.id, "framework": pack.key}
        newer = next((one.new for one in pack.replaces if one.old == citation.id), None)
        if newer is not None:
            message = N_("{where} cites {id}, which is {newer} in {framework}")
            yield Conflict(kind="stale", framework=pack.key, message=message, facts=facts | {"newer": newer})
        elif edition and edition != pack.edition:
            message = N_("{where} cites {id} in the edition {edition}; {framework} is at hand")
            yield Conflict(kind="stale", framework=pack.key, message=message, facts=facts | {"edition": edition})
        elif citation.id not in {one.id for one in pack.requirements}:
            message = N_("{where} cites {id}, which {framework} does not have")
            yield Conflict(kind="dangling", framework=pack.key, message=message, facts=facts)


def _unreached(framework: Framework) -> Iterator[Conflict]:
    reached = {row.object for row in framework.rows if row.relation != "none"}
    for requirement in framework.pack.requirements:
        if requirement.id not in reached:
            yield Conflict(
                kind="unreached",
                framework=framework.pack.key,
                message=N_("no control reaches {id}"),
                facts={"id": requirement.id},
            )


def _idle(frameworks: Sequence[Framework], hub: Hub) -> Iterator[Conflict]:
    asked = {row.subject for framework in frameworks for row in framework.rows if row.relation != "none"}
    for control in hub.controls:
        if control.id not in asked:
            message = N_("no framework at hand asks for {control}")
            yield Conflict(kind="idle", framework="", message=message, facts={"control": control.id})
