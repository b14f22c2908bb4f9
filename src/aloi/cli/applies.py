"""`aloi applies`: which requirements of the EU AI Act bind this system, this role, on this day."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import language, say, tell
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.standards.applies import Answer, Applies

STATUS = {
    "binds": N_("binds"),
    "contested": N_("contested"),
    "not yet": N_("not yet"),
    "spared": N_("spared, as an older system"),
    "unknown": N_("unknown"),
}


@click.command(
    "applies", help=say(N_("Say which provisions of the EU AI Act bind a role, a class of system, on a day."))
)
@click.option("--role", "roles", multiple=True, required=True, help=say(N_("provider, deployer, importer, …")))
@click.option("--class", "classes", multiple=True, help=say(N_("prohibited, hr-annex3, transparency, gpai, …")))
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help=say(N_("The day, YYYY-MM-DD.")))
@click.option("--placed", type=click.DateTime(["%Y-%m-%d"]), help=say(N_("Day of the first placing on the market.")))
@click.option(
    "--redesigned/--not-redesigned", default=None, help=say(N_("Significant design change since the cut-off."))
)
@click.option("--public/--not-public", default=None, help=say(N_("Meant for use by public authorities.")))
@options.as_json
def command(
    roles: tuple[str, ...],
    classes: tuple[str, ...],
    day: "date",
    placed: "date | None",
    *,
    redesigned: bool | None,
    public: bool | None,
    as_json: bool,
) -> None:
    """Nothing here is legal advice: each line names its article, its date and how sure it is."""
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.assurance.standing import doubts  # noqa: PLC0415 - as above
    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.standards.applicability import applicability  # noqa: PLC0415 - as above
    from aloi.standards.applies import Situation, applies  # noqa: PLC0415 - as above
    from aloi.standards.pack import freshness  # noqa: PLC0415 - as above

    given = {
        "roles": roles,
        "classes": classes,
        "day": _day(day),
        "placed": _day(placed) if placed else None,
        "redesigned": redesigned,
        "public_authorities": public,
    }
    try:
        situation = msgspec.convert(given, Situation)
    except msgspec.ValidationError as error:
        raise AskerError(
            N_("this situation cannot be read: {problem}"),
            remedy=N_("`aloi applies --help` names roles and classes"),
            problem=error,
        ) from error
    table = applicability()
    for message, facts in doubts([freshness(table, datetime.now(UTC).date())], ()):
        tell(N_("Warning: {told}"), told=say(message, **facts))
    answer = applies(table, situation)
    if as_json:
        options.print_json(answer)
        return
    for line in _lines(answer):
        click.echo(line)


def _day(value: "date") -> str:
    return value.strftime("%Y-%m-%d")


def _lines(answer: "Answer") -> list[str]:
    lines = [say(N_("{law}, on {day}: not legal advice"), law=answer.law, day=answer.situation.day), ""]
    lines += [_line(found) for found in answer.provisions]
    if answer.open_points:
        lines += ["", say(N_("Open points, both sides:"))]
        for point in answer.open_points:
            lines += [f"  - {point.one_side.said(language())}", f"    {point.other_side.said(language())}"]
    return lines


def _line(found: "Applies") -> str:
    provision = found.provision
    told = say(STATUS[found.status])
    since = f" ({found.since})" if found.since else ""
    missing = f" ← {', '.join(found.missing)}" if found.missing else ""
    subject = provision.subject.said(language())
    return f"{told:<12}{since:<13} {provision.provision}: {subject} [{provision.certainty}]{missing}"
