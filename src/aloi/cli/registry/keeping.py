"""What who keeps a registry does: begin it, serve it, check it, back it up, and erase what must be erased."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import error_lines, say, tell, while_serving
from aloi.errors import AloiError, RegistryError
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.notes import NoteKey
    from aloi.registry.check import Checked
    from aloi.registry.log import Log
    from aloi.registry.server.configuration import Configuration
    from aloi.registry.server.sequencer import Trouble
    from aloi.registry.tilekeeper import TileKeeper

CONFIGURATION = click.argument("configuration", type=click.Path(path_type=Path, dir_okay=False))


@click.command("init", help=say(N_("Begin a registry in FOLDER: its key, and a registry.yaml to complete.")))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--name", required=True, help=say(N_("The log's name, for ever: a domain of yours and a path, without https://."))
)
@options.as_json
def init(folder: Path, name: str, *, as_json: bool) -> None:
    """ALOI_KEY_PASSPHRASE, where it is set, encrypts the key."""
    from aloi.assurance.proving import make_key, passphrase  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.notes import ED25519, NoteKey  # noqa: PLC0415 - as above
    from aloi.registry.server.beginning import REGISTRY, beginning  # noqa: PLC0415 - as above

    file = folder / REGISTRY
    options.refuse_to_overwrite(file)
    written = beginning(REGISTRY, name)
    key = make_key(folder / "log.pem", passphrase(), "ed25519")
    options.write_new(file, written)
    verifier = str(NoteKey(name, ED25519, key.public))
    if as_json:
        options.print_json({"configuration": str(file), "key": verifier})
        return
    click.echo(say(N_("Begun: {path}. Name in it who may publish, then run `aloi registry serve {path}`."), path=file))
    click.echo(say(N_("The log's key, for the trust policies of readers: {key}"), key=verifier))


@click.command("serve", help=say(N_("Serve the registry of CONFIGURATION (registry.yaml) until it is interrupted.")))
@CONFIGURATION
@options.as_json
def serve(configuration: Path, *, as_json: bool) -> None:
    """The first line printed is the address."""
    from aloi.registry.server.app import Registry  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.science.hazards import hazard_title  # noqa: PLC0415 - as above
    from aloi.serving.hurried import Hurried  # noqa: PLC0415 - as above
    from aloi.serving.listening import run  # noqa: PLC0415 - as above

    found = _read(configuration)
    log = _opened(configuration, found)
    try:

        def told(url: str) -> None:
            _listening(url, found, as_json=as_json)

        with _tiles(found.tiles, log) as keeper:
            app = Registry(log, found, _missing, _trouble(), keeper, hazard_title).app()
            run(app, found.host, found.port, told, http=Hurried, failure=RegistryError)
    finally:
        log.close()


@contextmanager
def _tiles(folder: Path | None, log: "Log") -> "Iterator[TileKeeper | None]":
    """The folder of tiles, kept up to date beside the server."""
    from aloi.registry.tilefolder import TileFolder  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.registry.tilekeeper import TileKeeper  # noqa: PLC0415 - as above

    if folder is None:
        yield None
        return
    with TileKeeper(TileFolder.open(folder, log), lambda problem: _unwritten(folder, problem)) as keeper:
        yield keeper


@while_serving()
def _unwritten(folder: Path, problem: str) -> None:
    if problem:
        tell(
            N_("Tiles cannot be written to {folder}: {problem}. They are answered from the database, and tried again."),
            folder=folder,
            problem=problem,
        )
    else:
        tell(N_("Tiles are written to {folder} again."), folder=folder)


@while_serving()
def _missing(url: str, reason: str) -> None:
    if reason:
        tell(N_("The witness at {url} does not cosign ({reason})."), url=url, reason=reason)
    else:
        tell(N_("The witness at {url} cosigns again."), url=url)


def _trouble() -> "Trouble":
    """Tells of what keeps statements from being logged when it begins, and when it is over."""
    told = ""

    @while_serving()
    def watch(error: AloiError | None) -> None:
        nonlocal told
        before, told = told, error.message if error else ""
        if error and told != before:
            click.echo("\n".join(error_lines(error)), err=True)
        elif before and not error:
            tell(N_("Statements are logged again."))

    return watch


def _listening(url: str, configuration: "Configuration", *, as_json: bool) -> None:
    if as_json:
        options.print_json({"name": configuration.name, "url": url})
    else:
        click.echo(say(N_("{name} answers at {url}"), name=configuration.name, url=url))
    if not configuration.submitters:
        tell(N_("Nobody may publish in it yet: name submitters in registry.yaml."))


@click.command(
    "check",
    help=say(N_("Compute the whole log and its index again, and compare them with all that is kept. Changes nothing.")),
)
@CONFIGURATION
@options.as_json
def check(configuration: Path, *, as_json: bool) -> None:
    """Exit 4 at the first difference."""
    from aloi.registry.check import check as checked  # noqa: PLC0415 - heavy modules load when a command runs

    found = _read(configuration)
    _tell(N_("The log is whole"), checked(found.database, _key(found), found.tiles), as_json=as_json)


@click.command(
    "backup", help=say(N_("Copy the whole log of CONFIGURATION into FILE, which must not exist; not its key."))
)
@CONFIGURATION
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.as_json
def backup(configuration: Path, file: Path, *, as_json: bool) -> None:
    """The copy is checked before this ends."""
    from aloi.registry.backup import backup as copy  # noqa: PLC0415 - heavy modules load when a command runs

    found = _read(configuration)
    _tell(N_("Copied and checked"), copy(found.database, file, _key(found)), as_json=as_json)


@click.command("restore", help=say(N_("Copy a backup FILE into the empty database that CONFIGURATION names.")))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@CONFIGURATION
@options.as_json
def restore(file: Path, configuration: Path, *, as_json: bool) -> None:
    """What is restored is checked before this ends."""
    from aloi.registry.backup import restore as copy  # noqa: PLC0415 - heavy modules load when a command runs

    found = _read(configuration)
    _tell(N_("Restored and checked"), copy(file, found.database, _key(found)), as_json=as_json)


@click.command(
    "erase",
    help=say(
        N_("Erase the envelope of entry INDEX for ever, for a reason that is published. Its digests and proofs stay.")
    ),
)
@CONFIGURATION
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--reason", required=True, callback=options.said_in_words, help=say(N_("Why, in words that name nobody."))
)
@options.as_json
def erase(configuration: Path, index: int, reason: str, *, as_json: bool) -> None:
    """To erase again changes nothing."""
    log = _opened(configuration, _read(configuration))
    try:
        log.erase(index, reason)
    finally:
        log.close()
    if as_json:
        options.print_json({"erased": index})
    else:
        click.echo(say(N_("Erased: the envelope of entry {index}."), index=index))


def _opened(path: Path, configuration: "Configuration") -> "Log":
    """The log, begun where it never was. A mark beside its configuration, and its tiles, outlive its database."""
    from aloi.registry.log import Log  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.registry.tilefolder import shows_a_log  # noqa: PLC0415 - as above

    mark = path.with_suffix(".begun")
    begun = mark.exists() or (configuration.tiles is not None and shows_a_log(configuration.tiles))
    log = Log.open(configuration.database, configuration.key, configuration.name, begin=not begun)
    try:
        mark.touch()
    except OSError:
        tell(
            N_("{file} cannot be written: were the database lost, nothing would keep the log from beginning anew."),
            file=mark,
        )
    return log


def _read(path: Path) -> "Configuration":
    from aloi.assurance.proving import passphrase  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.registry.server.configuration import load_configuration  # noqa: PLC0415 - as above

    return load_configuration(path, passphrase())


def _key(configuration: "Configuration") -> "NoteKey":
    from aloi.evidence.notes import ED25519, NoteKey  # noqa: PLC0415 - heavy modules load when a command runs

    return NoteKey(configuration.name, ED25519, configuration.key.public)


def _tell(what: str, checked: "Checked", *, as_json: bool) -> None:
    if as_json:
        options.print_json(checked._asdict())
        return
    line = N_("{what}: entries {entries}, of them erased {erased}; checkpoints {checkpoints}; subjects {subjects}.")
    click.echo(say(line, **{**checked._asdict(), "what": say(what)}))
    if checked.files:
        click.echo(say(N_("Static files that hold the same: {files}."), files=checked.files))
