"""What commands that sign one statement share."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.envelope import Envelope
    from aloi.evidence.keys import PrivateKey

organisation = click.option(
    "--organisation", required=True, callback=options.said_in_words, help=say(N_("The organisation that speaks."))
)
reason = click.option(
    "--reason", required=True, callback=options.said_in_words, help=say(N_("Why, in a sentence or two."))
)


def signer(path: Path | None) -> "PrivateKey":
    """The key that was named, or one's own; made where there is none."""
    from aloi.assurance.proving import signing_key  # noqa: PLC0415 - heavy modules load when a command runs

    return signing_key(path or options.default_key())


def file_named(*parts: str) -> Path:
    """The file of a statement, from what it says of what."""
    return Path("".join(c if c.isalnum() or c in ".@-" else "_" for c in ".".join((*parts, "dsse.json"))))


def hand_over(envelope: "Envelope", path: Path, *, as_json: bool) -> None:
    """Write a signed statement to a new file, and tell which."""
    from aloi.evidence.canonical import canonical  # noqa: PLC0415 - heavy modules load when a command runs

    options.write_new(path, canonical(envelope))
    options.print_written(N_("Signed: {file}"), path, as_json=as_json)


def hand_over_sealed(envelope: "Envelope", salt: bytes, text: str, path: Path, *, as_json: bool) -> None:
    """As `hand_over`, with the seal beside it: first what opens it, then what nobody could open without."""
    from aloi.assurance.stating import SEAL, Seal, keep  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence import envelope as dsse  # noqa: PLC0415 - as above
    from aloi.evidence.canonical import digest  # noqa: PLC0415 - as above

    seal = path.with_name(path.name.removesuffix(".dsse.json") + ".seal.json")
    for each in (path, seal):
        options.refuse_to_overwrite(each)
    keep(Seal(format=SEAL, commitment=digest(dsse.write(envelope)), salt=salt, text=text), seal)
    hand_over(envelope, path, as_json=as_json)
    if not as_json:
        click.echo(say(N_("Seal:   {file} (keep it: without it nothing can be opened)"), file=seal))
