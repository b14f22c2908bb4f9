"""`aloi demo`: the whole loop on the example bank."""

from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_


@click.command(
    "demo", help=say(N_("Run the whole loop on the example bank, answered by a real model on this machine."))
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("aloi-demo"),
    show_default=True,
    help=say(N_("Folder for the demo's key and runs.")),
)
@options.as_json
@click.pass_context
def command(ctx: click.Context, output: Path, *, as_json: bool) -> None:
    """The key is made for the demo and stays in its folder."""
    from importlib.resources import as_file, files  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.cli.running import carry_out, start  # noqa: PLC0415 - as above
    from aloi.system.reading import open_system  # noqa: PLC0415 - as above

    with as_file(files("aloi") / "examples" / "banque-azur") as example:
        system = open_system(example)
    folder = start(system, output / "runs", output / "keys" / "demo.pem")
    ctx.exit(carry_out(folder, (), as_json=as_json))
