"""The file of a trust policy: C2SP tlog-policy with one line of our own, which says who runs which witnesses.

    log example.org/log+5f2a…+AQ…
    witness north witness.example.net/1+77b0…+BA…
    witness south example.com/w+0d41…+BA…
    operator University north
    operator Notary south
    group both all University Notary
    quorum both

Groups and the quorum count operators, never witnesses: two witnesses of one house are one voice. To a reader of plain
tlog-policy, `operator NAME` is `group NAME any`.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from aloi.errors import EvidenceError, Fault, InvalidFile
from aloi.evidence import cosignatures
from aloi.evidence.decoding import LIMIT, shown
from aloi.evidence.notes import ED25519, NoteKey
from aloi.evidence.trustpolicy import NONE, Group, Policy, Witness
from aloi.translation import N_

_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "log": "log <key> [<url>]",
        "witness": "witness <name> <key> [<url>]",
        "operator": "operator <name> <witness>…",
        "group": "group <name> all|any|<count> <operator or group>…",
        "quorum": "quorum <operator or group>|none",
    }
)
_SPACES = re.compile(r"[ \t]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")


def read(data: bytes, file: str) -> Policy:
    """A policy from its file. Raises InvalidFile with every fault."""
    reader = _Reader()
    reader.read(data)
    if reader.faults:
        raise InvalidFile(file, sorted(reader.faults, key=lambda fault: fault.line or 0))
    return Policy(
        tuple(reader.logs),
        tuple(Witness(name, key, reader.runs[name]) for name, key in reader.witnesses.items()),
        tuple(reader.groups),
        reader.quorum,
    )


class _Reader:
    """Reads line by line. A name counts as known from its line on, even where the line has a fault."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.logs: list[NoteKey] = []
        self.witnesses: dict[str, NoteKey] = {}
        self.runs: dict[str, str] = {}  # witness: operator
        self.groups: list[Group] = []
        self.quorum = ""
        self.kinds: dict[str, str] = {}  # name: witness, operator or group
        self.lines: dict[str, int] = {}
        self.members: set[str] = set()
        self.keys: dict[bytes | tuple[str, bytes], str] = {}
        self.at = ("", 0)

    def fault(self, message: str, **facts: Any) -> None:
        path, line = self.at
        self.faults.append(Fault(message, path=shown(path), line=line or None, **facts))

    def read(self, data: bytes) -> None:
        self.at = ("file", 0)
        if len(data) > LIMIT:
            self.fault(N_("{path}: longer than {limit} bytes"), limit=LIMIT)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            self.at = ("file", data.count(b"\n", 0, error.start) + 1)
            self.fault(N_("{path}: not UTF-8"))
            return
        if text and not text.endswith("\n"):
            self.fault(N_("{path}: its last line does not end; it may be cut short"))
        for number, line in enumerate(text.split("\n"), start=1):
            self.read_line(line, number)
        self.read_end()

    def read_line(self, line: str, number: int) -> None:
        words = _SPACES.split(line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            self.at = ("#", number)
            if _CONTROL.search(line):
                self.fault(N_("{path}: a control character"))
            return
        self.at = (" ".join(words[:2]) if words[0] in ("witness", "operator", "group") else words[0], number)
        if _CONTROL.search(line):
            self.fault(N_("{path}: a control character"))
            return
        take = self.takers().get(words[0])
        if take is None:
            self.fault(N_("{path}: no line of a policy begins so; known: {known}"), known=", ".join(_FORMS))
        elif not take(words[1:]):
            self.fault(N_("{path}: expected: {form}"), form=_FORMS[words[0]])
            if words[1:2] and words[0] not in ("log", "quorum"):
                self.kinds.setdefault(words[1], words[0])
                self.lines.setdefault(words[1], number)

    def takers(self) -> dict[str, Callable[[list[str]], bool]]:
        """What takes the words after the first one; false where their number is wrong."""
        return {
            "log": self.take_log,
            "witness": self.take_witness,
            "operator": self.take_operator,
            "group": self.take_group,
            "quorum": self.take_quorum,
        }

    def take_log(self, words: list[str]) -> bool:
        if len(words) not in (1, 2):
            return False
        key = self.key(words[0], {ED25519})
        if key:
            self.logs.append(key)
        return True

    def take_witness(self, words: list[str]) -> bool:
        if len(words) not in (2, 3):
            return False
        fresh = self.name(words[0], "witness")
        key = self.key(words[1], set(cosignatures.KINDS.values()))
        if fresh and key:
            self.witnesses[words[0]] = key
        return True

    def take_operator(self, words: list[str]) -> bool:
        if len(words) < 2:
            return False
        members = self.counted(words[1:], {"witness"})
        if self.name(words[0], "operator"):
            self.runs |= dict.fromkeys(members, words[0])
        return True

    def take_group(self, words: list[str]) -> bool:
        if len(words) < 3:
            return False
        members = self.counted(words[2:], {"operator", "group"})
        named = {"all": len(words) - 2, "any": 1}
        threshold = named.get(words[1], int(words[1]) if _COUNT.fullmatch(words[1]) else 0)
        if not 0 < threshold <= len(words) - 2:
            self.fault(N_("{path}: asks for “{got}” of {count}"), got=shown(words[1]), count=len(words) - 2)
        if self.name(words[0], "group"):
            self.groups.append(Group(words[0], threshold, members))
        return True

    def take_quorum(self, words: list[str]) -> bool:
        if len(words) != 1:
            return False
        if self.quorum:
            self.fault(N_("{path}: stands twice"))
        elif words[0] != NONE:
            self.known(words[0], {"operator", "group"})
        self.quorum = words[0]
        return True

    def read_end(self) -> None:
        """What only the whole file shows."""
        for keyword, found in (("log", self.logs), ("quorum", self.quorum)):
            if not found and all(fault.path != keyword for fault in self.faults):
                self.at = (keyword, 0)
                self.fault(N_("{path}: missing"))
        for name, kind in self.kinds.items():
            self.at = (f"witness {name}", self.lines[name])
            if kind == "witness" and name not in self.members:
                self.fault(N_("{path}: no operator line says who runs it"))

    def key(self, text: str, kinds: set[int]) -> NoteKey | None:
        try:
            key = NoteKey.parse(text)
        except EvidenceError as error:
            self.fault(N_("{path}: this is no verifier key (`{reason}`)"), reason=error.reason)
            return None
        if key.kind not in kinds:
            self.fault(
                N_("{path}: a key of the signature type {got} cannot stand here; expected: {expected}"),
                got=f"{key.kind:02x}",
                expected=", ".join(f"{each:02x}" for each in sorted(kinds)),
            )
            return None
        for mark in (key.public.raw, (key.name, key.id)):
            if mark in self.keys:
                self.fault(N_("{path}: this key stands in the line “{other}” already"), other=self.keys[mark])
                return None
            self.keys[mark] = shown(self.at[0])
        return key

    def name(self, name: str, kind: str) -> bool:
        """Make the name known; false where that is a fault."""
        if name == NONE or name in self.kinds:
            self.fault(N_("{path}: the name is taken"))
            return False
        self.kinds[name] = kind
        self.lines[name] = self.at[1]
        return True

    def counted(self, names: list[str], kinds: set[str]) -> tuple[str, ...]:
        """The names that stand above, are of these kinds, and are counted nowhere else."""
        fit = []
        for name in names:
            if not self.known(name, kinds):
                continue
            if name in self.members:
                self.fault(N_("{path}: {name} is counted already; each counts once"), name=shown(name))
                continue
            self.members.add(name)
            fit.append(name)
        return tuple(fit)

    def known(self, name: str, kinds: set[str]) -> bool:
        kind = self.kinds.get(name)
        if kind is None:
            self.fault(N_("{path}: {name} is not named above"), name=shown(name))
        elif kind not in kinds:
            self.fault(
                N_("{path}: {name} stands above as “{kind}”; expected: {expected}"),
                name=shown(name),
                kind=kind,
                expected=", ".join(sorted(kinds)),
            )
        return kind in kinds
