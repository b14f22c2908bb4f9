"""Options that several commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from aloi.cli.speech import say
from aloi.translation import N_

F = TypeVar("F", bound=Callable[..., Any])


def home() -> Path:
    """Where Aloi keeps keys: ALOI_HOME, else `aloi` in the user's configuration folder."""
    if given := os.environ.get("ALOI_HOME"):
        return Path(given)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "aloi"


def default_key() -> Path:
    """The key that signs where none is named."""
    return home() / "keys" / "default.pem"


def refuse_to_overwrite(path: Path) -> None:
    """Raises AskerError where a file that is to be made is there already."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    if path.exists():
        raise AskerError(
            N_("{file} is there already"), remedy=N_("name another file with --output, or move this one"), file=path
        )


def print_json(value: object) -> None:
    """Print a result for machines."""
    import msgspec  # noqa: PLC0415 - only where a machine reads

    click.echo(msgspec.json.encode(value).decode())


as_json = click.option("--json", "as_json", is_flag=True, help=say(N_("Print the result as JSON, for machines.")))
runs = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help=say(N_("Folder under which each run gets a folder of its own.")),
)
key = click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Private key that signs; made if it does not exist. ALOI_KEY_PASSPHRASE opens it.")),
)
frameworks = click.option(
    "--framework",
    "frameworks",
    multiple=True,
    help=say(N_("Framework to show coverage of, as name@edition; may be given several times. All, if none is given.")),
)
