"""`aloi standards case`: claim, argument, evidence for one framework, on a page that prints."""

from datetime import UTC, datetime
from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_


@click.command(
    "case",
    help=say(
        N_("Write the assurance case of BUNDLE for FRAMEWORK (HTML): claims, arguments, and statements at the leaves.")
    ),
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("framework")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@options.statements
@options.trusted
@options.as_json
def command(
    bundle: Path, framework: str, file: Path | None, statements: Path | None, trust: tuple[Path, ...], *, as_json: bool
) -> None:
    """The bundle is verified first; with --json and no FILE the case itself is printed."""
    from aloi.assurance.report.case import render_case  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.standing import lapsed  # noqa: PLC0415 - as above
    from aloi.assurance.telling import remedy_title  # noqa: PLC0415 - as above
    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.science.hazards import hazard_title  # noqa: PLC0415 - as above
    from aloi.standards.case import assurance_case  # noqa: PLC0415 - as above
    from aloi.standards.frameworks import framework as named  # noqa: PLC0415 - as above
    from aloi.standards.hub import hub  # noqa: PLC0415 - as above
    from aloi.standards.judging import evidence_of  # noqa: PLC0415 - as above

    found = named(framework)
    if file is None and not as_json:
        raise AskerError(N_("no file to write is named"), remedy=N_("name one after the framework, or ask for --json"))
    if file is not None:
        options.refuse_to_overwrite(file)
    verification = options.verified(bundle, trust)
    more = options.said(statements, trust, verification)
    today = datetime.now(UTC).date()
    evidence = (*evidence_of(verification), *more.attached)
    case = assurance_case(found, hub(), evidence, words=more.rows, today=today)
    if file is None:
        options.print_json(case)
        return
    page = render_case(
        case,
        found,
        hub(),
        verification,
        more.attached,
        language(),
        day=today.isoformat(),
        names={"hazard": hazard_title, "remedy": remedy_title},
        lapsed=tuple(lapsed(more, today)),
    )
    options.write_new(file, page.encode())
    options.print_written(N_("Written: {file}"), file, as_json=as_json)
