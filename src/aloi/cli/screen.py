"""`aloi screen`: run guards over a corpus of texts, one ruling a line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from aloi.cli import guards, options
from aloi.cli.extras import needing
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.solutions.screening.quality import Part
    from aloi.solutions.screening.running import Screened
    from aloi.system.messages import Role


@click.command(
    "screen",
    help=say(
        N_(
            "Run guards over FILE.jsonl: a JSON object a line, with `text`, and `label`, `lang`, `source` where they "
            "are known. Rulings are printed as JSON lines; with labels, a table follows."
        )
    ),
)
@guards.corpus
@click.option(
    "--guard", "names", multiple=True, required=True, help=say(N_("Guard to run; may be given several times."))
)
@guards.system
@guards.role
@guards.deadline
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Write the rulings to this file; only the table is printed then.")),
)
@options.as_json
def command(
    corpus: Path,
    names: tuple[str, ...],
    system: Path | None,
    role: "Role | None",
    deadline: float,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Exit 0 whatever the guards say: their rulings are the result. A guard that fails blocks, and is counted."""
    from aloi.solutions.passage import DEADLINE, ERROR  # noqa: PLC0415 - heavy modules load when a command runs

    built, texts = guards.built(names, system), guards.read(corpus)
    if labelled := any(one.attack is not None for one in texts):
        with needing("measure", N_("the table of labelled texts")):
            from aloi.solutions.screening.quality import parts  # noqa: PLC0415 - as above
    if output:
        with output.open("w", encoding="utf-8") as file:
            rulings = guards.run(built, texts, role, deadline, lambda one: _write(one, file))
    elif as_json:
        rulings = guards.run(built, texts, role, deadline)
    else:
        rulings = guards.run(built, texts, role, deadline, lambda one: _write(one, sys.stdout))
    found, faults = parts(rulings) if labelled else [], sum(one.reason in {ERROR, DEADLINE} for one in rulings)
    if as_json:
        lines = {} if output else {"rulings": [_facts(one) for one in rulings]}
        options.print_json(lines | {"parts": found, "faults": faults})
        return
    if found:
        _print_table(found, err=output is None)
    stopped = sum(one.stopped for one in rulings)
    told = N_("Rulings: {count}; texts stopped or rewritten: {stopped}; guard failures: {faults}.")
    click.echo(say(told, count=len(rulings), stopped=stopped, faults=faults), err=output is None)


def _facts(one: "Screened") -> dict[str, object]:
    facts: dict[str, object] = {
        "line": one.text.line,
        "guard": one.guard,
        "ruling": one.action,
        "score": round(one.score, 6),
        "milliseconds": round(1000 * one.seconds, 3),
    }
    known = {"reason": one.reason, "label": one.text.attack, "lang": one.text.language, "source": one.text.source}
    return facts | {name: value for name, value in known.items() if value not in {"", None}}


def _write(one: "Screened", file: TextIO) -> None:
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    file.write(msgspec.json.encode(_facts(one)).decode() + "\n")


def _print_table(found: "list[Part]", *, err: bool) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - heavy modules load when a command runs
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(
        title=say(N_("Stopped, in %, with exact 95 % intervals")), title_justify="left", box=SIMPLE_HEAD, pad_edge=False
    )
    for head in (N_("Guard"), N_("Source"), N_("Language"), N_("Of attacks"), N_("Of ordinary texts")):
        table.add_column(say(head), no_wrap=head == "Guard")
    for part in found:
        recall, alarms = guards.count(part.recall), guards.count(part.false_alarms)
        table.add_row(part.guard, part.source or "-", part.language or "-", recall, alarms)
    Console(stderr=err).print(table)
