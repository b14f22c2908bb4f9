"""`aloi label`: give the answers that wait for a person their labels."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.assurance.folder import RunFolder
    from aloi.science.judging.ratings import Awaiting

KEYS = {"f": "failed", "p": "passed", "u": "unscorable", "s": "skip", "q": "quit"}
SPEAKERS = {
    "system": N_("SYSTEM"),
    "user": N_("USER"),
    "assistant": N_("ASSISTANT"),
    "document": N_("DOCUMENT"),
    "tool": N_("TOOL"),
}


@click.command("label", help=say(N_("Label the answers of RUN that wait for a person, one by one or through a CSV.")))
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--csv",
    "export",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Write what waits to this file; its column `label` is to be filled in.")),
)
@click.option(
    "--import",
    "labelled",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Read labels from this file: columns id and label, and by.")),
)
@click.option("--by", help=say(N_("Who labels; your login name where it is not given.")))
@options.as_json
@click.pass_context
def command(
    ctx: click.Context, run: Path, export: Path | None, labelled: Path | None, by: str | None, *, as_json: bool
) -> None:
    """Labels are added to the run's folder, with who and when. `aloi assure --resume` goes on with them."""
    from aloi.assurance.folder import RunFolder  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.labelling import awaited, read_csv, this_person, write_csv  # noqa: PLC0415 - as above

    if export and labelled:
        raise click.UsageError(say(N_("give --csv or --import, not both")), ctx)
    who = by or this_person()
    if not who:
        raise click.UsageError(say(N_("say who labels, with --by")), ctx)
    folder = RunFolder(run)
    told: dict[str, object] = {}
    if export:
        told = {"written": write_csv(awaited(folder, who), export)}
    elif labelled:
        given = read_csv(folder, labelled, who)
        told = {"labelled": given.labelled, "left": given.left, "known": given.known}
    elif as_json:
        told = {}
    else:
        told = {"labelled": _one_by_one(folder, awaited(folder, who), who)}
    left = len(awaited(folder, who))
    if as_json:
        options.print_json(told | {"waiting": left})
        return
    _tell(told, left, run)


def _tell(told: dict[str, object], left: int, run: Path) -> None:
    if "written" in told:
        click.echo(say(N_("Answers written: {count}; fill in their column `label`."), count=told["written"]))
    if "labelled" in told:
        click.echo(say(N_("Labels added: {count}."), count=told["labelled"]))
    if "left" in told:
        line = N_("Rows without a label: {left}; said before: {known}.")
        click.echo(say(line, left=told["left"], known=told["known"]))
    click.echo(say(N_("Answers that wait for your label: {count}."), count=left))
    if not left:
        click.echo(say(N_("To go on: aloi assure --resume {folder}"), folder=run))


def _one_by_one(folder: "RunFolder", waiting: "list[Awaiting]", who: str) -> int:
    """Show each answer and take a key. What the judge said is not shown: it would be repeated."""
    from aloi.assurance.labelling import WORDS, add_label  # noqa: PLC0415 - heavy modules load when a command runs

    added = 0
    for place, one in enumerate(waiting, start=1):
        _show(one, place, len(waiting))
        match _key():
            case "q":
                break
            case "s":
                continue
            case key:
                add_label(folder, who, one, WORDS[key])
                added += 1
    return added


def _show(one: "Awaiting", place: int, count: int) -> None:
    from aloi.assurance.labelling import short, turns  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.decoding import visible  # noqa: PLC0415 - as above
    from aloi.science.hazards import hazards  # noqa: PLC0415 - as above

    known = hazards().get(one.item.hazard)
    title = known.title[language()] if known else one.item.hazard
    head = N_("{place} of {count}  {hazard}  ({language}, {id})")
    told = say(head, place=place, count=count, hazard=title, language=one.item.language or "-", id=short(one.subject))
    click.echo(click.style(f"\n{told}", bold=True))
    for message in turns(one.item, one.response):
        # An answer may hold what a terminal would obey.
        click.echo(click.style(say(SPEAKERS[message.role]), bold=True) + f"\n{visible(message.content)}")
        for call in message.tool_calls:
            click.echo(visible(f"→ {call.name} {call.arguments}"))


def _key() -> str:
    """One of the keys: pressed on a terminal, a line elsewhere; the end of the input quits."""
    question = say(N_("[f] failed  [p] passed  [u] cannot tell  [s] skip  [q] quit"))
    while True:
        click.echo(f"\n{question} ", nl=False)
        if sys.stdin.isatty():
            said = click.getchar()
        else:
            line = sys.stdin.readline()
            said = line.strip() if line else "q"
        click.echo(said if said.isprintable() else "")
        if said.lower() in KEYS:
            return said.lower()
