"""The catalogue of remedies: what each fixes and costs, and how to build one from its name and options."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar, Literal, Protocol

import msgspec
import rfc8785
from msgspec import Struct

from aloi import plugins
from aloi.errors import AskerError, Fault
from aloi.evidence.records import RemedyIdentity
from aloi.solutions import options as door
from aloi.solutions.guard import Guard, Hardening, Rereading
from aloi.solutions.measured import Measured, measured
from aloi.solutions.options import Options
from aloi.solutions.tables import digest, table
from aloi.translation import N_

GROUP = "aloi.guards"
Kind = Literal["output-guard", "input-guard", "document-guard", "call-guard", "limit", "hardening"]
# What changes the request or the course of a conversation is asked afresh; what reads texts can be replayed.
ASKED: frozenset[Kind] = frozenset({"hardening", "limit"})
Load = Callable[[str], Any]


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the catalogue. Texts for people are kept by language ('en', 'fr').

    `options` are those that are given where nobody says otherwise; `measured` is what it was measured to do by itself.
    """

    name: str = ""
    kind: Kind
    hazards: tuple[str, ...]
    title: dict[str, str]
    explanation: dict[str, str]
    cost: dict[str, str]
    options: dict[str, Any] = {}
    reference: str
    measured: tuple[Measured, ...] = ()


class Maker(Protocol):
    """What an entry point of `aloi.guards` names: a class of guards or hardenings.

    `version` changes with the code's behaviour; `tables` are data files of this room whose bytes it reads. A class from
    elsewhere also carries its line of the catalogue as `entry: Entry`.
    """

    version: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    Options: ClassVar[type[Options]]

    def __call__(self, options: Any, /) -> Guard | Hardening | Rereading: ...


class Remedy(Struct, frozen=True, kw_only=True):
    """A remedy ready to run, and its identity as evidence names it."""

    name: str
    kind: Kind
    hazards: tuple[str, ...]
    implementation: Guard | Hardening | Rereading
    identity: RemedyIdentity

    @property
    def replayable(self) -> bool:
        """Whether what it does can be read from recorded answers."""
        return self.kind not in ASKED

    @property
    def parts(self) -> int:
        """How many choices were joined in it, such as patches of a prompt; 1 for one that is whole."""
        return 1 + self.name.count(",")


def variant(remedy: Remedy, choices: Sequence[str], hazards: tuple[str, ...]) -> Remedy:
    """One of several built from the same line of the catalogue, by a name that tells its choices: `a(b,c)`."""
    name = f"{remedy.name}({','.join(choices)})"
    identity = msgspec.structs.replace(remedy.identity, name=name)
    return msgspec.structs.replace(remedy, name=name, hazards=hazards, identity=identity)


class NotARemedy(AskerError):
    """An entry point names something that cannot be used as a remedy."""

    def __init__(self, name: str) -> None:
        super().__init__(
            N_("{name} is installed under aloi.guards, but is no remedy: it has no line in the catalogue"),
            remedy=N_("give its class an `entry` of type aloi.solutions.catalogue.Entry, or uninstall it"),
            name=name,
        )


@cache
def _own() -> dict[str, Entry]:
    rows: dict[str, Any] = table("remedies")["remedies"]
    return {name: msgspec.convert({**row, "name": name}, Entry) for name, row in rows.items()}


def installed(name: str) -> Any:
    """What the entry point of this name loads. Raises `UnknownName` with the nearest names."""
    return plugins.load(GROUP, name)


def entry(name: str, load: Load = installed) -> Entry:
    """The catalogue's line of one remedy. Raises `UnknownName`, `NotARemedy`."""
    maker = load(name)
    line = _own().get(name, getattr(maker, "entry", None))
    if not isinstance(line, Entry):
        raise NotARemedy(name)
    return msgspec.structs.replace(line, name=name, measured=line.measured or measured(name))


def entries() -> dict[str, Entry]:
    """The catalogue: every remedy installed, by name."""
    return {name: entry(name) for name in plugins.names(GROUP)}


def defaults(name: str, load: Load = installed) -> dict[str, Any]:
    """Every option of a remedy with what it is where nobody says otherwise; one that must be given is None."""
    listed = entry(name, load).options
    found = {}
    for field in msgspec.structs.fields(load(name).Options):
        given = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
        value = listed.get(field.encode_name, None if given is msgspec.NODEFAULT else given)
        found[field.encode_name] = msgspec.to_builtins(value)
    return found


def check(name: str, given: Mapping[str, Any], path: str, load: Load = installed) -> list[Fault]:
    """Every fault of a remedy's options, with paths below `path`; for files that are checked as a whole."""
    try:
        build(name, given, path=path, load=load)
    except door.InvalidOptions as error:
        return list(error.faults)
    except AskerError as error:
        facts: dict[str, Any] = error.facts
        return [Fault(error.message, path=path, remedy=error.remedy, **facts)]
    return []


def build(name: str, given: Mapping[str, Any] | None = None, *, path: str = "", load: Load = installed) -> Remedy:
    """Build a remedy by its name.

    `given` are its options over the catalogue's defaults; faults are reported below `path`. Raises `UnknownName`,
    `InvalidOptions` with every fault, `NotARemedy`.
    """
    line, maker = entry(name, load), load(name)
    options = _options(name, given or {}, path or name, load)
    return Remedy(
        name=name,
        kind=line.kind,
        hazards=line.hazards,
        implementation=maker(options),
        identity=identity(name, maker, options),
    )


def missing(name: str, given: Mapping[str, Any]) -> list[str]:
    """The options that a remedy needs and that neither `given` nor the catalogue says."""
    kind, told = installed(name).Options, {**entry(name).options, **given}
    return [one.encode_name for one in msgspec.structs.fields(kind) if one.required and one.encode_name not in told]


def _options(name: str, given: Mapping[str, Any], path: str, load: Load) -> Options:
    kind: type[Options] = load(name).Options
    return door.read(kind, {**entry(name, load).options, **given}, path)


def identity(name: str, maker: Maker, options: Options) -> RemedyIdentity:
    """A remedy as it runs: the digest covers its name, code version, data files and options.

    Secrets among the options count by their number only: the digest is public, and a short secret could be found from
    it by trying.
    """
    covered: Any = {
        "name": name,
        "version": maker.version,
        "tables": {file: digest(file) for file in maker.tables},
        "options": door.public(options),
    }
    return RemedyIdentity(
        name=name, version=maker.version, digest=f"sha256:{sha256(rfc8785.dumps(covered)).hexdigest()}"
    )
