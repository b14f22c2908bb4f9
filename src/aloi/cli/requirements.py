"""`aloi standards requirements`: what a framework asks, of whom, by what evidence, from when, and how that is known."""

from typing import TYPE_CHECKING

import click

from aloi.cli import law, options
from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aloi.standards.pack import Pack, Requirement

STATUS = {"law": N_("law"), "published": N_("published"), "draft": N_("draft"), "frozen": N_("frozen")}
EVIDENCE = {
    "measurement": N_("a measurement"),
    "artefact": N_("an artefact"),
    "document": N_("a document"),
    "process": N_("the record of a process"),
}


@click.command(
    "requirements",
    help=say(N_("List what FRAMEWORK asks: of whom, by what evidence, from when, and how its text is known.")),
)
@click.argument("framework")
@options.as_json
def command(framework: str, *, as_json: bool) -> None:
    """The pack as it ships or is plugged in, with its source, its licence and what could not be confirmed."""
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.standards.frameworks import framework as named  # noqa: PLC0415 - as above
    from aloi.standards.pack import freshness  # noqa: PLC0415 - as above

    pack = named(framework).pack
    if as_json:
        told = msgspec.to_builtins(pack)
        for one, found in zip(told["requirements"], pack.requirements, strict=True):
            one |= {"binds": pack.bound(found), "certainty": pack.sure(found), "periods": pack.periods(found)}
        options.print_json({**told, "checked": freshness(pack, law.today())})
        return
    law.warn_if_stale(pack)
    click.echo("\n".join(_lines(pack)))


def _lines(pack: "Pack") -> "Iterator[str]":
    from aloi.standards.marks import MARKS, legend  # noqa: PLC0415 - heavy modules load when a command runs

    yield click.style(f"{pack.title.said(language())}  {pack.key}", bold=True)
    told = N_("{status}, in force from {day}; {publisher}; checked on {checked}")
    yield say(
        told, status=say(STATUS[pack.status]), day=pack.in_force_from, publisher=pack.publisher, checked=pack.checked_on
    )
    yield say(N_("Source: {document}, {place}"), document=pack.source.document, place=pack.source.place)
    yield say(N_("Licence: {licence}"), licence=pack.licence)
    for doubt in pack.doubts():
        yield say(N_("To know: {what}"), what=doubt.said(language()))
    for sign, meaning in legend(pack.doubtful().values()):
        yield say(N_("{sign} {meaning}"), sign=sign, meaning=say(meaning))
    headings = {group.id: group.title.said(language()) for group in pack.groups}
    last = ""
    for one in pack.requirements:
        if one.group != last:
            last = one.group
            yield "\n" + click.style(f"{one.group}  {headings.get(one.group, '')}".rstrip(), bold=True)
        yield f"  {one.id}{MARKS[pack.sure(one)]}  {pack.told(one, language())}"
        yield "      " + _asked(pack, one)
        yield from (f"      {line}" for line in _periods(pack, one))


def _asked(pack: "Pack", one: "Requirement") -> str:
    takes = ", ".join(say(EVIDENCE[kind]) for kind in one.takes)
    return say(N_("binds {roles}; takes {takes}"), roles=", ".join(pack.bound(one)), takes=takes)


def _periods(pack: "Pack", one: "Requirement") -> "Iterator[str]":
    for period in pack.periods(one):
        told = say(N_("{systems}: from {day}"), systems=period.systems, day=period.applies_from)
        if period.placed_before:
            told = say(
                N_("{systems}, placed before {before}: from {day}"),
                systems=period.systems,
                before=period.placed_before,
                day=period.applies_from,
            )
        yield told + (f" ({period.note.said(language())})" if period.note else "")
