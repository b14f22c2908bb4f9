"""`aloi registry trust`: begin a trust policy with what a registry says of itself."""

import asyncio
from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_


@click.command(
    "trust",
    help=say(
        N_(
            "Begin a trust policy in FILE with the key that the registry at URL gives as its log's. It is its word: "
            "compare the key with what its keeper gives you another way."
        )
    ),
)
@click.argument("url")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.as_json
def trust(url: str, file: Path, *, as_json: bool) -> None:
    """No witness is asked for yet: add those whom you believe."""
    from aloi.registry.sharing import trust as told  # noqa: PLC0415 - heavy modules load when a command runs

    options.refuse_to_overwrite(file)
    line = asyncio.run(told(url))
    options.write_new(file, f"{line}\nquorum none\n".encode())
    if as_json:
        options.print_json({"file": str(file), "policy": line})
        return
    click.echo(say(N_("Begun: {file}. Compare its key with what the log's keeper gives you another way:"), file=file))
    click.echo(f"  {line}")
