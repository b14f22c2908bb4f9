"""`aloi state organisation`: who speaks, with which keys, and how it stands to what it evaluates."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aloi.cli import options, signing
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aloi.evidence.organisations import Relation

KINDS = ("public", "private", "academic")
RELATIONS = ("first_party", "third_party", "collaborative", "other")
ACCESSES = ("black-box", "grey-box", "white-box", "outside-the-box")
EVERYBODY = "everybody"


@click.command(
    "organisation",
    help=say(
        N_(
            "Sign the first statement of your organisation on itself, with the key that speaks for it; with "
            "--previous, the next one, in which something else has changed."
        )
    ),
)
@click.option("--name", help=say(N_("The organisation's name.")))
@click.option("--kind", type=click.Choice(KINDS), help=say(N_("What it is.")))
@click.option("--domain", help=say(N_("Its domain on the internet, for example institute.example.org.")))
@click.option(
    "--relation",
    "relations",
    type=(str, click.Choice(RELATIONS), click.Choice(ACCESSES), str),
    metavar="TO KIND ACCESS FUNDING",
    multiple=True,
    help=say(
        N_(
            "How it stands to whom it evaluates: the domain of who builds or runs the systems, or `everybody`; whether "
            "it is first_party, third_party, collaborative or other; the access it has (black-box, grey-box, "
            "white-box, outside-the-box); and, in words, who pays. May be given several times."
        )
    ),
)
@click.option(
    "--with",
    "others",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help=say(N_("A further private key that speaks for it and signs too; may be given several times.")),
)
@click.option(
    "--previous", type=click.Path(path_type=Path, dir_okay=False), help=say(N_("The newest statement it made so far."))
)
@options.key
@options.output
@options.as_json
def organisation(
    name: str | None,
    kind: Literal["public", "private", "academic"] | None,
    domain: str | None,
    relations: "tuple[tuple[str, str, str, str], ...]",
    others: tuple[Path, ...],
    previous: Path | None,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Every key that is listed signs, so that nobody lists another's."""
    from aloi.assurance import organising, stating  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.proving import kept_key  # noqa: PLC0415 - as above
    from aloi.evidence.organisations import Organisation  # noqa: PLC0415 - as above

    at = stating.now()
    given = {"name": name, "kind": kind, "domain": domain, "relations": tuple(_relation(*each) for each in relations)}
    given = {field: value for field, value in given.items() if value}
    if previous:
        own = organising.read_own(previous)
        keys = [kept_key(each) for each in (key or options.default_key(), *others)]
        record = stating.made(lambda: organising.changed(own, at, [each.public for each in keys], **given))
    else:
        _require(given)
        keys = [signing.signer(key), *(kept_key(each) for each in others)]
        listed = tuple(organising.fresh(each.public, at) for each in keys)
        record = stating.made(lambda: Organisation(keys=listed, at=at, **given))  # type: ignore[arg-type]  # as required
    envelope = stating.signed(lambda: record, [organising.subject_of(record)], *keys)
    signing.hand_over(envelope, output or organising.file_of(record), as_json=as_json)


@click.command(
    "domain-proof",
    help=say(
        N_(
            "Write the text by which the domain of an organisation vouches for its keys; FILE is its newest statement. "
            "Serve it as it is under /.well-known/aloi-organisation."
        )
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.output
@options.as_json
def domain_proof(file: Path, output: Path | None, *, as_json: bool) -> None:
    """Nothing is sent: whoever keeps the domain publishes it."""
    from aloi.assurance.organising import read_own  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.domainproof import domain_proof as text_of  # noqa: PLC0415 - as above

    path = output or Path("aloi-organisation")
    options.write_new(path, text_of(read_own(file).organisation))
    options.print_written(N_("Written: {file}"), path, as_json=as_json)


def _relation(to: str, kind: str, access: str, funding: str) -> "Relation":
    from aloi.assurance.stating import made  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.organisations import ANYTHING, Relation  # noqa: PLC0415 - as above

    fields = {"to": ANYTHING if to == EVERYBODY else to, "kind": kind, "access": access, "funding": funding}
    return made(lambda: Relation(**fields))  # type: ignore[arg-type]  # click let only these words through


def _require(given: "Mapping[str, object]") -> None:
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    options_of = {"name": "--name", "kind": "--kind", "domain": "--domain", "relations": "--relation"}
    missing = ", ".join(option for field, option in options_of.items() if field not in given)
    if missing:
        raise AskerError(
            N_("a first statement needs: {missing}"),
            remedy=N_("give them, or name the statement before with --previous"),
            missing=missing,
        )
