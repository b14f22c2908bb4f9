"""`aloi registry`: keep a log that others can check."""

import click

from aloi.cli.registry import keeping
from aloi.cli.registry.mirror import mirror
from aloi.cli.registry.trust import trust
from aloi.cli.registry.witness import witness
from aloi.cli.speech import say
from aloi.translation import N_


@click.group("registry", help=say(N_("Keep a registry: an append-only log of signed evidence that anybody can check.")))
def command() -> None:
    """Nothing is done before a verb is named."""


for verb in (keeping.init, keeping.serve, keeping.check, keeping.backup, keeping.restore, keeping.erase, trust, mirror):
    command.add_command(verb)
command.add_command(witness)
