"""`aloi catalog`: what Aloi knows, shipped or plugged in."""

from collections.abc import Callable, Iterable

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_

Row = tuple[str, str, str]


def _hazards() -> Iterable[Row]:
    from aloi import plugins  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.science.hazards import hazards  # noqa: PLC0415 - as above

    probed = plugins.names("aloi.probes")
    for slug, hazard in hazards().items():
        state = say(N_("measurable")) if slug in probed else say(N_("no probe yet"))
        tier = say(N_("extreme")) if hazard.tier == "extreme" else say(N_("visible"))
        yield slug, f"{tier}, {state}", hazard.title[language()]


def _remedies() -> Iterable[Row]:
    from aloi.solutions.catalogue import entries  # noqa: PLC0415 - heavy modules load when a command runs

    for name, entry in entries().items():
        told = f"{entry.explanation[language()]} {entry.cost[language()]}"
        yield name, f"{entry.kind}: {', '.join(entry.hazards)}", told


def _frameworks() -> Iterable[Row]:
    from aloi.standards.frameworks import framework, names  # noqa: PLC0415 - heavy modules load when a command runs

    for key in names():
        pack = framework(key).pack
        told = say(N_("{count} requirements, checked {day}"), count=len(pack.requirements), day=pack.checked_on)
        yield key, told, pack.title.said(language())


def _probes() -> Iterable[Row]:
    from aloi import plugins  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.science.probe import probe_for  # noqa: PLC0415 - as above

    for name in plugins.names("aloi.probes"):
        probe = probe_for(name)
        yield name, f"{probe.hazard}: {probe.scorer}", ", ".join(probe.attacks())


def _attacks() -> Iterable[Row]:
    from aloi import plugins  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.science.attack import attack_for  # noqa: PLC0415 - as above

    for name in plugins.names("aloi.attacks"):
        attack = attack_for(name)
        spoken = ", ".join(sorted(attack.languages)) or say(N_("every language"))
        yield name, spoken, attack.title[language()]


KINDS: dict[str, Callable[[], Iterable[Row]]] = {
    "hazards": _hazards,
    "probes": _probes,
    "attacks": _attacks,
    "remedies": _remedies,
    "frameworks": _frameworks,
}


@click.command("catalog", help=say(N_("List hazards, probes, attacks, remedies or frameworks, shipped or plugged in.")))
@click.argument("kind", type=click.Choice(list(KINDS)))
@options.as_json
def command(kind: str, *, as_json: bool) -> None:
    """A line or two for each entry."""
    rows = list(KINDS[kind]())
    if as_json:
        options.print_json([{"name": name, "kind": about, "text": text} for name, about, text in rows])
        return
    for name, about, text in rows:
        click.echo(f"{click.style(name, bold=True)}  {about}\n    {text}")
