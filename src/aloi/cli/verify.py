"""`aloi verify`: check a bundle, or one statement, offline, claim by claim."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.claims import ASSURANCE, NON_CLAIMS, claim_line
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.commitments import Opened, Withheld
    from aloi.evidence.items import VerifiedItem
    from aloi.evidence.publickeys import PublicKey
    from aloi.evidence.statement import Subject
    from aloi.evidence.verification import Verification, VerifiedClaim


@click.command(
    "verify",
    help=say(
        N_(
            "Check BUNDLE, or one statement (*.dsse.json), offline and say, claim by claim, what holds and what is not "
            "claimed."
        )
    ),
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Public key of a signer you trust; may be given several times. Your own key is trusted.")),
)
@click.option("--threshold", type=click.IntRange(1, 16), default=1, help=say(N_("How many trusted keys must sign.")))
@click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(
        N_("Trust policy: which logs and witnesses you believe. Proofs that BUNDLE is logged are then checked as well.")
    ),
)
@click.option(
    "--proof",
    "proofs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(
        N_("Proof that a statement of BUNDLE is logged; may be given several times. Else those beside BUNDLE are read.")
    ),
)
@click.option(
    "--item",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("An item that `aloi reveal` opened: whether it belonged to what the bundle signs.")),
)
@click.option(
    "--domain-proof",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(
        N_(
            "The text that an organisation's domain serves under /.well-known/aloi-organisation: its keys are trusted "
            "for that organisation's own statement."
        )
    ),
)
@options.as_json
def command(
    bundle: Path,
    keys: tuple[Path, ...],
    threshold: int,
    policy: Path | None,
    proofs: tuple[Path, ...],
    item: Path | None,
    domain_proof: Path | None,
    *,
    as_json: bool,
) -> None:
    """Exit 0 when everything holds, 4 when anything does not."""
    trusted = [options.public_key(key) for key in keys or options.own_keys()]
    if options.is_statement(bundle):
        for given, option in ((item, "--item"), (policy, "--policy"), (proofs or None, "--proof")):
            _refuse(given, option, bundle)
        _tell_statement(bundle, trusted, threshold, domain_proof, as_json=as_json)
    else:
        _refuse(domain_proof, "--domain-proof", bundle)
        verification = _verified(bundle, trusted, threshold, policy, proofs)
        _tell_bundle(verification, item, as_json=as_json)


def _refuse(given: object, option: str, bundle: Path) -> None:
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    if given is not None:
        raise AskerError(
            N_("{option} says nothing about {bundle}"),
            remedy=N_("--item, --policy and --proof go with a bundle, --domain-proof with a statement (*.dsse.json)"),
            option=option,
            bundle=bundle,
        )


def _tell_statement(
    path: Path, trusted: "Sequence[PublicKey]", threshold: int, served: Path | None, *, as_json: bool
) -> None:
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.verification import verify_statement  # noqa: PLC0415 - as above

    text = bundles.read(served) if served else None
    claim = verify_statement(bundles.read(path), trusted, threshold=threshold, served=text)
    if as_json:
        options.print_json(claim)
        return
    for line in _statement_lines(claim):
        click.echo(line)


def _statement_lines(claim: "VerifiedClaim") -> list[str]:
    return [
        click.style(say(N_("The statement holds: nothing in it was changed since it was signed.")), fg="green"),
        say(N_("Named   {digest}"), digest=claim.envelope),
        say(N_("Signed  {signers}"), signers=", ".join(signer.key_id for signer in claim.signers)),
        *_assurance_lines([claim]),
        *_subject_lines(claim.subject),
        "",
        say(N_("What is claimed:")),
        f"  {claim_line(claim.record, claim.subject, claim.predicate_type)}",
        *_unclaimed(claim.non_claims),
    ]


def _verified(
    path: Path, trusted: "Sequence[PublicKey]", threshold: int, policy: Path | None, proofs: Sequence[Path]
) -> "Verification":
    from aloi.cli import published  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - as above
    from aloi.evidence.verification import verify_bundle  # noqa: PLC0415 - as above

    file = options.bundle_file(path)
    logs = published.read(file, policy, proofs)
    return verify_bundle(bundles.read(file), trusted, threshold=threshold, **logs._asdict())


def _tell_bundle(verification: "Verification", item: Path | None, *, as_json: bool) -> None:
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.items import verify_item  # noqa: PLC0415 - as above

    opened = verify_item(bundles.read(item), verification.claims) if item else None
    if as_json:
        options.print_json(opened or verification)
        return
    for line in _item_lines(opened) if opened else _lines(verification):
        click.echo(line)


def _lines(verification: "Verification") -> list[str]:
    from aloi.cli import published  # noqa: PLC0415 - heavy modules load when a command runs

    signers = ", ".join(signer.key_id for signer in verification.packed_by)
    return [
        click.style(say(N_("The bundle holds: nothing in it was changed since it was signed.")), fg="green"),
        say(N_("Bundle  {digest}"), digest=verification.digest),
        say(N_("Signed  {signers}"), signers=signers),
        *_assurance_lines(verification.claims),
        *_subject_lines(verification.subject),
        *([say(N_("Guards  {digest}"), digest=verification.guard_set)] if verification.guard_set else []),
        "",
        say(N_("What is claimed, each at the stated threshold:")),
        *(f"  {claim_line(claim.record, claim.subject, claim.predicate_type)}" for claim in verification.claims),
        *published.lines(verification),
        *_unclaimed(verification.non_claims),
    ]


def _item_lines(item: "VerifiedItem") -> list[str]:
    opening = item.opening
    return [
        click.style(say(N_("The bundle holds, and the item was among what it signs.")), fg="green"),
        say(N_("Item    {number} of {count}"), number=opening.index + 1, count=opening.size),
        *(f"  {claim_line(claim.record, claim.subject, claim.predicate_type)}" for claim in item.claims),
        "",
        say(N_("Asked   {text}"), text=_part(opening.prompt)),
        say(N_("Said    {text}"), text=_part(opening.answer)),
    ]


def _part(part: "Opened | Withheld") -> str:
    """A text that was opened, on one line, without a character that moves the cursor."""
    from aloi.evidence.commitments import Opened  # noqa: PLC0415 - heavy modules load when a command runs

    if not isinstance(part, Opened):
        return say(N_("(sealed)"))
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in part.text)


def _assurance_lines(claims: "Iterable[VerifiedClaim]") -> list[str]:
    levels = dict.fromkeys(claim.assurance_level for claim in claims if claim.assurance_level)
    return [say(ASSURANCE[level]) for level in levels]


def _subject_lines(subjects: "Iterable[Subject]") -> list[str]:
    from aloi.evidence.decoding import shown  # noqa: PLC0415 - heavy modules load when a command runs

    return [say(N_("About   {name}  {digest}"), name=shown(s.name), digest=s.fingerprint) for s in subjects]


def _unclaimed(codes: "Iterable[str]") -> list[str]:
    told = [f"  - {say(NON_CLAIMS[code]) if code in NON_CLAIMS else code}" for code in codes]
    return ["", say(N_("What is not claimed:")), *told]
