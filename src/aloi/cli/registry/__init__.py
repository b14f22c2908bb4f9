"""`aloi registry`: keep a log that others can check."""

import click

from aloi.cli.extras import needing
from aloi.cli.registry import keeping
from aloi.cli.registry.mirror import mirror
from aloi.cli.registry.trust import trust
from aloi.cli.registry.witness import witness
from aloi.cli.speech import say
from aloi.translation import N_


class Verbs(click.Group):
    """Verbs that name the extra where one of its packages is not installed."""

    def invoke(self, ctx: click.Context) -> object:
        """As click does."""
        with needing("registry", N_("a registry")):
            return super().invoke(ctx)


@click.group(
    "registry",
    cls=Verbs,
    help=say(N_("Keep a registry: an append-only log of signed evidence that anybody can check.")),
)
def command() -> None:
    """Nothing is done before a verb is named."""


for verb in (keeping.init, keeping.serve, keeping.check, keeping.backup, keeping.restore, keeping.erase, trust, mirror):
    command.add_command(verb)
command.add_command(witness)
