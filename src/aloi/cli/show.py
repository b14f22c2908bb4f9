"""`aloi show`: what a run or a bundle says, again."""

from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_


@click.command(
    "show", help=say(N_("Write the reports of RUN again from its log, and print the outcome. Nothing is asked."))
)
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@options.as_json
@click.pass_context
def command(ctx: click.Context, run: Path, *, as_json: bool) -> None:
    """The run must have ended; one that has not is resumed with `aloi assure --resume`."""
    from aloi.assurance.folder import RunFolder  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.cli.running import carry_out  # noqa: PLC0415 - as above
    from aloi.errors import AskerError  # noqa: PLC0415 - as above

    folder = RunFolder(run)
    folder.state()
    if not folder.bundle.exists():
        raise AskerError(
            N_("the run in {folder} has not ended"), remedy=N_("aloi assure --resume {folder}"), folder=run
        )
    ctx.exit(carry_out(folder, (), as_json=as_json, offline=True))
