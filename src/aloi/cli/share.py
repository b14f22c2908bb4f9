"""`aloi share`: publish a bundle's statements in a registry, and keep the proofs that they stand there."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.registry.sharing import Shared


@click.command(
    "share",
    help=say(
        N_(
            "Publish the statements of BUNDLE, or one statement (*.dsse.json), in the registry at --to, each for ever, "
            "verify the proofs that it logged them, and keep these. What was published already is not published twice."
        )
    ),
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--to", "url", required=True, metavar="URL", help=say(N_("The registry's address.")))
@options.policy
@options.trusted
@click.option(
    "--proofs",
    type=click.Path(path_type=Path, file_okay=False),
    help=say(N_("New folder for the proofs; by default beside the bundle, with the ending .proofs.")),
)
@options.as_json
def command(
    bundle: Path, url: str, policy: Path, trust: tuple[Path, ...], proofs: Path | None, *, as_json: bool
) -> None:
    """The bundle is verified first: what does not hold is not published."""
    from aloi.registry.sharing import share  # noqa: PLC0415 - heavy modules load when a command runs

    file = options.bundle_file(bundle)
    found = options.trust_policy(policy)
    file = bundle if options.is_statement(bundle) else options.bundle_file(bundle)
    envelopes = _verified(file, trust)
    folder = proofs or file.with_suffix(".proofs")
    shared = asyncio.run(share(url, envelopes, found))
    for each in shared:
        path = folder / f"{each.logged.index:08d}.tlog-proof"
        if not path.exists():
            options.write_new(path, each.proof)
    _tell(shared, folder, as_json=as_json)


def _verified(file: Path, trust: tuple[Path, ...]) -> list[bytes]:
    """The envelopes of a bundle, its manifest last, or of one statement."""
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence import envelope as dsse  # noqa: PLC0415 - as above
    from aloi.evidence.verification import verify_statement  # noqa: PLC0415 - as above

    data = bundles.read(file)
    if options.is_statement(file):
        verify_statement(data, options.trusted_keys(trust))
        return [dsse.write(dsse.read(data))]
    options.held(file, trust)
    opened, _ = bundles.unpack(data)
    return [dsse.write(each) for each in (*opened.envelopes, opened.manifest)]


def _tell(shared: "list[Shared]", folder: Path, *, as_json: bool) -> None:
    last = max(shared, key=lambda each: each.logged.index).logged
    witnesses = [f"{each.name} ({each.operator})" for each in last.witnesses]
    if as_json:
        told = {
            "log": last.origin,
            "size": last.size,
            "indices": [each.logged.index for each in shared],
            "witnesses": witnesses,
            "proofs": str(folder),
        }
        options.print_json(told)
        return
    line = N_("{log} holds what was shared, {count} of its first {size} statements.")
    click.echo(say(line, log=last.origin, count=len(shared), size=last.size))
    if witnesses:
        click.echo(say(N_("Seen there by {witnesses}."), witnesses=", ".join(witnesses)))
    else:
        click.echo(say(N_("Your policy asks for no witness: this is the log's word alone.")))
    click.echo(say(N_("Proofs: {folder} (hand them out with the bundle)"), folder=folder))
