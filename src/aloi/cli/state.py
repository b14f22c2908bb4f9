"""`aloi state`: sign what you say of a statement, of yourselves or of an incident, into a file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aloi.cli import options, signing, stateappraisal, stateincident, statewho
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.records import Record
    from aloi.evidence.vouching import WithdrawalReason

REASONS = ("error-in-method", "error-in-data", "superseded", "system-retired", "legal", "other")
statement = click.argument("statement")


@click.group(
    "state",
    help=say(
        N_(
            "Sign what you say of a statement, of your organisation or of an incident, into a file. STATEMENT is a "
            "file (*.dsse.json), or the digest of an envelope. Nothing is sent."
        )
    ),
)
def command() -> None:
    """Nothing is done before a verb is named."""


@command.command("endorse", help=say(N_("Sign that STATEMENT is right.")))
@statement
@signing.organisation
@options.key
@options.output
@options.as_json
def endorse(statement: str, organisation: str, key: Path | None, output: Path | None, *, as_json: bool) -> None:
    """Nobody's endorsement of what is their own counts."""
    from aloi.assurance.stating import now  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.vouching import Endorsement  # noqa: PLC0415 - as above

    _sign(
        "endorsement", statement, lambda: Endorsement(organisation=organisation, at=now()), key, output, as_json=as_json
    )


@command.command("dispute", help=say(N_("Sign that STATEMENT is wrong, and why.")))
@statement
@signing.organisation
@signing.reason
@options.key
@options.output
@options.as_json
def dispute(
    statement: str, organisation: str, reason: str, key: Path | None, output: Path | None, *, as_json: bool
) -> None:
    """Both sides stay visible."""
    _dispute("dispute", statement, organisation, reason, key, output, as_json=as_json)


@command.command("reply", help=say(N_("Sign your reply to a dispute; STATEMENT is the dispute.")))
@statement
@signing.organisation
@signing.reason
@options.key
@options.output
@options.as_json
def reply(
    statement: str, organisation: str, reason: str, key: Path | None, output: Path | None, *, as_json: bool
) -> None:
    """A reply is a dispute of the dispute."""
    from aloi.assurance.stating import read_stated  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.evidence.vouching import Dispute  # noqa: PLC0415 - as above

    if options.is_statement(Path(statement)) and not isinstance(read_stated(Path(statement)).record, Dispute):
        raise AskerError(N_("{file} is no dispute"), remedy=N_("name the dispute that you reply to"), file=statement)
    _dispute("reply", statement, organisation, reason, key, output, as_json=as_json)


@command.command("withdraw", help=say(N_("Sign that you take your STATEMENT back, for ever.")))
@statement
@signing.organisation
@click.option("--reason", type=click.Choice(REASONS), required=True, help=say(N_("Of which kind the reason is.")))
@click.option("--text", required=True, callback=options.said_in_words, help=say(N_("Why, in a sentence or two.")))
@click.option("--superseded-by", metavar="STATEMENT", help=say(N_("The statement that takes its place.")))
@options.key
@options.output
@options.as_json
def withdraw(
    statement: str,
    organisation: str,
    reason: "WithdrawalReason",
    text: str,
    superseded_by: str | None,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """It counts if a key that signed the statement, or another of the same organisation's roster, signs it."""
    from aloi.assurance.stating import named, now  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.vouching import Withdrawal  # noqa: PLC0415 - as above

    successor = named(superseded_by) if superseded_by else None

    def made() -> Withdrawal:
        return Withdrawal(organisation=organisation, at=now(), reason=reason, text=text, superseded_by=successor)

    _sign("withdrawal", statement, made, key, output, as_json=as_json)


@command.command("commit", help=say(N_("Fix STATEMENT before it is shown: sign a commitment to it, on its subjects.")))
@click.argument("statement", type=click.Path(path_type=Path, dir_okay=False))
@signing.organisation
@options.key
@options.output
@options.as_json
def commit(statement: Path, organisation: str, key: Path | None, output: Path | None, *, as_json: bool) -> None:
    """Log the commitment now and the statement later; the seal shows then that it was fixed."""
    from aloi.assurance import stating  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.commitments import commit as fixed  # noqa: PLC0415 - as above
    from aloi.evidence.vouching import Commitment  # noqa: PLC0415 - as above

    found, salt = stating.read_stated(statement), stating.salt()
    commitment = fixed(found.envelope, salt, "statement")
    envelope = stating.signed(
        lambda: Commitment(organisation=organisation, at=stating.now(), commitment=commitment),
        found.subjects,
        signing.signer(key),
    )
    path = output or signing.file_named("commitment", _short(found.envelope))
    signing.hand_over_sealed(envelope, salt, found.envelope, path, as_json=as_json)


@command.command("replication", help=say(N_("Sign that your finding STATEMENT repeats the finding OF of another.")))
@statement
@click.argument("of")
@click.option(
    "--kind",
    type=click.Choice(("exact", "conceptual")),
    required=True,
    help=say(N_("exact: the same plan anew; conceptual: the same question by other means.")),
)
@click.option(
    "--sealed",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("The *.seal.json file of `aloi state commit`: your finding was fixed before the other was logged.")),
)
@signing.organisation
@options.key
@options.output
@options.as_json
def replication(
    statement: str,
    of: str,
    kind: Literal["exact", "conceptual"],
    sealed: Path | None,
    organisation: str,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """It says nothing of whether both agree."""
    from aloi.assurance import stating  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.statement import Subject  # noqa: PLC0415 - as above
    from aloi.evidence.vouching import STATEMENT, Replication, Sealed  # noqa: PLC0415 - as above

    mine, other = stating.named(statement), stating.named(of)
    seal = stating.kept(sealed) if sealed else None
    envelope = stating.signed(
        lambda: Replication(
            organisation=organisation,
            at=stating.now(),
            of=other,
            kind=kind,
            sealed=Sealed(commitment=seal.commitment, salt=seal.salt) if seal else None,
        ),
        [Subject.of(STATEMENT, mine), Subject.of(STATEMENT, other)],
        signing.signer(key),
    )
    signing.hand_over(envelope, output or signing.file_named("replication", _short(mine)), as_json=as_json)


for one in (
    statewho.organisation,
    statewho.domain_proof,
    stateincident.incident,
    stateincident.open_incident,
    stateappraisal.appraise,
):
    command.add_command(one)


def _dispute(
    kind: str,
    statement: str,
    organisation: str,
    reason: str,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    from aloi.assurance.stating import now  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.vouching import Dispute  # noqa: PLC0415 - as above

    _sign(
        kind,
        statement,
        lambda: Dispute(organisation=organisation, at=now(), reason=reason),
        key,
        output,
        as_json=as_json,
    )


def _sign(
    kind: str,
    statement: str,
    make: "Callable[[], Record]",
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    from aloi.assurance.stating import named, signed  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.statement import Subject  # noqa: PLC0415 - as above
    from aloi.evidence.vouching import STATEMENT  # noqa: PLC0415 - as above

    digest = named(statement)
    envelope = signed(make, [Subject.of(STATEMENT, digest)], signing.signer(key))
    signing.hand_over(envelope, output or signing.file_named(kind, _short(digest)), as_json=as_json)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
