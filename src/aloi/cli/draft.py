"""`aloi draft`: a document for people to finish, filled from a verified bundle, with its gaps visible."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.assurance.drafts.outline import Drafted
    from aloi.assurance.drafts.page import Draft

KINDS = ("annex-iv", "gpai-evaluation", "system-card")

output = click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Markdown file to write; printed, where no file is named.")),
)


@click.command(
    "draft",
    help=say(
        N_(
            "Draft a document of KIND from BUNDLE: the EU AI Act's technical documentation (annex-iv), the evaluation "
            "of a general-purpose model (gpai-evaluation), or a card (system-card). What no evidence answers is shown "
            "as a gap. Given a run's folder, purpose and parts of the system are read too."
        )
    ),
)
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("bundle", type=click.Path(path_type=Path))
@options.reader
@options.statements
@options.trusted
@output
@options.as_json
def command(
    kind: "Drafted",
    bundle: Path,
    statements: Path | None,
    trust: tuple[Path, ...],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """The bundle is verified first. Nothing here says that a law is complied with."""
    from aloi.assurance.drafts.dossier import Dossier, described  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.drafts.page import draft  # noqa: PLC0415 - as above
    from aloi.standards.exports.source import Source  # noqa: PLC0415 - as above

    if output:
        options.refuse_to_overwrite(output)
    verification = options.verified(bundle, trust)
    now = datetime.now(UTC)
    at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    dossier = Dossier(
        today=now.date(),
        source=Source(verification=verification, at=at),
        said=options.said(statements, trust, verification),
        system=described(bundle, verification),
    )
    hand_over(draft(kind, dossier, language(), at), output, as_json=as_json)


def hand_over(made: "Draft", output: Path | None, *, as_json: bool) -> None:
    """Write a draft to a file that is not there yet, or print it."""
    if output:
        options.write_new(output, made.markdown.encode())
    if as_json:
        options.print_json(made)
    elif output:
        options.print_written(N_("Written: {file}"), output, as_json=False)
    else:
        click.echo(made.markdown, nl=False)
