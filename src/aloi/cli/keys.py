"""`aloi keys`: make and show signing keys; replace and revoke those of an organisation."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options, signing
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from datetime import datetime

    from aloi.evidence.organisations import Revocation

REVOCATIONS = ("compromised", "superseded", "retired", "other")
ALGORITHMS = ("ed25519", "p256", "ml-dsa-44")


@click.group("keys", help=say(N_("Make and show signing keys; replace or revoke the keys of an organisation.")))
def command() -> None:
    """Nothing is done before a verb is named."""


@command.command("new", help=say(N_("Make a key pair: FILE, readable by you alone, and FILE's .pub.pem to hand out.")))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ed25519", show_default=True)
@options.as_json
def new(file: Path | None, algorithm: str, *, as_json: bool) -> None:
    """ALOI_KEY_PASSPHRASE, where it is set, encrypts the file. A key is never overwritten."""
    from aloi.assurance.proving import make_key, passphrase  # noqa: PLC0415 - heavy modules load when a command runs

    path = file or options.default_key()
    key = make_key(path, passphrase(), algorithm)
    if as_json:
        options.print_json({"private": str(path), "public": str(path.with_suffix(".pub.pem")), "id": key.public.id})
        return
    click.echo(say(N_("Private key: {path} (keep it)"), path=path))
    click.echo(say(N_("Public key:  {path} (hand it out)"), path=path.with_suffix(".pub.pem")))
    click.echo(say(N_("Key id:      {id}"), id=key.public.id))


@command.command("show", help=say(N_("Show the id of a public or private key file.")))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@options.as_json
def show(file: Path | None, *, as_json: bool) -> None:
    """The default key, where no file is named."""
    from aloi.assurance.proving import public_key_of  # noqa: PLC0415 - heavy modules load when a command runs

    key = public_key_of(file or options.default_key())
    if as_json:
        options.print_json({"id": key.id, "public_key": key.pem().decode()})
        return
    click.echo(key.id)
    click.echo(key.pem().decode(), nl=False)


@command.command(
    "rotate",
    help=say(
        N_(
            "Make the key NEW and sign, with it and with a key of the roster, that it speaks for the organisation from "
            "now on; ORGANISATION is its newest statement."
        )
    ),
)
@click.argument("organisation", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--keep", is_flag=True, help=say(N_("Leave the key that signs in the roster; else it is revoked.")))
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ed25519", show_default=True)
@options.key
@options.output
@options.as_json
def rotate(
    organisation: Path, new: Path, algorithm: str, key: Path | None, output: Path | None, *, keep: bool, as_json: bool
) -> None:
    """Nothing is sent: the organisation's other statements stay what they were."""
    from aloi.assurance import organising, stating  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.proving import kept_key, make_key, passphrase  # noqa: PLC0415 - as above

    own, at = organising.read_own(organisation), stating.now()
    old = kept_key(key or options.default_key())
    organising.require_speaking(own.organisation, old.public, at)
    path = output or organising.file_of(organising.successor(own, at))
    options.refuse_to_overwrite(path)
    made = make_key(new, passphrase(), algorithm)
    record = organising.with_key(own, made.public, at, instead_of="" if keep else old.public.id)
    envelope = stating.signed(lambda: record, [organising.subject_of(record)], old, made)
    signing.hand_over(envelope, path, as_json=as_json)


@command.command(
    "revoke",
    help=say(
        N_(
            "Sign that a key speaks no longer for the organisation; ORGANISATION is its newest statement, KEY the id "
            "of the key or its public file."
        )
    ),
)
@click.argument("organisation", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("revoked", metavar="KEY")
@click.option("--reason", type=click.Choice(REVOCATIONS), required=True, help=say(N_("Why.")))
@click.option(
    "--since",
    type=options.MOMENT,
    help=say(N_("Since when, in UTC; now, if it is not given. What was logged before this statement stays yours.")),
)
@options.key
@options.output
@options.as_json
def revoke(
    organisation: Path,
    revoked: str,
    reason: "Revocation",
    since: "datetime | None",
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """The key that signs stays; take back what a stolen key signed with `aloi state withdraw`."""
    from aloi.assurance import organising, stating  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.proving import kept_key, public_key_of  # noqa: PLC0415 - as above

    own, at = organising.read_own(organisation), stating.now()
    signer = kept_key(key or options.default_key())
    organising.require_speaking(own.organisation, signer.public, at)
    name = revoked if ":" in revoked else public_key_of(Path(revoked)).id
    time = stating.written(since) if since else at
    record = organising.without_key(own, name, at, since=time, reason=reason)
    envelope = stating.signed(lambda: record, [organising.subject_of(record)], signer)
    signing.hand_over(envelope, output or organising.file_of(record), as_json=as_json)
