"""`aloi registry witness`: cosign the heads of others' logs, each only where it continues all that came before."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import say, tell, while_serving
from aloi.errors import RegistryError
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.registry.following import Follower
    from aloi.registry.server.witnessfile import Configuration
    from aloi.registry.witness import Answer

ALGORITHMS = ("ed25519", "ml-dsa-44")
# What is worth a look, each told once for a log. Older heads are not among it: anybody can send one again.
SEEN = {
    "false-index": N_("The look-ups of {log} would leave something out: its head was not cosigned."),
    "entry-mismatch": N_("{log} serves other entries than it signed for: its head was not cosigned."),
    "fork": N_("{log} signed two histories: both heads are kept in {folder}."),
    "not-consistent": N_(
        "Somebody sent a head of {log} without a proof that it continues the last one. The log owes one: see {folder}."
    ),
}
# What who runs the witness must mend, told again where it comes back.
OWN = {
    "not-followed": N_("{log} was not cosigned: its entries could not be read."),
    "clock-back": N_("{log} was not cosigned: this machine's clock stands before the last cosignature."),
    "state-not-saved": N_("{log} was not cosigned: nothing can be written in {folder}."),
    "state-not-read": N_("{log} was not cosigned: {folder} cannot be read."),
    "damaged-state": N_("{log} was not cosigned: what {folder} keeps of it is damaged."),
}


@click.group(
    "witness", help=say(N_("Witness logs of others: cosign their heads, and refuse those that fork or go back."))
)
def witness() -> None:
    """Nothing is done before a verb is named."""


@witness.command(
    "init", help=say(N_("Begin a witness in FOLDER: its key, its memory, and a witness.yaml to complete."))
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--name",
    required=True,
    help=say(N_("The witness's name, for ever: a domain of yours and a path, without https://.")),
)
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ed25519", show_default=True)
@options.as_json
def init(folder: Path, name: str, algorithm: str, *, as_json: bool) -> None:
    """ALOI_KEY_PASSPHRASE, where it is set, encrypts the key."""
    from aloi.assurance.proving import make_key, passphrase  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence import cosignatures  # noqa: PLC0415 - as above
    from aloi.registry.heads import FolderHeads  # noqa: PLC0415 - as above
    from aloi.registry.server.beginning import WITNESS, beginning  # noqa: PLC0415 - as above

    file = folder / WITNESS
    options.refuse_to_overwrite(file)
    written = beginning(WITNESS, name)
    key = make_key(folder / "witness.pem", passphrase(), algorithm)
    FolderHeads.create(folder / "state").close()
    options.write_new(file, written)
    verifier = str(cosignatures.witness_key(name, key))
    if as_json:
        options.print_json({"configuration": str(file), "key": verifier})
        return
    click.echo(say(N_("Begun: {path}. Name the logs in it, then run `aloi registry witness serve {path}`."), path=file))
    click.echo(say(N_("The witness's key, for logs and for trust policies: {key}"), key=verifier))


@witness.command("serve", help=say(N_("Serve the witness of CONFIGURATION (witness.yaml) until it is interrupted.")))
@click.argument("configuration", type=click.Path(path_type=Path, dir_okay=False))
@options.as_json
def serve(configuration: Path, *, as_json: bool) -> None:
    """The first line printed is the address. What is worth a look is told on standard error."""
    from aloi.assurance.proving import passphrase  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.registry.heads import FolderHeads  # noqa: PLC0415 - as above
    from aloi.registry.server.witness import Served  # noqa: PLC0415 - as above
    from aloi.registry.server.witnessfile import load_configuration  # noqa: PLC0415 - as above
    from aloi.registry.witness import Witness  # noqa: PLC0415 - as above
    from aloi.serving.hurried import Hurried  # noqa: PLC0415 - as above
    from aloi.serving.listening import run  # noqa: PLC0415 - as above

    found = load_configuration(configuration, passphrase())

    told: set[tuple[str, str]] = set()

    @while_serving()
    def watch(log: str, answer: "Answer") -> None:
        reason = getattr(answer, "reason", "")
        sentence = (SEEN | OWN).get(reason)
        if sentence and (log, reason) not in told:
            told.add((log, reason))
            tell(sentence, log=log, folder=found.state)
        elif not reason:
            told.difference_update((log, each) for each in OWN)

    with FolderHeads(found.state) as store:
        followers = {log: _follower(log, found) for log in found.follow}
        judges = {log: each.judge for log, each in followers.items()}
        witness = Witness(found.name, found.keys, found.logs, store, judges)
        served = Served(witness, lambda: int(time.time()), watch, found.requests_per_minute)
        run(
            served.app(),
            found.host,
            found.port,
            lambda url: _listening(url, found, as_json=as_json),
            http=Hurried,
            failure=RegistryError,
        )


def _follower(log: str, configuration: "Configuration") -> "Follower":
    """What reads a log, into a folder of its own beside the witness's memory."""
    import hashlib  # noqa: PLC0415 - beside its one use

    from aloi.registry.copies import FolderCopy  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.registry.following import Follower  # noqa: PLC0415 - as above

    folder = configuration.state.parent / "copies" / hashlib.sha256(log.encode()).hexdigest()[:16]
    copy = FolderCopy(folder) if folder.exists() else FolderCopy.create(folder)
    return Follower(configuration.logs[log], configuration.follow[log], copy)


def _listening(url: str, configuration: "Configuration", *, as_json: bool) -> None:
    if as_json:
        options.print_json({"name": configuration.name, "url": url})
    else:
        click.echo(say(N_("{name} witnesses at {url}"), name=configuration.name, url=url))
    if not configuration.logs:
        tell(N_("It watches no log yet: name them in witness.yaml."))
