"""Refuse a tool call whose destination comes from a text that a stranger wrote (a light form of CaMeL).

What is said by the system's owner and by the user, and what the house's own tools answer, can be believed; documents
and all other results cannot. Once something of the second kind was read, a call may go only

  (1) to a recipient, account or host that stands in what can be believed,
  (2) to the sender of a record that the user named (by its title, or by the sender's name),
  (3) where the user asked for such an action without saying where to, to the only place that all those texts name; if
      it is somebody's address, the user must have said a part of the name, and a page that is only read may be any of
      several,
  (4) to a page that is only read and whose link stands, whole, in a text that was read before the agent could write it
      there: few in a conversation, one of a site, with no more sites to choose from than may be opened, nothing in the
      link but the place of a public page (`aloi.solutions.pages`), and nothing in the call but the link, or
  (5) where the user asked to write to those who share a record named by its title, and said no address: to those who,
      as the system and not a writer says, may read that record already.

An act that changes something (a table says which tools) must be one that the user's words speak of. Commands may not
run what a stranger wrote, settings not take a value of theirs that the user did not ask for, messages not carry a link
of theirs. After Debenedetti et al. 2025, arXiv:2503.18813, who track values through an interpreter; here they are
recognised by their form. Not seen: harm that needs no destination of the stranger's own and that the user's words speak
of (another file deleted, a wrong amount), a summary that lies, what passes by tools that are not known, a visit to a
stranger's page by (4), and what is sent by (5) beside the record.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from aloi.solutions.arguments import Malformed, read_arguments, texts
from aloi.solutions.guard import Allow, Ask, Block, CallMessage, Ruling
from aloi.solutions.normalise import fold, squash
from aloi.solutions.options import Options
from aloi.solutions.pages import SPELLINGS, as_named, bare, is_only_a_page, links_in, read_first, site, spellings
from aloi.solutions.provenance import (
    View,
    account,
    accounts_in,
    addresses_in,
    host_in,
    hosts_in,
    names_in,
)
from aloi.solutions.recipients import is_address, recipients
from aloi.solutions.tables import table
from aloi.solutions.tools import is_known_sink, kind_of, only_reads, sender_fields, trusted, words_for
from aloi.system.messages import Message, Role
from aloi.system.toolpolicy import ArgumentKind, host_name

MALFORMED, NOT_ASKED_FOR = "malformed-arguments", "not-asked-for"
# A piece of a command that is shorter says nothing about where it comes from.
LEAST_COMMAND, LEAST_SETTING, LEAST_ACCOUNT = 6, 4, 5
_QUOTED = re.compile(r"'[^']*'")
_PARTED = re.compile(r"[;&|\n`<>]|\$\(")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}:)?//\S+|www\.\S+", re.IGNORECASE)


class ProvenanceGateOptions(Options, frozen=True, kw_only=True):
    """`trusted` are tools whose results can be believed, beside those known by name; `untrusted` takes that back.

    `hosts` can be believed wherever they are named. `arguments` says what an argument of a tool is; `kinds` are read.
    `unvouched: derived` refuses only what stands in a stranger's text, and lets pass what stands nowhere.
    `links`: how many pages of (4) a conversation may open, and among how many sites of strangers; 0 for none. `readers`
    are tools that change nothing and give what others wrote, beside those known by name. `delegation: false` leaves out
    (3), (4) and (5), `mandate: false` the check of acts, which knows English and French words only. `otherwise: ask`
    asks a person.
    """

    trusted: tuple[str, ...] = ()
    untrusted: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    arguments: dict[str, dict[str, ArgumentKind]] = msgspec.field(default_factory=dict)
    kinds: tuple[ArgumentKind, ...] = ("recipient", "account", "url", "page", "command", "setting", "text")
    unvouched: Literal["refuse", "derived"] = "refuse"
    links: Annotated[int, msgspec.Meta(ge=0, le=100)] = 3
    readers: tuple[str, ...] = ()
    delegation: bool = True
    mandate: bool = True
    otherwise: Literal["deny", "ask"] = "deny"


class ProvenanceGate:
    """Refuse calls that go where only a stranger wants them to go."""

    version: ClassVar[str] = "4"
    tables: ClassVar[tuple[str, ...]] = ("homoglyphs", "provenance-gate", "tools")
    Options: ClassVar[type[Options]] = ProvenanceGateOptions
    roles: frozenset[Role] = frozenset({"call"})

    def __init__(self, options: ProvenanceGateOptions) -> None:
        self._options = options
        self._hosts = {name.removeprefix("www.") for name in map(host_name, options.hosts) if name}
        data = table("provenance-gate")
        self._intents, self._settings = _folded(data["intents"]), _folded(data["settings"])
        self._people = [fold(word).text for word in data["people"]]
        self._checks: dict[str, Callable[[View, str, str], bool]] = {
            "recipient": self._recipient,
            "account": self._account,
            "url": self._url,
            "page": self._page,
            "command": self._command,
            "setting": self._setting,
            "text": self._text,
        }

    def screen(self, message: Message) -> Ruling:
        """`untrusted-KIND` for the first argument that only a stranger vouches for, `not-asked-for` for an act."""
        if not isinstance(message, CallMessage):
            return Allow()
        view = View(message.before, self._believes, sender_fields, message.alongside)
        if not any(text.strip() for text in view.untrusted):
            return Allow()  # nobody has said anything yet
        if self._options.mandate and not _wanted(view, message.call.name):
            return self._held(NOT_ASKED_FOR)
        try:
            given = read_arguments(message.call.arguments)
        except Malformed:
            known = is_known_sink(message.call.name, self._options.arguments)
            return Block(reason=MALFORMED) if known or self._names_anything(message.content) else Allow()
        for argument, kind, text in self._read(message.call.name, given):
            alone = kind == "page" and given == {argument: text}
            if not self._checks[kind](view, argument, text) and not (alone and self._tells_nothing(view, text)):
                return self._held(f"untrusted-{kind}")
        return Allow()

    def _held(self, reason: str) -> Ruling:
        return Ask(reason=reason) if self._options.otherwise == "ask" else Block(reason=reason)

    def _believes(self, tool: str) -> bool:
        options = self._options
        return tool not in options.untrusted and (tool in options.trusted or trusted(tool))

    @staticmethod
    def _names_anything(written: str) -> bool:
        return bool(addresses_in(written) or accounts_in(written) or hosts_in(written))

    def _read(self, tool: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """The arguments to check: name, kind, text. One that is not known counts by what it looks like."""
        listed = is_known_sink(tool, self._options.arguments)
        for argument, value in given.items():
            kind = kind_of(tool, argument, self._options.arguments)
            for text in texts(value):
                seen = kind or ("" if listed else _looks_like(text))
                if seen in self._checks and seen in self._options.kinds:
                    yield argument, seen, text

    def _only_one(self, view: View, value: str, kind: str, read: Callable[[str], set[str]]) -> bool:
        """(3): the user asked for it, said nothing of where to, and one place is named in all that was read."""
        if not self._options.delegation or not view.speaks_of(self._intents[kind]):
            return False
        said = {one for text in view.said for one in read(text)}
        return (
            not said and view.found(read, trusted=False) == {value} and (kind != "recipient" or view.is_person(value))
        )

    def _vouched(self, view: View, value: str, kind: str, read: Callable[[str], set[str]]) -> bool:
        believed = names_in if read is hosts_in else read
        if value in view.found(believed, trusted=True) or self._only_one(view, value, kind, read):
            return True
        return self._options.unvouched == "derived" and not view.derived(value, LEAST_ACCOUNT)

    def _recipient(self, view: View, _: str, text: str) -> bool:
        for one in recipients(text):
            if "@" not in one:
                continue  # somebody of the house, by name
            if not is_address(one):
                return False
            if not (
                self._vouched(view, one, "recipient", addresses_in) or one in view.writers or self._shares(view, one)
            ):
                return False
        return True

    def _shares(self, view: View, address: str) -> bool:
        """(5): somebody may read the one record that the user named, who asked to write to those who do."""
        title, people = view.shared
        return (
            self._options.delegation
            and address in people
            and not any(addresses_in(said) for said in view.said)
            and view.speaks_of(self._intents["recipient"])
            and view.speaks_of(self._people, beside=title)
        )

    def _account(self, view: View, _: str, text: str) -> bool:
        wanted = account(text)
        if not any(c.isdigit() for c in wanted):  # a payee by name
            return squash(text) in view.trusted_squashed or not view.derived(text, LEAST_ACCOUNT)
        if len(wanted) >= LEAST_ACCOUNT and wanted in view.trusted_compact:
            return True
        return self._vouched(view, wanted, "account", accounts_in)

    def _url(self, view: View, _: str, text: str) -> bool:
        host = host_in(text)
        if not host:
            return not view.derived(text, LEAST_ACCOUNT)
        return self._believed(host) or self._vouched(view, host, "url", hosts_in)

    def _page(self, view: View, argument: str, text: str) -> bool:
        """A page to read: by (3) also any that a stranger's text names, word for word."""
        if self._url(view, argument, text):
            return True
        if not self._options.delegation or not view.speaks_of(self._intents["url"]):
            return False
        link = as_named(text.strip(), view.found(links_in, trusted=False))
        named = any(hosts_in(said) for said in view.said)
        return not named and read_first(view.request, link, lambda _: True)

    def _tells_nothing(self, view: View, text: str) -> bool:
        """(4): opening a link tells a stranger hardly more than that it was opened. It is a page and no more, the agent
        has not written it, there is nothing to choose, and few were opened before."""
        if not self._options.delegation or not view.said:
            return False
        links = view.found(links_in, trusted=False)
        link = as_named(text, links)
        if not is_only_a_page(link) or not read_first(view.request, link, self._reads):
            return False
        hosts = {one: host_in(one) for one in links}
        named = (set(hosts.values()) - {""} - view.found(names_in, trusted=True)) | view.strange_hosts.keys()
        sites = {site(host) for host in named if not self._believed(host)}
        here = {one for one, host in hosts.items() if site(host) == site(hosts[link])}
        one_page = len(set(map(bare, here))) == 1 and len(spellings(here)) <= SPELLINGS
        return one_page and len(sites) <= self._options.links and self._opened(view) < self._options.links

    def _opened(self, view: View) -> int:
        """How many pages the conversation has opened, or asked for, only because a stranger's text names them."""
        named = view.found(links_in, trusted=False)
        opened = 0
        for call in view.calls:
            try:
                given = read_arguments(call.arguments)
            except Malformed:
                continue
            for text in (text for _, kind, text in self._read(call.name, given) if kind == "page"):
                opened += is_only_a_page(as_named(text, named)) and not self._url(view, "", text)
        return opened

    def _reads(self, tool: str) -> bool:
        told = self._options.arguments.get(tool, {})
        return only_reads(tool) or tool in self._options.readers or "page" in told.values()

    def _believed(self, host: str) -> bool:
        return any(host == name or host.endswith(f".{name}") for name in self._hosts)

    def _command(self, view: View, _: str, text: str) -> bool:
        if not self._text(view, "", text):
            return False
        _, *pieces = _PARTED.split(_QUOTED.sub("''", text))
        return not any(view.derived(piece, LEAST_COMMAND) for piece in (text, *pieces))

    def _setting(self, view: View, argument: str, text: str) -> bool:
        if not view.derived(text, LEAST_SETTING):
            return True
        words = self._settings.get(argument.casefold(), [argument.casefold().replace("_", " ")])
        return self._options.delegation and view.speaks_of(words)

    def _text(self, view: View, _: str, text: str) -> bool:
        """Whether no link of a stranger's goes out with it, however it is spelled."""
        wanted = squash(text)
        return not any(name in wanted and not self._believed(host) for host, name in view.strange_hosts.items())


def _folded(lists: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: [fold(word).text for word in words] for name, words in lists.items()}


def _wanted(view: View, tool: str) -> bool:
    words = words_for(tool)
    return not words or view.speaks_of(words)


def _looks_like(text: str) -> str:
    """The kind of a text that is nothing but an address, an account or a link."""
    stripped = text.strip()
    if len(stripped) > 2_000:
        return ""
    if addresses_in(stripped) and all(map(is_address, recipients(stripped))):
        return "recipient"
    if accounts_in(stripped) == {account(stripped)}:
        return "account"
    return "url" if _URL.fullmatch(stripped) else ""
