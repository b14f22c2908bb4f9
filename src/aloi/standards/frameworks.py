"""Find frameworks by `framework@edition`, shipped or plugged in by a third party under `aloi.frameworks`."""

from functools import cache
from typing import NamedTuple

from aloi import plugins
from aloi.errors import AskerError, Fault, InvalidFile, UnknownName
from aloi.standards.files import File, contents
from aloi.standards.hub import hub
from aloi.standards.mapping import Row, parse_mapping
from aloi.standards.pack import Pack, parse_pack
from aloi.translation import N_

GROUP = "aloi.frameworks"


class FrameworkFiles(NamedTuple):
    """What an entry point of `aloi.frameworks` stands for: the pack's file, and that of its rows where it has any."""

    pack: File
    mapping: File | None = None


class Framework(NamedTuple):
    """A framework at an edition, and how Aloi's controls relate to it; `imported` names the file of rows of others."""

    pack: Pack
    rows: tuple[Row, ...]
    licence: str = ""
    imported: str = ""

    def authors(self, requirement: str | None = None) -> tuple[str, ...]:
        """Who wrote the rows that reach a requirement, or any, sorted."""
        wanted = (row for row in self.rows if requirement in {None, row.object} and row.relation != "none")
        return tuple(sorted({row.author for row in wanted}))

    def row(self, control: str, requirement: str) -> Row:
        """The row of a control to a requirement. UnknownName offers the nearest pairs."""
        for row in self.rows:
            if (row.subject, row.object) == (control, requirement):
                return row
        known = [f"{row.subject} {row.object}" for row in self.rows]
        raise UnknownName(N_("mapping row"), f"{control} {requirement}", known)


def names() -> list[str]:
    """Keys (`framework@edition`) of the frameworks that are installed, sorted."""
    return plugins.names(GROUP)


@cache
def framework(key: str) -> Framework:
    """An installed framework. UnknownName offers the nearest keys; InvalidFile lists the faults of its files."""
    found = plugins.load(GROUP, key)
    if not isinstance(found, FrameworkFiles):
        raise AskerError(
            N_("the framework {name} is plugged in as {got}"),
            remedy=N_("its entry point must name a FrameworkFiles"),
            name=key,
            got=type(found).__name__,
        )
    result = read_framework(found)
    if result.pack.key != key:
        message = N_("{at}: the pack is {got}, its entry point says {want}")
        remedy = N_("give the entry point the pack's own key")
        fault = Fault(message, path="id", remedy=remedy, at="id", got=result.pack.key, want=key)
        raise InvalidFile(found.pack.name, [fault])
    return result


def through(found: Framework, file: File) -> Framework:
    """The framework through the rows of a file alone, as `aloi standards import` writes them, its own left out.

    Raises InvalidFile with every fault.
    """
    mapping = parse_mapping(contents(file), file.name, found.pack, hub())
    return found._replace(rows=mapping.rows, licence=mapping.licence, imported=file.name)


def read_framework(files: FrameworkFiles) -> Framework:
    """A framework from its files. Raises InvalidFile with every fault of the first file that has one."""
    pack = parse_pack(contents(files.pack), files.pack.name)
    if files.mapping is None:
        return Framework(pack, ())
    mapping = parse_mapping(contents(files.mapping), files.mapping.name, pack, hub())
    return Framework(pack, mapping.rows, mapping.licence)
