"""`aloi state incident`: tell what went wrong, or a way to make systems fail, now or sealed until a day."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aloi.cli import options, signing
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.statement import Subject

DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    "incident",
    help=say(
        N_(
            "Sign what is in FILE (UTF-8 text): an incident, or a pattern of attack that was found. With "
            "--embargo-until, the text is sealed and stays with you until you open it."
        )
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--hazard", required=True, help=say(N_("The hazard, by its slug: see `aloi catalog hazards`.")))
@click.option(
    "--kind",
    type=click.Choice(("pattern", "incident")),
    required=True,
    help=say(N_("pattern: a way to make systems fail; incident: it happened.")),
)
@click.option(
    "--system",
    "systems",
    type=(str, str),
    metavar="NAME DIGEST",
    multiple=True,
    help=say(N_("A system that it affects, by name and fingerprint (sha256:…); may be given several times.")),
)
@click.option("--embargo-until", type=DAY, help=say(N_("The day from which the text is to be told, YYYY-MM-DD.")))
@click.option("--occurred", type=DAY, help=say(N_("The day of the first known occurrence, YYYY-MM-DD.")))
@click.option("--severity", help=say(N_("How severe it is, in your words.")))
@click.option("--harm", "harms", multiple=True, help=say(N_("A type of harm; may be given several times.")))
@click.option("--affected", multiple=True, help=say(N_("Who is affected; may be given several times.")))
@signing.organisation
@options.key
@options.output
@options.as_json
def incident(
    file: Path,
    hazard: str,
    kind: Literal["pattern", "incident"],
    systems: tuple[tuple[str, str], ...],
    embargo_until: datetime | None,
    occurred: datetime | None,
    severity: str | None,
    harms: tuple[str, ...],
    affected: tuple[str, ...],
    organisation: str,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """What is told beside a sealed text is told at once."""
    from aloi.assurance import stating  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.commitments import commit  # noqa: PLC0415 - as above
    from aloi.evidence.incidents import Incident  # noqa: PLC0415 - as above
    from aloi.science.hazards import hazard as known  # noqa: PLC0415 - as above

    slug, text, salt = known(hazard).slug, _text(file), stating.salt()
    fixed = commit(text, salt, "incident") if embargo_until else None

    def made() -> Incident:
        return Incident(
            organisation=organisation,
            at=stating.now(),
            hazard=slug,
            kind=kind,
            text=None if embargo_until else text,
            commitment=fixed,
            embargo_until=stating.written(embargo_until) if embargo_until else None,
            first_known_occurrence=f"{occurred:%Y-%m-%d}" if occurred else None,
            severity=severity,
            harm_types=harms,
            affected_stakeholders=affected,
        )

    envelope = stating.signed(made, _subjects(slug, systems), signing.signer(key))
    path = output or signing.file_named(kind, slug, file.stem)
    if embargo_until:
        signing.hand_over_sealed(envelope, salt, text, path, as_json=as_json)
    else:
        signing.hand_over(envelope, path, as_json=as_json)


@click.command(
    "open",
    help=say(N_("Sign the text of an incident that you sealed; FILE is its statement, SEAL its *.seal.json file.")),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("seal", type=click.Path(path_type=Path, dir_okay=False))
@options.key
@options.output
@options.as_json
def open_incident(file: Path, seal: Path, key: Path | None, output: Path | None, *, as_json: bool) -> None:
    """The sealed statement stays; this one shows that its text was fixed then."""
    from msgspec.structs import replace  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.assurance import stating  # noqa: PLC0415 - as above
    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.evidence.incidents import Incident  # noqa: PLC0415 - as above
    from aloi.evidence.vouching import Sealed  # noqa: PLC0415 - as above

    found, kept = stating.read_stated(file), stating.kept(seal)
    record = found.record
    if not isinstance(record, Incident) or record.text is not None or kept.commitment != found.envelope:
        raise AskerError(
            N_("{seal} does not open {file}"),
            remedy=N_("name the statement of a sealed incident, and the seal that was written with it"),
            seal=seal,
            file=file,
        )
    shows = Sealed(commitment=kept.commitment, salt=kept.salt)
    envelope = stating.signed(
        lambda: replace(record, at=stating.now(), text=kept.text, commitment=None, embargo_until=None, sealed=shows),
        found.subjects,
        signing.signer(key),
    )
    path = output or file.with_name(file.name.removesuffix(".dsse.json") + ".opened.dsse.json")
    signing.hand_over(envelope, path, as_json=as_json)


def _text(file: Path) -> str:
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.bundle import read  # noqa: PLC0415 - as above

    try:
        text = read(file).decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise AskerError(N_("{file} is no UTF-8 text"), remedy=N_("save it as plain text"), file=file) from error
    if not text:
        raise AskerError(N_("{file} is empty"), remedy=N_("write what happened into it"), file=file)
    return text


def _subjects(hazard: str, systems: tuple[tuple[str, str], ...]) -> "list[Subject]":
    from msgspec import ValidationError  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.evidence.incidents import HAZARD, hazard_digest  # noqa: PLC0415 - as above
    from aloi.evidence.statement import Subject  # noqa: PLC0415 - as above

    named = []
    for name, digest in systems:
        try:
            named.append(Subject.of(name, digest))
        except ValidationError as error:
            raise AskerError(
                N_("{got} is not the fingerprint of a system: 64 hexadecimal digits"),
                remedy=N_("`aloi verify BUNDLE` tells it after “About”"),
                got=digest,
            ) from error
    return named or [Subject.of(HAZARD, hazard_digest(hazard))]
