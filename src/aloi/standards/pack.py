"""A framework at an edition: its numbered demands as data, with dates, sources, and what could not be confirmed."""

from datetime import date, timedelta
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from aloi.standards.reading import Table, Text, Words, read_table
from aloi.system.regulation import LegalClass, LegalRole
from aloi.translation import N_

Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9 .():/_-]{0,78}[A-Za-z0-9)])?$")]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Role = Literal[LegalRole, "adopter"]
Evidence = Literal["measurement", "artefact", "document", "process"]
SystemClass = Literal[LegalClass, "all"]
Certainty = Literal["primary", "secondary", "unconfirmed"]


class Part(Struct, frozen=True, kw_only=True):
    """A part of a pack."""


class Source(Part, frozen=True, kw_only=True):
    """The document that was read and where it stands."""

    document: Words
    place: Words


class Period(Part, frozen=True, kw_only=True):
    """From which day a demand applies to a class of systems; with `placed_before`, to those placed before that day."""

    systems: SystemClass
    applies_from: date
    placed_before: date | None = None
    note: Text | None = None


class Group(Part, frozen=True, kw_only=True):
    """A heading of the framework (article, function, chapter); its periods hold for every demand under it."""

    id: Identifier
    title: Text
    periods: tuple[Period, ...] = ()


class Requirement(Part, frozen=True, kw_only=True):
    """One numbered demand. `takes` names the evidence it asks for, the most telling first.

    `certainty` is the pack's own where it is not given (`Pack.sure`).
    """

    id: Identifier
    title: Text
    group: str = ""
    binds: tuple[Role, ...] = ()
    takes: Annotated[tuple[Evidence, ...], Meta(min_length=1)]
    periods: tuple[Period, ...] = ()
    certainty: Certainty | None = None
    unconfirmed: Text | None = None


class Replacement(Part, frozen=True, kw_only=True):
    """An id of an earlier edition, and the requirement that took its place."""

    old: Identifier
    new: Identifier


class Pack(Part, frozen=True, kw_only=True):
    """A framework at an edition.

    `lists` says whether titles name what is asked, or a risk that is to be held down. `text_policy` says whose words
    the titles are: 'own' (ids, and our own words), 'title' (the publisher's titles may be shipped), 'full' (the
    publisher's text may be shipped). `horizon` is a number of days after `checked_on`. `certainty` says how what a
    requirement asks is known: 'primary' (its text was read, in whatever copy), 'secondary' (others' accounts of it
    were), 'unconfirmed'.
    `replaces` gives, for ids of earlier editions, the requirement that stands in their place.
    """

    id: Slug
    edition: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$")]
    title: Text
    publisher: Words
    status: Literal["law", "published", "draft", "frozen"]
    lists: Literal["demands", "risks"] = "demands"
    in_force_from: date
    checked_on: date
    horizon: Annotated[int, Meta(ge=1, le=3_650)]
    source: Source
    licence: Words
    text_policy: Literal["own", "title", "full"]
    binds: Annotated[tuple[Role, ...], Meta(min_length=1)]
    certainty: Certainty = "primary"
    unconfirmed: tuple[Text, ...] = ()
    groups: tuple[Group, ...] = ()
    requirements: Annotated[tuple[Requirement, ...], Meta(min_length=1)]
    replaces: tuple[Replacement, ...] = ()

    @property
    def key(self) -> str:
        """`framework@edition`, the only name under which a framework is cited."""
        return f"{self.id}@{self.edition}"

    def bound(self, requirement: Requirement) -> tuple[Role, ...]:
        """Whom a requirement binds: its own roles, or else the pack's."""
        return requirement.binds or self.binds

    def sure(self, requirement: Requirement) -> Certainty:
        """How what a requirement asks is known."""
        return requirement.certainty or self.certainty

    def doubtful(self) -> dict[str, Certainty]:
        """The requirements whose text was not read, by id, and how they are known."""
        known = {one.id: self.sure(one) for one in self.requirements}
        return {id_: certainty for id_, certainty in known.items() if certainty != "primary"}

    def told(self, requirement: Requirement, language: str) -> str:
        """A requirement's title as it may stand beside a state: of a risk it is said that it is one."""
        title = requirement.title.said(language)
        if self.lists == "demands":
            return title
        return f"Face au risque\u202f: {title}" if language == "fr" else f"Against the risk: {title}"

    def doubts(self) -> tuple[Text, ...]:
        """All that could not be confirmed: about the pack, and then about single requirements, under their ids."""
        single = ((one.id, one.unconfirmed) for one in self.requirements if one.unconfirmed)
        return (*self.unconfirmed, *(Text(en=f"{id_}: {told.en}", fr=f"{id_} : {told.fr}") for id_, told in single))

    def periods(self, requirement: Requirement) -> tuple[Period, ...]:
        """When a requirement applies: its own periods, or else those of its heading."""
        if requirement.periods:
            return requirement.periods
        return next((group.periods for group in self.groups if group.id == requirement.group), ())


class Dated(Protocol):
    """A table that was checked on a day and should be checked again within `horizon` days: a pack, an applicability."""

    @property
    def key(self) -> str:
        """`framework@edition`."""
        ...

    @property
    def checked_on(self) -> date:
        """The day of the last check."""
        ...

    @property
    def horizon(self) -> int:
        """Days."""
        ...


class Freshness(Part, frozen=True, kw_only=True):
    """Whether a table was checked recently enough; `days_over` counts the days past `due`."""

    framework: str
    checked_on: date
    due: date
    stale: bool
    days_over: int


def freshness(table: Dated, today: date) -> Freshness:
    """Say whether `checked_on` is past its horizon, or in the future (then a clock or the table is wrong)."""
    due = table.checked_on + timedelta(days=table.horizon)
    over = (today - due).days
    stale = over > 0 or today < table.checked_on
    return Freshness(framework=table.key, checked_on=table.checked_on, due=due, stale=stale, days_over=max(over, 0))


def parse_pack(data: bytes, file: str) -> Pack:
    """A pack from its YAML. Raises InvalidFile with every fault, each with its row and its remedy."""
    table = Table(file)
    pack = read_table(data, Pack, table)
    _check_groups(pack, table)
    _check_requirements(pack, table)
    table.close()
    return pack


def _check_groups(pack: Pack, table: Table) -> None:
    seen: set[str] = set()
    for i, group in enumerate(pack.groups):
        if group.id in seen:
            table.fault(N_("{at}: {id} stands twice"), f"groups[{i}].id", remedy=N_("keep one of the two"), id=group.id)
        seen.add(group.id)
        _check_periods(group.periods, f"groups[{i}]", table)


def _check_requirements(pack: Pack, table: Table) -> None:
    groups = {group.id for group in pack.groups}
    if pack.certainty != "primary" and not pack.unconfirmed:
        remedy = N_("say under `unconfirmed` what was read in place of the text")
        table.fault(N_("{at}: how are the requirements known?"), "certainty", remedy=remedy)
    seen: set[str] = set()
    for i, requirement in enumerate(pack.requirements):
        at = f"requirements[{i}]"
        if requirement.id in seen:
            table.fault(N_("{at}: {id} stands twice"), f"{at}.id", remedy=N_("keep one of the two"), id=requirement.id)
        seen.add(requirement.id)
        if requirement.group and requirement.group not in groups:
            remedy = N_("add the heading under `groups`, or correct the name")
            table.fault(N_("{at}: no heading {id}"), f"{at}.group", remedy=remedy, id=requirement.group)
        if (requirement.certainty == "unconfirmed") != (requirement.unconfirmed is not None):
            remedy = N_("`certainty: unconfirmed` and `unconfirmed: {{en, fr}}` go together")
            table.fault(N_("{at}: what is unconfirmed about {id}?"), at, remedy=remedy, id=requirement.id)
        _check_periods(requirement.periods, at, table)
    replaced: set[str] = set()
    for i, one in enumerate(pack.replaces):
        if one.old in replaced:
            at = f"replaces[{i}].old"
            table.fault(N_("{at}: {id} stands twice"), at, remedy=N_("keep one of the two"), id=one.old)
        replaced.add(one.old)
        if one.new not in seen or one.old in seen:
            message = N_("{at}: {old} cannot be replaced by {new}")
            remedy = N_("`old` is an id of an earlier edition, `new` one of this pack")
            table.fault(message, f"replaces[{i}]", remedy=remedy, old=one.old, new=one.new)


def _check_periods(periods: tuple[Period, ...], at: str, table: Table) -> None:
    for i, period in enumerate(periods):
        if period.placed_before is not None and period.placed_before > period.applies_from:
            table.fault(
                N_("{at}: applies from {start}, yet spares systems placed until {until}"),
                f"{at}.periods[{i}]",
                remedy=N_("correct one of the two dates"),
                until=period.placed_before,
                start=period.applies_from,
            )
