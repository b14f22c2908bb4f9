"""Read MITRE's own ATLAS file, say what became of the ids that Aloi cites, and write the whole of it as a pack.

Two forms are read: that of 2026.05 and later (`format-version: 6.0.0`, objects by id, relationships apart) and the
older one (`matrices`, lists of objects). What we do not need, descriptions and case studies, is passed over.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from aloi.standards.pack import Evidence, Group, Pack, Requirement, Source
from aloi.standards.reading import Node, Table, Text, Words, read_table, read_tree
from aloi.translation import N_

LIMIT = 64 * 1024 * 1024
VALUES = 1_000_000
Kind = Literal["tactic", "technique", "mitigation"]
LISTS: dict[str, Kind] = {"tactics": "tactic", "techniques": "technique", "mitigations": "mitigation"}
IDS: dict[Kind, re.Pattern[str]] = {
    "tactic": re.compile(r"AML\.TA\d{4}"),
    "technique": re.compile(r"AML\.T\d{4}(\.\d{3})?"),
    "mitigation": re.compile(r"AML\.M\d{4}"),
}
PASSED = frozenset({"description", "case-studies", "references", "platforms", "employs", "mitigates", "sequences"})
MITIGATIONS = "mitigations"
EDITION = re.compile(r"\d[0-9.]{0,30}\d")
State = Literal["same", "renamed", "deprecated", "gone"]
STATES: tuple[State, ...] = ("gone", "deprecated", "renamed", "same")


class Entry(Struct, frozen=True, kw_only=True):
    """A tactic, technique or mitigation. `parents`: of a technique its tactics, of a sub-technique its technique."""

    id: str
    name: str
    kind: Kind
    parents: tuple[str, ...] = ()
    deprecated: bool = False


class Release(Struct, frozen=True, kw_only=True):
    """What one file of MITRE's holds; `released` where it says so."""

    version: str
    released: date | None
    entries: tuple[Entry, ...]

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return dict(Counter(entry.kind for entry in self.entries))


class Fate(Struct, frozen=True, kw_only=True):
    """What became of an id that Aloi cites.

    `theirs` is its name in the file, where it is there; `elsewhere` are other ids that bear the name that we know.
    """

    id: str
    state: State
    ours: str
    theirs: str = ""
    elsewhere: tuple[str, ...] = ()


def read_atlas(data: bytes, file: str) -> Release:
    """A release from MITRE's file. Raises InvalidFile with every fault, each with its row and its remedy."""
    table = Table(file)
    root = read_tree(data, table, limit=LIMIT, most=VALUES, passed=PASSED)
    if isinstance(root.value, str) and root.value.endswith(".yaml"):
        # MITRE's "latest" files are links, and a link that is fetched on its own is the name of what it points to.
        remedy = N_("fetch {target} instead, from the folder where this file was")
        table.fault(N_("{at}: this is a link to {target}"), "$", remedy=remedy, target=root.value)
        table.close()
    reader = _Reader(table)
    top = reader.entries(root, "")
    if not {"matrices", "techniques"} & set(top):
        remedy = N_("give MITRE's file ATLAS-<version>.yaml, with `techniques`")
        table.fault(N_("{at}: holds no technique of ATLAS"), "$", remedy=remedy)
        table.close()
    release = reader.old(top) if "matrices" in top else reader.new(top)
    table.close()
    return release


class _Reader:
    """The two forms of the file. Keys that we do not know are MITRE's business."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._found: dict[str, Entry] = {}

    def new(self, top: dict[str, Node]) -> Release:
        collection = self.entries(top.get("collection"), "collection")
        relations = self.entries(top.get("relationships", Node({}, 1)), "relationships")
        for place, kind in LISTS.items():
            for id_, node in self.entries(top.get(place), place).items():
                at = f"{place}.{id_}"
                related = self.entries(relations.get(id_, Node({}, 1)), f"relationships.{id_}")
                parents = [
                    target
                    for name in ("specializes", "achieves")
                    for i, one in enumerate(self.items(related.get(name), f"relationships.{id_}.{name}"))
                    for target in [self.text(one, "target", f"relationships.{id_}.{name}[{i}]")]
                ]
                self.add(id_, kind, node, at, parents)
        released = self.day(collection.get("modified-date") or collection.get("created-date"))
        return self.release(self.text(top.get("collection"), "version", "collection"), "collection.version", released)

    def old(self, top: dict[str, Node]) -> Release:
        for m, matrix in enumerate(self.items(top["matrices"], "matrices")):
            lists = self.entries(matrix, f"matrices[{m}]")
            for place, kind in LISTS.items():
                for i, node in enumerate(self.items(lists.get(place), f"matrices[{m}].{place}")):
                    at = f"matrices[{m}].{place}[{i}]"
                    entry = self.entries(node, at)
                    tactics = self.items(entry.get("tactics"), f"{at}.tactics") if kind == "technique" else []
                    above = entry.get("subtechnique-of") or entry.get("specializes")
                    parents = [one.value for one in (above, *tactics) if one and isinstance(one.value, str)]
                    self.add(self.text(node, "id", at), kind, node, at, parents)
        return self.release(self.text(Node(top, 1), "version", ""), "version", None)

    def add(self, id_: str, kind: Kind, node: Node, at: str, parents: Sequence[str]) -> None:
        name = " ".join(self.text(node, "name", at).split())
        if not IDS[kind].fullmatch(id_):
            remedy = N_("give MITRE's own file, as it was published")
            self._table.fault(N_("{at}: {id} is no id of this kind"), at, remedy=remedy, id=id_)
        if id_ in self._found:
            self._table.fault(N_("{at}: {id} stands twice"), at, remedy=N_("keep one of the two"), id=id_)
        mark = self.entries(node, at).get("deprecated")
        gone = mark is not None and mark.value in {"true", "True", "yes"}
        self._found[id_] = Entry(id=id_, name=name, kind=kind, parents=tuple(parents), deprecated=gone)

    def release(self, version: str, at: str, released: date | None) -> Release:
        if version and not EDITION.fullmatch(version):
            remedy = N_("give MITRE's own file, as it was published")
            self._table.fault(N_("{at}: {got} is no version"), at, remedy=remedy, got=repr(version))
        return Release(version=version, released=released, entries=tuple(self._found.values()))

    def entries(self, node: Node | None, at: str) -> dict[str, Node]:
        """The keys of a table; noted as a fault where there is none."""
        if node is not None and isinstance(node.value, dict):
            return node.value
        self._shape(at, "{…}")
        return {}

    def items(self, node: Node | None, at: str) -> list[Node]:
        """The items of a list, none where it is left out."""
        if node is None:
            return []
        if isinstance(node.value, list):
            return node.value
        self._shape(at, "[…]")
        return []

    def text(self, node: Node | None, key: str, at: str) -> str:
        """A text that has to be there."""
        held = node.value.get(key) if node is not None and isinstance(node.value, dict) else None
        if held is not None and isinstance(held.value, str) and 0 < len(held.value.strip()) <= 600:
            return held.value.strip()
        place = f"{at}.{key}" if at else key
        remedy = N_("give MITRE's own file, as it was published")
        self._table.fault(N_("{at}: missing, empty or longer than {limit}"), place, remedy=remedy, limit=600)
        return ""

    def day(self, node: Node | None) -> date | None:
        """A day, where one is written."""
        try:
            return date.fromisoformat(str(node.value)[:10]) if node else None
        except ValueError:
            return None

    def _shape(self, at: str, expected: str) -> None:
        message, remedy = N_("{at}: missing, or of another shape"), N_("MITRE's file has {expected} here")
        self._table.fault(message, at or "$", remedy=remedy, expected=expected)


def fates(release: Release, ours: Pack) -> tuple[Fate, ...]:
    """What became of every id of a pack of ours, what needs a look first."""
    theirs = {entry.id: entry for entry in release.entries}
    found = [_fate(requirement, theirs) for requirement in ours.requirements]
    return tuple(sorted(found, key=lambda one: STATES.index(one.state)))


def _fate(requirement: Requirement, theirs: dict[str, Entry]) -> Fate:
    name, entry = requirement.title.en, theirs.get(requirement.id)
    elsewhere = tuple(one.id for one in theirs.values() if one.name == name and one.id != requirement.id)
    if entry is None:
        return Fate(id=requirement.id, state="gone", ours=name, elsewhere=elsewhere)
    if entry.deprecated:
        return Fate(id=requirement.id, state="deprecated", ours=name, theirs=entry.name, elsewhere=elsewhere)
    if entry.name != name:
        return Fate(id=requirement.id, state="renamed", ours=name, theirs=entry.name, elsewhere=elsewhere)
    return Fate(id=requirement.id, state="same", ours=name, theirs=entry.name)


def whole(release: Release, ours: Pack, *, today: date) -> str:
    """The release as the YAML of a pack. Its tactics are headings, its techniques and mitigations requirements.

    A technique stands under its first tactic, a sub-technique under that of its technique. What is marked deprecated
    is left out. French titles are those of our pack where the name is still the one we translated.
    """
    added = _added()
    pack = Pack(
        id=ours.id,
        edition=release.version,
        title=Text(en=f"MITRE ATLAS {release.version}", fr=f"MITRE ATLAS {release.version}"),
        publisher=ours.publisher,
        status=ours.status,
        in_force_from=release.released or today,
        checked_on=today,
        horizon=ours.horizon,
        source=Source(document=f"MITRE ATLAS {release.version}, data file", place=ours.source.place),
        licence=ours.licence,
        text_policy="title",
        binds=ours.binds,
        unconfirmed=() if release.released else (added.no_day,),
        groups=tuple(_groups(release, added)),
        requirements=tuple(_requirements(release, ours, added)),
    )
    return f"# Written from MITRE's file. What evidence an entry takes is Aloi's choice.\n{_dumped(pack)}"


class _Plain(yaml.SafeDumper):
    """YAML without aliases, which our own reader refuses."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is yaml's
        return True


def _dumped(pack: Pack) -> str:
    plain = _filled(msgspec.to_builtins(pack))
    return yaml.dump(plain, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


def _filled(value: object) -> object:
    """Without what is empty, as a person would write it."""
    if isinstance(value, dict):
        return {key: _filled(held) for key, held in value.items() if held not in (None, "", (), [])}
    return [_filled(one) for one in value] if isinstance(value, list | tuple) else value


class _Takes(Struct, frozen=True, kw_only=True):
    technique: tuple[Evidence, ...]
    mitigation: tuple[Evidence, ...]


class _Added(Struct, frozen=True, kw_only=True):
    """What a pack has to say and MITRE's file does not."""

    checked_on: date
    licence: Words
    takes: _Takes
    mitigations: Text
    no_day: Text


def _added() -> _Added:
    place = files("aloi.standards") / "data" / "atlas.yaml"
    return read_table(place.read_bytes(), _Added, Table(place.name))


def _groups(release: Release, added: _Added) -> Iterator[Group]:
    for entry in release.entries:
        if entry.kind == "tactic" and not entry.deprecated:
            yield Group(id=entry.id, title=Text(en=entry.name, fr=entry.name))
    if any(entry.kind == "mitigation" and not entry.deprecated for entry in release.entries):
        yield Group(id=MITIGATIONS, title=added.mitigations)


def _requirements(release: Release, pack: Pack, added: _Added) -> Iterator[Requirement]:
    known = {one.id: one for one in pack.requirements}
    entries = {entry.id: entry for entry in release.entries}
    for entry in release.entries:
        if entry.kind == "tactic" or entry.deprecated:
            continue
        ours = known.get(entry.id)
        takes = added.takes.mitigation if entry.kind == "mitigation" else added.takes.technique
        yield Requirement(
            id=entry.id,
            title=ours.title if ours and ours.title.en == entry.name else Text(en=entry.name, fr=entry.name),
            group=MITIGATIONS if entry.kind == "mitigation" else _tactic(entry, entries),
            takes=ours.takes if ours else takes,
        )


def _tactic(entry: Entry, entries: dict[str, Entry]) -> str:
    """The first tactic of a technique, its own or its technique's; none where the file gives none that stands."""
    for above in (entry, *(entries[name] for name in entry.parents if name in entries)):
        for name in above.parents:
            if name in entries and entries[name].kind == "tactic" and not entries[name].deprecated:
                return name
    return ""
