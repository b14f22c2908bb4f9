"""`aloi catalog`: what Aloi knows, shipped or plugged in."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_, typeset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aloi.science.hazards import Hazard
    from aloi.science.hazards import Mapping as Listed
    from aloi.solutions.catalogue import Entry as Remedy

SURFACES = {
    "endpoint": N_("endpoint"),
    "agent": N_("agent"),
    "predictive": N_("predictive model"),
    "file": N_("file"),
    "media": N_("media"),
    "record": N_("organisational record"),
}
REMEDIES = {
    "output-guard": N_("guard on answers"),
    "input-guard": N_("guard on what users say"),
    "document-guard": N_("guard on documents"),
    "call-guard": N_("guard on tool calls"),
    "limit": N_("limit"),
    "hardening": N_("hardening"),
}
READ = {
    "primary": N_("the text was read"),
    "several secondary": N_("several accounts of others were read"),
    "one secondary": N_("one account of others was read"),
}
SCORERS = {"oracle": N_("oracle"), "statistic": N_("statistic"), "judge": N_("judge")}


class Entry(NamedTuple):
    """One thing that is known. `more` is for people, line by line; `facts` are for machines."""

    name: str
    about: str
    text: str
    more: tuple[str, ...]
    facts: dict[str, object]


def _plain(name: str, about: str, text: str) -> Entry:
    return Entry(name, about, text, (), {})


def _hazards() -> Iterable[Entry]:
    from aloi.science.hazards import hazards  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.science.probed import probes_by_hazard  # noqa: PLC0415 - as above
    from aloi.solutions.catalogue import entries  # noqa: PLC0415 - as above

    probed, known = probes_by_hazard(), entries()
    for slug, hazard in hazards().items():
        probes = probed.get(slug, ())
        state = _state(hazard, probes)
        remedies = tuple(name for name, remedy in known.items() if slug in remedy.hazards)
        tier = say(N_("extreme")) if hazard.tier == "extreme" else say(N_("visible"))
        yield Entry(
            name=slug,
            about=f"{tier}, {state}",
            text=_said(hazard.title),
            more=(
                hazard.description[language()],
                say(
                    N_("surfaces: {surfaces}; scorers: {scorers}; probes: {probes}"),
                    surfaces=", ".join(say(SURFACES[surface]) for surface in hazard.surfaces),
                    scorers=", ".join(say(SCORERS[scorer]) for scorer in hazard.scorers),
                    probes=", ".join(probes) or say(N_("none")),
                ),
                say(N_("remedies: {names}"), names=", ".join(remedies)) if remedies else say(N_("no remedy here")),
                say(N_("in other lists: {entries}"), entries=", ".join(map(_mapped, hazard.maps_to))),
            ),
            facts={
                "tier": hazard.tier,
                "description": hazard.description[language()],
                "surfaces": hazard.surfaces,
                "scorers": hazard.scorers,
                "probes": probes,
                "remedies": remedies,
                "maps_to": [
                    {"framework": entry.framework, "id": entry.id, "unconfirmed": entry.unconfirmed}
                    for entry in hazard.maps_to
                ],
            },
        )


def _state(hazard: "Hazard", probes: tuple[str, ...]) -> str:
    if probes:
        return say(N_("measurable"))
    # What shows in files and records alone is looked up there; no system is ever asked for it.
    askable = {"endpoint", "agent", "predictive"} & set(hazard.surfaces)
    return say(N_("no probe yet")) if askable else say(N_("never asked of a system"))


def _remedies() -> Iterable[Entry]:
    from aloi.solutions.catalogue import defaults, entries  # noqa: PLC0415 - heavy modules load when a command runs

    for name, entry in entries().items():
        known = defaults(name)
        yield Entry(
            name=name,
            about=f"{_said(entry.title)} ({say(REMEDIES[entry.kind])}): {', '.join(entry.hazards)}",
            text=_said(entry.explanation),
            more=(
                say(N_("cost: {cost}"), cost=_said(entry.cost)),
                *_measured(entry),
                say(N_("options: {options}"), options=_options(known)),
                say(N_("reference: {reference}"), reference=entry.reference),
            ),
            facts={
                "kind": entry.kind,
                "hazards": entry.hazards,
                "title": _said(entry.title),
                "explanation": _said(entry.explanation),
                "cost": _said(entry.cost),
                "measured": [
                    {
                        "run": one.run,
                        "about": one.about,
                        "text": _said(one.text),
                        "figures": one.figures,
                        "command": one.command,
                        "machine": one.machine,
                    }
                    for one in entry.measured
                ],
                "options": known,
                "reference": entry.reference,
            },
        )


def _said(text: "Mapping[str, str]") -> str:
    """A text of the catalogue in the reader's language; a plug-in may have written one language only."""
    return typeset(text.get(language()) or next(iter(text.values()), ""), language())


def _measured(entry: "Remedy") -> Iterable[str]:
    for one in entry.measured:
        sentence = N_("measured: {text} ({command}; {machine})")
        yield say(sentence, text=_said(one.text), command=one.command, machine=one.machine)
    if not any(one.about == "effect" for one in entry.measured):
        yield say(N_("measured: what it stops and what it loses was not measured on its own yet"))


def _options(known: "Mapping[str, object]") -> str:
    import json  # noqa: PLC0415 - beside its one use

    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in known.items()) or "-"


def _frameworks() -> Iterable[Entry]:
    from aloi.cli import law  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.frameworks import framework, names  # noqa: PLC0415 - as above
    from aloi.standards.pack import freshness  # noqa: PLC0415 - as above

    for key in names():
        pack = framework(key).pack
        told = say(N_("{count} requirements, checked {day}"), count=len(pack.requirements), day=pack.checked_on)
        doubts = tuple(say(N_("To know: {what}"), what=one.said(language())) for one in pack.doubts())
        law.warn_if_stale(pack)
        facts: dict[str, object] = {
            "status": pack.status,
            "source": pack.source,
            "licence": pack.licence,
            "checked": freshness(pack, law.today()),
            "to_know": [one.said(language()) for one in pack.doubts()],
        }
        yield Entry(key, told, pack.title.said(language()), doubts, facts)


def _regimes() -> Iterable[Entry]:
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.cli.law import warn_if_stale  # noqa: PLC0415 - as above
    from aloi.standards.regimes import regimes  # noqa: PLC0415 - as above

    warn_if_stale(regimes())
    for regime in regimes().regimes:
        dates = ((regime.key_date, regime.starts), (regime.next_date, regime.next_event))
        unknown = say(N_("day unknown"))
        more = [_named(day or unknown, what.said(language())) for day, what in dates if what]
        more += [regime.note.said(language())] if regime.note else []
        more.append(
            say(
                N_("seen as of {day}, {certainty}: {sources}"),
                day=regime.seen_as_of,
                certainty=say(READ[regime.certainty]),
                sources=regime.sources,
            )
        )
        yield Entry(
            regime.id,
            _named(regime.jurisdiction.said(language()), regime.status.said(language())),
            regime.instrument.said(language()),
            tuple(more),
            msgspec.to_builtins(regime),
        )


def _named(name: date | str, told: str) -> str:
    """What is told of a name."""
    return say(N_("{name}: {told}"), name=name, told=told)


def _probes() -> Iterable[Entry]:
    from aloi import plugins  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.science.probe import probe_for  # noqa: PLC0415 - as above

    for name in plugins.names("aloi.probes"):
        probe = probe_for(name)
        yield _plain(name, f"{probe.hazard}: {probe.scorer}", ", ".join(probe.attacks()))


def _attacks() -> Iterable[Entry]:
    from aloi import plugins  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.science.attack import attack_for  # noqa: PLC0415 - as above
    from aloi.science.attacks.wording import wording  # noqa: PLC0415 - as above
    from aloi.system.description import MODEL_ATTACKER  # noqa: PLC0415 - as above

    for name in plugins.names("aloi.attacks"):
        attack = attack_for(name)
        spoken = ", ".join(sorted(attack.languages)) or say(N_("every language"))
        yield _plain(name, spoken, _said(attack.title))
    by_model = wording(MODEL_ATTACKER)
    yield _plain(MODEL_ATTACKER, ", ".join(sorted(by_model.languages())), _said(by_model.title))


def _mapped(entry: "Listed") -> str:
    """A numbered entry of another list; one that could not be confirmed says so."""
    return say(N_("{entry} (unconfirmed)"), entry=entry.to) if entry.unconfirmed else entry.to


class Kind(NamedTuple):
    """One catalogue: how one of its entries is called, and all of them."""

    called: str
    entries: Callable[[], Iterable[Entry]]


KINDS = {
    "hazards": Kind(N_("hazard"), _hazards),
    "probes": Kind(N_("probe"), _probes),
    "attacks": Kind(N_("attack"), _attacks),
    "remedies": Kind(N_("remedy"), _remedies),
    "frameworks": Kind(N_("framework"), _frameworks),
    "regimes": Kind(N_("regime"), _regimes),
}


@click.command(
    "catalog",
    help=say(N_("List hazards, probes, attacks, remedies, frameworks or other regimes, shipped or plugged in.")),
)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("name", required=False)
@options.as_json
def command(kind: str, name: str | None, *, as_json: bool) -> None:
    """A few lines for each entry, or for the one that is named."""
    from aloi.errors import UnknownName  # noqa: PLC0415 - beside its one use

    entries = list(KINDS[kind].entries())
    if name is not None:
        known = [entry.name for entry in entries]
        entries = [entry for entry in entries if entry.name == name]
        if not entries:
            raise UnknownName(KINDS[kind].called, name, known)
    if as_json:
        options.print_json(
            [{"name": entry.name, "kind": entry.about, "text": entry.text, **entry.facts} for entry in entries]
        )
        return
    for entry in entries:
        click.echo(f"{click.style(entry.name, bold=True)}  {entry.about}")
        for line in (entry.text, *entry.more):
            click.echo(f"    {line}")
