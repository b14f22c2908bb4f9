"""Options that several commands share."""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aloi.assurance import trusting
from aloi.cli.speech import say, tell
from aloi.translation import LANGUAGES, N_

if TYPE_CHECKING:
    from aloi.assurance.registering import Registry
    from aloi.assurance.standing import Said
    from aloi.evidence.publickeys import PublicKey
    from aloi.evidence.trustpolicy import Policy
    from aloi.evidence.verification import Verification
    from aloi.standards.frameworks import Framework

DIGEST = re.compile("sha256:[0-9a-f]{64}")
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
F = TypeVar("F", bound=Callable[..., Any])
# What the library does without a command line as well.
bundle_file, default_key, own_keys = trusting.bundle_file, trusting.default_key, trusting.own_keys
trusted_keys, verified, held = trusting.trusted_keys, trusting.verified, trusting.held


class Day(click.ParamType[date]):
    """A day, typed as YYYY-MM-DD."""

    name = "day"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - the signature is click's
        """What stands for it in a command's help."""
        return say(N_("YYYY-MM-DD"))

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day. Fails as a usage error."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value.strip())
        except ValueError:
            self.fail(say(N_("{got} is no day, written YYYY-MM-DD"), got=repr(value)), param, ctx)


class Moment(click.ParamType[datetime]):
    """A day or a second of UTC, typed as YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ."""

    name = "moment"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - the signature is click's
        """What stands for it in a command's help."""
        return say(N_("YYYY-MM-DD[THH:MM:SSZ]"))

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, its day's first second where no time is given. Fails as a usage error."""
        for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%SZ"):
            with suppress(ValueError):
                return value if isinstance(value, datetime) else datetime.strptime(value, form)  # noqa: DTZ007 - UTC
        told = say(N_("{got} is no moment, written YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ"), got=repr(value))
        raise click.BadParameter(told, ctx, param)


class DomainName(click.ParamType[str]):
    """A domain of the internet, in its ASCII form."""

    name = "domain"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The domain. Fails as a usage error."""
        if not DOMAIN.fullmatch(value):
            self.fail(say(N_("{got} is no domain, written as institute.example.org"), got=repr(value)), param, ctx)
        return value


DAY = Day()
MOMENT = Moment()


def public_key(path: Path) -> "PublicKey":
    """A public key file. Raises AskerError where it cannot be read."""
    from aloi.evidence.keys import load_public  # noqa: PLC0415 - heavy modules load when a command runs

    return load_public(path)


def is_digest(given: str) -> bool:
    """Whether a system is given by its digest. Raises AskerError for one that was cut short or misspelt."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    if given.startswith("sha256:") and not DIGEST.fullmatch(given):
        raise AskerError(
            N_("“{got}” is no digest"), remedy=N_("give `sha256:` and 64 digits of 0 to 9 and a to f"), got=given
        )
    return DIGEST.fullmatch(given) is not None


def is_statement(path: Path) -> bool:
    """Whether a file holds one signed statement, as it stands beside bundles: by its name."""
    return path.name.endswith(".dsse.json") and not path.is_dir()


def framework(name: str, mapping: Path | None) -> "Framework":
    """An installed framework, through the rows of a file where one is named."""
    from aloi.standards.frameworks import framework as named  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.frameworks import through  # noqa: PLC0415 - as above

    return through(named(name), mapping) if mapping else named(name)


def trust_policy(path: Path) -> "Policy":
    """Which logs and witnesses the reader believes. Raises InvalidFile, AskerError where it cannot be read."""
    from aloi.evidence import bundle, policyfile  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.decoding import LIMIT  # noqa: PLC0415 - as above

    return policyfile.read(bundle.read(path, LIMIT), str(path))


def registry(url: str | None, policy: Path | None) -> "Registry | None":
    """Where a run's plan is registered. Raises AskerError where only one of both was given."""
    from aloi.assurance.registering import Registry  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.errors import AskerError  # noqa: PLC0415 - as above

    if url is None and policy is None:
        return None
    if url is None or policy is None:
        raise AskerError(
            N_("--register and --policy belong together: where the plan goes, and whom its proof has to convince"),
            remedy=N_("give both; `aloi registry trust URL FILE` begins a policy"),
        )
    return Registry(url, trust_policy(policy))


def registries_policy(urls: Sequence[str], policy: Path | None) -> "Policy | None":
    """Whom the reader believes of the registries that are asked; None where none is.

    Raises AskerError where only one of both was given.
    """
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    if bool(urls) != bool(policy):
        raise AskerError(
            N_("--registry and --policy belong together: whom to ask, and which logs and witnesses to believe"),
            remedy=N_("give both; `aloi registry trust URL FILE` begins a policy"),
        )
    return trust_policy(policy) if policy else None


def said(folder: Path | None, trust: Sequence[Path], beside: "Verification | None" = None) -> "Said":
    """What signed statements say, beside a bundle where there is one.

    What was attached for another system, and what no trusted key signed, is left out, and told. One's own key is
    trusted without being named.
    """
    from aloi.assurance.standing import Said  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.standing import said as read  # noqa: PLC0415 - as above

    if not folder:
        return Said()
    found = read(folder, trusted_keys(trust), beside, [public_key(path).id for path in trust])
    if found.left_out:
        told = N_("left out, since they are attached for another system: {files}")
        tell(told, files=", ".join(found.left_out))
    if found.strangers:
        told = N_("left out, since no key that you trust signed them (name one with --trust): {files}")
        tell(told, files=", ".join(found.strangers))
    return found


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, and its folders. Raises AskerError where that cannot be."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    refuse_to_overwrite(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise AskerError(
            N_("cannot write {file}: {problem}"),
            remedy=N_("make the folder writable, free some space, or name another file"),
            file=path,
            problem=error.strerror or error,
        ) from error


def said_in_words(_: click.Context, parameter: click.Parameter, value: str) -> str:
    """What a person says of somebody or something: not nothing."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    if not value.strip():
        raise AskerError(
            N_("{option}: nothing is said"), remedy=N_("say it in words: others will read it"), option=parameter.opts[0]
        )
    return value


def refuse_to_overwrite(path: Path) -> None:
    """Raises AskerError where a file that is to be made is there already."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    if os.path.lexists(path):
        raise AskerError(N_("{file} is there already"), remedy=N_("name another file, or move this one"), file=path)


def print_json(value: object) -> None:
    """Print a result for machines."""
    import msgspec  # noqa: PLC0415 - only where a machine reads

    click.echo(msgspec.json.encode(value).decode())


def print_written(message: str, path: Path, *, as_json: bool) -> None:
    """Tell which file was made."""
    if as_json:
        print_json({"file": str(path)})
    else:
        click.echo(say(message, file=path))


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
trusted = click.option(
    "--trust",
    "trust",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Public key of a signer you trust; may be given several times. Your own key is trusted.")),
)
register = click.option(
    "--register",
    "register",
    metavar="URL",
    help=say(N_("Publish the signed plan in the registry at URL before the system is asked; goes with --policy.")),
)
believed = click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Trust policy that the proof of the registered plan must satisfy.")),
)
policy = click.option(
    "--policy",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Trust policy: which logs and witnesses you believe; `aloi registry trust` begins one.")),
)
statements = click.option(
    "--statements",
    type=click.Path(path_type=Path, file_okay=False),
    help=say(N_("Folder of signed statements (*.dsse.json): endorsements, disputes, attachments.")),
)
mapping = click.option(
    "--mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Rows of others, as `aloi standards import` writes them, in place of those that ship.")),
)
output = click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("File to write; a name of its own where none is given.")),
)
reader = click.option(
    "--lang", type=click.Choice(LANGUAGES), expose_value=False, help=say(N_("Language of what is printed."))
)


evidence = click.option(
    "--evidence",
    type=click.Path(path_type=Path),
    help=say(
        N_(
            "A bundle, or the folder of a run: its accepted remedies run, and nothing runs that is not what was "
            "measured."
        )
    ),
)
trusted = click.option(
    "--trust",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help=say(N_("A public key that may have signed the bundle, beside your own; may be repeated.")),
)
