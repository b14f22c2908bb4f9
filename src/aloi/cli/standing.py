"""Where a bundle stands under a framework, as the terminal tells it."""

from typing import TYPE_CHECKING

from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aloi.assurance.standing import OwnWord, Standing
    from aloi.evidence.statement import Subject
    from aloi.standards.frameworks import Framework
    from aloi.standards.gaps import NextStep


def standing_lines(standing: "Standing", framework: "Framework", system: "Subject") -> "Iterable[str]":
    """A standing as a person reads it: of which system, and then the warnings first."""
    from aloi.standards.coverage import tally  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.marks import MARKS, legend  # noqa: PLC0415 - as above

    titles = {one.id: framework.pack.told(one, language()) for one in framework.pack.requirements}
    yield say(
        N_("{framework}: what the evidence says. It is no statement of conformity."), framework=framework.pack.key
    )
    yield say(N_("About {name}  {digest}"), name=system.name, digest=system.fingerprint)
    if rows := standing.imported:
        told = N_(
            "Seen through {count} rows imported from {file}, by {authors} as it says; those that ship with Aloi are "
            "left out."
        )
        yield say(told, count=rows.rows, file=rows.file, authors=", ".join(rows.authors))
    yield from warnings(standing)
    for count in tally(standing.coverage):
        told = N_(
            "{state}: {total} (endorsed {endorsed}, disputed {disputed}, proposed {proposed}, unmapped {unmapped})"
        )
        facts = {"endorsed": count.endorsed, "disputed": count.disputed}
        facts |= {"proposed": count.proposed, "unmapped": count.unmapped}
        yield "  " + say(told, state=say(count.state), total=count.total, **facts)
    yield ""
    width = max(len(say(item.state)) for item in standing.coverage.requirements)
    for item in standing.coverage.requirements:
        mark = say(N_("  [mapping disputed]")) if item.mapping == "disputed" else ""
        if authors := framework.authors(item.requirement) if standing.imported else ():
            mark += say(N_("  [mapping imported, by {authors}]"), authors=", ".join(authors))
        named = item.requirement + MARKS[standing.certainty.get(item.requirement, "primary")]
        yield f"{say(item.state):<{width}}  {named}  {titles[item.requirement]}{mark}"
    for sign, meaning in legend(standing.certainty.values()):
        yield say(N_("{sign} {meaning}"), sign=sign, meaning=say(meaning))
    for doubt in framework.pack.doubts():
        yield say(N_("To know: {what}"), what=doubt.said(language()))
    if standing.steps:
        yield ""
        yield say(N_("Plan of action, the cheapest first:"))
        for n, step in enumerate(standing.steps, 1):
            yield f"{n:>3}. " + say(N_("{name}: {told}"), name=step.requirement, told=_step(step))


def _step(step: "NextStep") -> str:
    """What to do next; what it is about has a title that a person reads, and a name that is typed."""
    from aloi.cli.titles import hazard_title  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.hub import hub  # noqa: PLC0415 - as above

    titles = {control.id: control.title.said(language()) for control in hub().controls}
    title = titles.get(step.about) or hazard_title(step.about)
    about = step.about if title == step.about else f"{title} ({step.about})"
    told = say(step.message, **step.facts | {"about": about})
    return told + (say(N_(" (remedies: {options})"), **step.facts) if step.options else "")


def warnings(standing: "Standing") -> "Iterable[str]":
    """What to know before the states are read."""
    from aloi.assurance.standing import doubts  # noqa: PLC0415 - heavy modules load when a command runs

    for message, facts in doubts([standing.checked], standing.lapsed):
        yield say(N_("Warning: {told}"), told=say(message, **facts))
    yield from map(_own_line, standing.own)


def _own_line(one: "OwnWord") -> str:
    facts = {"control": one.control, "requirement": one.requirement, "name": one.word.organisation}
    if one.word.says == "disputed":
        return say(N_("{control} to {requirement}: disputed by the bundle's own signer, as {name}"), **facts)
    if one.counted:
        message = N_("{control} to {requirement}: endorsed by the bundle's own signer, as {name}; you named its key")
        return say(message, **facts)
    message = N_(
        "{control} to {requirement}: endorsed by the bundle's own signer, as {name}; not counted, unless you name its "
        "key with --trust"
    )
    return say(message, **facts)
