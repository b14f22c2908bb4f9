"""`aloi registry`: keep a log that others can check."""

import click

from aloi.cli.registry import keeping
from aloi.cli.registry.mirror import mirror
from aloi.cli.registry.trust import trust
from aloi.cli.registry.witness import witness
from aloi.cli.speech import say
from aloi.translation import N_

PACKAGES = {"sqlalchemy", "alembic", "starlette", "uvicorn", "prometheus_client"}


class Verbs(click.Group):
    """Verbs that name the extra where one of its packages is not installed."""

    def invoke(self, ctx: click.Context) -> object:
        """As click does."""
        from aloi.errors import MissingExtra  # noqa: PLC0415 - only where a verb is used

        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in PACKAGES:
                raise
            raise MissingExtra(N_("a registry"), "registry", "pip install 'aloi[registry]'") from error


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
