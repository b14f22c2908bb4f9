"""`aloi registry mirror`: a verified copy of somebody's log."""

from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_


@click.command(
    "mirror",
    help=say(
        N_(
            "Bring the copy in FOLDER of the log at URL up to its newest head, and begin it where there is none. Every "
            "entry is held to what the log signed, its head to the last one seen, its index to its entries."
        )
    ),
)
@click.argument("url")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@options.policy
@options.as_json
def mirror(url: str, folder: Path, policy: Path, *, as_json: bool) -> None:
    """Exit 4 where the log lies; what shows it is kept in FOLDER/evidence."""
    from aloi.registry.mirroring import mirror as pull  # noqa: PLC0415 - heavy modules load when a command runs

    pulled = pull(url, folder, options.trust_policy(policy))
    if as_json:
        options.print_json(pulled._asdict())
        return
    line = N_("The copy of {origin} is whole: entries {entries}, of them new {fresh}; subjects {subjects}.")
    click.echo(say(line, **pulled._asdict()))
