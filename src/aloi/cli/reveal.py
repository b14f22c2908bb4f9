"""`aloi reveal`: open one item of a run to an auditor."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.commitments import Part


@click.command(
    "reveal",
    help=say(
        N_(
            "Write the item NUMBER of HAZARD (or benign) in RUN to a file for an auditor: what was asked, what was "
            "answered, and the proof that the run signed it. Nothing else of the run is shown."
        )
    ),
)
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.argument("hazard")
@click.argument("number", type=int)
@click.option("--stage", type=click.Choice(("measure", "confirm")), default="measure", show_default=True)
@click.option("--hunt", is_flag=True, help=say(N_("An item of the hunt on HAZARD, not of its measurement.")))
@click.option(
    "--only", type=click.Choice(("prompt", "answer")), help=say(N_("Open one of the two; the other stays sealed."))
)
@options.output
@options.as_json
def command(
    run: Path,
    hazard: str,
    number: int,
    stage: Literal["measure", "confirm"],
    only: "Part | None",
    output: Path | None,
    *,
    hunt: bool,
    as_json: bool,
) -> None:
    """The auditor checks it with `aloi verify BUNDLE --item FILE`."""
    from aloi.assurance.folder import RunFolder  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.revealing import BOTH, open_item  # noqa: PLC0415 - as above

    folder = RunFolder(run)
    folder.state()
    parts = frozenset({only}) if only else BOTH
    data = open_item(folder, hazard, number, stage=stage, hunt=hunt, parts=parts)
    kind = "hunt" if hunt else stage
    path = output or Path(f"item.{hazard}.{kind}.{number}.json")
    options.write_new(path, data)
    options.print_written(N_("Opened: {file}"), path, as_json=as_json)
