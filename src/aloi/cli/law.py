"""Tell what a law asks, from when, and how sure that is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import language, say, tell
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.standards.applicability import Applicability, Provision
    from aloi.standards.applies import Answer, Applies, Change, Situation
    from aloi.standards.pack import Dated, Freshness
    from aloi.standards.regimes import Event

STATUS = {
    "binds": N_("binds"),
    "contested": N_("contested"),
    "unknown": N_("unknown"),
    "not yet": N_("not yet"),
    "spared": N_("spared, as an older system"),
}
KINDS = {
    "classification": N_("says what a system is"),
    "permission": N_("permits"),
}
BOTH = N_("{first}; {second}")
NAMED = N_("{name}: {told}")
CERTAINTIES = {
    "primary": N_("the law's text was read"),
    "secondary": N_("only others' accounts were read"),
    "unconfirmed": N_("unconfirmed"),
}


def print_answer(table: "Applicability", answer: "Answer", missing: Mapping[str, str], *, as_json: bool) -> None:
    """Every provision that concerns the situation, by where it stands; `missing` names the option of each input."""
    if as_json:
        import msgspec  # noqa: PLC0415 - only where a machine reads

        options.print_json({**msgspec.to_builtins(answer), "checked": _checked(table)})
        return
    warn_if_stale(table)
    click.echo(_heading(table, answer.situation, answer.situation.day))
    for status, title in STATUS.items():
        _print_group(title, [one for one in _duties(answer) if one.status == status], missing)
    others = [one for one in answer.provisions if one.provision.kind != "duty"]
    _print_group(N_("applies without binding: what a system is, and what is permitted"), others, missing)
    _print_group(N_("what stands around it, and asks nothing: fines, dates, transitions"), answer.context, missing)
    click.echo("\n" + say(N_("A provision binds only where a system does what it speaks of.")))
    if "prohibited" not in answer.situation.classes:
        click.echo(say(N_("What Art. 5 prohibits is prohibited to all; `--class prohibited` lists it with its days.")))
    if answer.open_points:
        click.echo("\n" + say(N_("Open points, both sides:")))
        for point in answer.open_points:
            click.echo(f"  - {point.one_side.said(language())}\n    {point.other_side.said(language())}")
    click.echo("\n" + say(N_("Sources:")))
    cited = {name for found in (*answer.provisions, *answer.context) for name in found.provision.sources}
    for source in table.sources:
        if source.id in cited:
            click.echo(f"  {source.id}  {source.document.said(language())} [{say(CERTAINTIES[source.certainty])}]")
    click.echo("\n" + say(N_("Other regimes are listed by `aloi catalog regimes`, and never computed.")))


def _duties(answer: "Answer") -> "list[Applies]":
    return [one for one in answer.provisions if one.provision.kind == "duty"]


def _print_group(title: str, found: "Sequence[Applies]", missing: Mapping[str, str]) -> None:
    if found:
        click.echo("\n" + click.style(f"{say(title)} ({len(found)})", bold=True))
        click.echo("\n".join(line for one in found for line in _provision(one, missing)))


def _heading(table: "Applicability", situation: "Situation | None", day: date) -> str:
    told = say(N_("{law}, on {day}: not legal advice"), law=table.key, day=day)
    if situation is None:
        return told
    classes = ", ".join(situation.classes) or say(N_("of no class"))
    return told + "\n" + say(BOTH, first=", ".join(situation.roles), second=classes)


def _provision(found: "Applies", missing: Mapping[str, str]) -> Iterator[str]:
    provision = found.provision
    kind = f" ({say(KINDS[provision.kind])})" if provision.kind in KINDS else ""
    yield f"  {_named(provision)}{kind}"
    sure = say(BOTH, first=say(CERTAINTIES[provision.certainty]), second=", ".join(provision.sources))
    yield f"      {_dates(provision, found.since)} [{sure}]"
    if found.missing:
        named = ", ".join(missing[name] for name in found.missing)
        yield "      " + say(N_("hangs on what nobody said: {named}"), named=named)


def _named(provision: "Provision") -> str:
    return say(NAMED, name=provision.cited(language()), told=provision.subject.said(language()))


def _dates(provision: "Provision", since: date | None) -> str:
    """The literal day, the operative one where it differs and by what right, and this system's own."""
    told = say(N_("applies from {day}"), day=provision.applies_from)
    if provision.operative != provision.applies_from:
        message = N_("can bind from {day}, as the law says")
        if provision.basis == "reading":
            message = N_("can bind from {day}, which is inferred and not written")
        told = say(BOTH, first=told, second=say(message, day=provision.operative))
    if since and since != provision.operative:
        told = say(BOTH, first=told, second=say(N_("this system from {day}"), day=since))
    return told


def print_calendar(
    table: "Applicability",
    changes: "Sequence[Change]",
    events: "Sequence[Event]",
    situation: "Situation | None",
    day: date,
    *,
    as_json: bool,
) -> None:
    """What changes after a day, in the law and in the regimes that are listed beside it."""
    from aloi.standards.regimes import regimes  # noqa: PLC0415 - heavy modules load when a command runs

    if as_json:
        told = {"law": table.key, "situation": situation, "after": day, "changes": changes, "others": events}
        options.print_json({**told, "checked": _checked(table, regimes())})
        return
    warn_if_stale(table, regimes())
    click.echo(_heading(table, situation, day))
    if not changes:
        click.echo("\n" + say(N_("Nothing that is known changes any more.")))
    for change in changes:
        click.echo("\n" + click.style(str(change.day), bold=True))
        for provision in change.start:
            click.echo(f"  + {_named(provision)}")
        for provision in change.may_start:
            click.echo(f"  ? {_named(provision)}")
        if change.end:
            ended = ", ".join(dict.fromkeys(provision.cited(language()) for provision in change.end))
            click.echo("  " + say(N_("the respite of older systems ends: {provisions}"), provisions=ended))
    if any(change.may_start for change in changes):
        click.echo("\n" + say(N_("? may start that day: it hangs on an input that nobody gave")))
    if events:
        listed = {regime.id: regime for regime in regimes().regimes}
        click.echo("\n" + say(N_("Other regimes, listed and not computed:")))
        for event in events:
            regime = listed[event.regime]
            where = f"{regime.jurisdiction.said(language())}, {regime.instrument.said(language())}"
            click.echo(f"  {event.day}  " + say(NAMED, name=where, told=event.what.said(language())))


def _checked(*tables: "Dated") -> "list[Freshness]":
    from aloi.standards.pack import freshness  # noqa: PLC0415 - heavy modules load when a command runs

    return [freshness(table, today()) for table in tables]


def today() -> date:
    """The day, by universal time."""
    return datetime.now(UTC).date()


def warn_if_stale(*tables: "Dated") -> None:
    """Say on standard error of each table that it should be checked again, or that its day is to come."""
    from aloi.assurance.standing import doubts  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.pack import freshness  # noqa: PLC0415 - as above

    for message, facts in doubts([freshness(table, today()) for table in tables], ()):
        tell(N_("Warning: {told}"), told=say(message, **facts))
