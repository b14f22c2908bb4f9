"""`aloi incident`: begin the report of a serious incident."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.draft import hand_over, output
from aloi.cli.speech import language, say
from aloi.translation import N_

KINDS = ("death", "widespread", "critical-infrastructure", "fundamental-rights", "property-or-environment", "other")


@click.group("incident", help=say(N_("Report serious incidents, in the shape of Article 73 of the EU AI Act.")))
def command() -> None:
    """Nothing is done before a verb is named."""


@command.command(
    "new",
    help=say(
        N_(
            "Draft the report of a serious incident: the latest day to make it, whether Article 73 applies, and its "
            "sections, filled from a bundle where one is named. Nothing is sent."
        )
    ),
)
@click.option(
    "--bundle", type=click.Path(path_type=Path), help=say(N_("Evidence on the system: a run's folder or a bundle."))
)
@click.option("--occurred", type=options.DAY, help=say(N_("The day of the first known occurrence, YYYY-MM-DD.")))
@click.option(
    "--aware", type=options.DAY, help=say(N_("The day on which the provider or the deployer became aware, YYYY-MM-DD."))
)
@click.option(
    "--kind", type=click.Choice(KINDS), help=say(N_("What kind of serious incident; it sets the latest day."))
)
@options.reader
@options.statements
@options.trusted
@output
@options.as_json
def new(
    bundle: Path | None,
    occurred: date | None,
    aware: date | None,
    kind: str | None,
    statements: Path | None,
    trust: tuple[Path, ...],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """A bundle that does not hold is refused, as everywhere."""
    from aloi.assurance.drafts.dossier import Dossier, described  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.drafts.incidents import facts  # noqa: PLC0415 - as above
    from aloi.assurance.drafts.page import incident  # noqa: PLC0415 - as above
    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.standards.exports.source import Source  # noqa: PLC0415 - as above

    if output:
        options.refuse_to_overwrite(output)
    if statements and not bundle:
        raise AskerError(
            N_("--statements says nothing without --bundle"), remedy=N_("name the bundle whose controls they answer")
        )
    now = datetime.now(UTC)
    today = now.astimezone().date()  # people write the days of where they are
    given = facts(occurred, aware, kind, today)
    at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    dossier = Dossier(today=today, facts=given)
    if bundle:
        verification = options.verified(bundle, trust)
        dossier = Dossier(
            today=today,
            facts=given,
            source=Source(verification=verification, at=at),
            said=options.said(statements, trust, verification),
            system=described(bundle, verification),
        )
    hand_over(incident(dossier, language(), at), output, as_json=as_json)
