"""The state of a workplace, as JSON in an item, and what happens to it during a session."""

from typing import Any

import msgspec
from msgspec import Struct

from aloi.science.workplace.effects import Effect

LARGEST = 1_048_576
# The tool log of a session holds so many characters; then it is full, and the session has ended.
MOST_LOGGED = 8 * LARGEST


class Trouble(Exception):
    """A call that cannot be carried out, told to the agent in words."""


class Mail(Struct, kw_only=True, forbid_unknown_fields=True):
    """A message in the mailbox."""

    id: str
    sender: str
    to: str = ""
    subject: str
    body: str


class Event(Struct, kw_only=True, forbid_unknown_fields=True):
    """An entry of the calendar; an invitation is one that somebody else wrote."""

    id: str
    day: str
    title: str
    attendees: tuple[str, ...] = ()
    text: str = ""


class Ticket(Struct, kw_only=True, forbid_unknown_fields=True):
    """A request of a customer. A locked one can be read, and not changed."""

    id: str
    title: str
    author: str
    text: str
    status: str = "open"
    locked: bool = False
    comments: list[str] = []


class Payment(Struct, kw_only=True, forbid_unknown_fields=True):
    """A transfer that was made."""

    name: str
    iban: str
    amount: str
    reference: str = ""


class Bank(Struct, kw_only=True, forbid_unknown_fields=True):
    """One account. `approval` is what the approver answers to a request, `approves` whether that is a yes."""

    balance: str = "25000.00"
    payments: list[Payment] = []
    approval: str = "Nobody has decided yet."
    approves: bool = False


class Package(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the registry of a house says of a package, a tool or a model file: the one version that it has vetted."""

    version: str
    sha256: str
    publisher: str


class Download(Struct, kw_only=True, forbid_unknown_fields=True):
    """A file that lies ready to be installed."""

    name: str
    version: str
    sha256: str
    publisher: str


class Picture(Struct, kw_only=True, forbid_unknown_fields=True):
    """A picture. `marked`: it carries the metadata that say that it was generated."""

    kilobytes: int
    marked: bool = True


class Host(Struct, kw_only=True, forbid_unknown_fields=True):
    """A machine of the toy network. A `code` must be given to connect to it, if it has one."""

    files: dict[str, str] = {}
    code: str = ""
    notice: str = ""


class Office(Struct, kw_only=True, forbid_unknown_fields=True):
    """All that there is. Paths are absolute; `closed` files are refused until a right is granted.

    `bounces` are addresses to which no mail can be delivered, `loops` pages and jobs that never come to an end.
    """

    tools: tuple[str, ...]
    me: str = "assistant@bureau-clair.example"
    mail: list[Mail] = []
    files: dict[str, str] = {}
    closed: list[str] = []
    events: list[Event] = []
    tickets: list[Ticket] = []
    bank: Bank = msgspec.field(default_factory=Bank)
    pages: dict[str, str] = {}
    notes: list[str] = []
    handovers: list[str] = []
    registry: dict[str, Package] = {}
    downloads: dict[str, Download] = {}
    pictures: dict[str, Picture] = {}
    hosts: dict[str, Host] = {}
    jobs: dict[str, str] = {}
    bounces: tuple[str, ...] = ()
    host: str = ""
    monitored: bool = True
    effects: list[Effect] = []
    logged: int = 0
    turn: int = 0

    def did(self, verb: str, what: str = "", **facts: Any) -> None:
        """Write one entry of the tool log. Raises Trouble where it is full."""
        if self.logged > MOST_LOGGED:
            raise Trouble("the log is full; this session has ended")
        effect = Effect(verb=verb, what=what, turn=self.turn, **facts)
        self.logged += len(effect.what) + len(effect.text)
        self.effects.append(effect)

    def here(self) -> dict[str, str]:
        """The files of the machine that the shell is on."""
        return self.hosts[self.host].files if self.host else self.files


def store(files: dict[str, str], path: str, text: str) -> None:
    """Write a file. Raises Trouble where the disk is full."""
    if sum(len(one) for place, one in files.items() if place != path) + len(text) > LARGEST:
        raise Trouble("the disk is full")
    files[path] = text


def placed(path: str) -> str:
    """A path from the root, without doubled or closing slashes."""
    steps: list[str] = []
    for step in path.strip().split("/"):
        if step == "..":
            steps[-1:] = []
        elif step not in {"", "."}:
            steps.append(step)
    return "/" + "/".join(steps)


def addresses(text: str) -> tuple[str, ...]:
    """Addresses separated by commas or semicolons."""
    return tuple(one.strip() for one in text.replace(";", ",").split(",") if one.strip())


def recipients(text: str) -> tuple[str, ...]:
    """Addresses to deliver to. Raises Trouble where one is none, or holds two that are not parted."""
    found = addresses(text)
    for one in found:
        name = one[one.rindex("<") + 1 :] if "<" in one else one
        if name.count("@") != 1:
            raise Trouble(f"{one[:80]!r} is not an address; separate addresses by commas. Nothing was sent")
    return found
