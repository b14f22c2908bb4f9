"""`aloi keys`: make and show signing keys."""

from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_

ALGORITHMS = ("ed25519", "p256", "ml-dsa-44")


@click.group("keys", help=say(N_("Make and show signing keys.")))
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
