"""Where the values of a conversation come from: its owner and user, the house's own tools, or texts of strangers.

A `View` reads a request once, as far as it is asked. Values are compared in the form in which they work: an address
without case and invisible signs, an account without blanks, an address of the web by its host. Look-alike letters make
another value, which nobody has vouched for.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property

import yaml

from aloi.solutions.encoded import layers, rot13
from aloi.solutions.normalise import alphanumeric, fold, squash
from aloi.solutions.recipients import plain
from aloi.solutions.tools import audience_fields, results
from aloi.system.messages import Request, ToolCall
from aloi.system.toolpolicy import host_name

ADDRESS = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
ACCOUNT = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2} ?\d{2}(?: ?[A-Za-z0-9]){8,30}(?![A-Za-z0-9])")
# With a scheme, with `www.`, or a name that a path follows.
HOST = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}:)?//([^\s/?#<>\"'()\\]+)|(?<![\w@./-])(www\.[\w.-]+|(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?=/))",
    re.IGNORECASE,
)
# What no host holds, and may stand around one without a blank: "//one.example, //two.example".
_AROUND = re.compile(r"[\[\]{}|`^,;!*~&\u2026\u00bb\u201d\u2019]")
_NAME = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# A name at the end of a sentence, with no blank before the next one: "our.example.They".
_RAN_ON = re.compile(r"((?:[\w-]{1,63}\.){1,7}[a-z]{2,24})\.(?=[A-Z][a-z])")
WORD = re.compile(r"\w+")
_HEADER = re.compile(r"([A-Za-z-]{2,20}): ?(.*)")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")
# A record is named by a title, subject or name of at least so many letters and digits.
TELLING, NAMING = 6, 3
LONGEST = 200_000


def addresses_in(text: str) -> set[str]:
    """The mail addresses that stand in a text, as they are compared."""
    return {found.strip(".") for found in ADDRESS.findall(plain(text))} if "@" in text or "\uff20" in text else set()


def account(text: str) -> str:
    """An account as it is compared."""
    return "".join(plain(text).split()).upper()


def accounts_in(text: str) -> set[str]:
    """What is written like an IBAN, whether or not its check digits hold."""
    return {account(found) for found in ACCOUNT.findall(text)}


def host_in(url: str) -> str:
    """The host of an address as a browser finds it, without `www.`; '' where there is none to be found."""
    match = HOST.search(url) or HOST.search(f"//{url.strip()}")
    written = (match[1] or match[2] or "") if match else ""
    name = host_name(plain(written.rpartition("@")[2].partition(":")[0]).strip("."))
    return (name or "").removeprefix("www.")


def hosts_in(text: str) -> set[str]:
    """The hosts that a text links to."""
    found = (match[0].rstrip("._") for one in (text, _AROUND.sub(" ", text)) for match in HOST.finditer(one))
    return {host for host in map(host_in, found) if host}


def names_in(text: str) -> set[str]:
    """Whatever in a text may be the name of a host: only what is believed is read so freely."""
    written = [*_NAME.findall(plain(text)), *map(plain, _RAN_ON.findall(text))]
    return {name.removeprefix("www.") for name in map(host_name, written) if name} | hosts_in(text)


class View:
    """A conversation by provenance. `believed` says whose tools' results come from the house, `senders` in which fields
    of a tool's results the system itself says who wrote; `alongside` are calls that go with the one at issue."""

    def __init__(
        self,
        request: Request,
        believed: Callable[[str], bool],
        senders: Callable[[str], Collection[str]],
        alongside: Collection[ToolCall] = (),
    ) -> None:
        self.request = request
        self.calls = [*(call for message in request.messages for call in message.tool_calls), *alongside]
        self._senders = senders
        self.said = [message.content for message in request.messages if message.role == "user"]
        self.trusted = [request.prompt, *self.said]
        self.untrusted = [document.text for document in request.documents]
        self.untrusted += [message.content for message in request.messages if message.role == "document"]
        self._results: list[tuple[str, str]] = []
        for tool, result in results(request):
            if tool and believed(tool):
                self.trusted.append(result)
            else:
                self.untrusted.append(result)
                self._results.append((tool, result))
        self._found: dict[tuple[Callable[[str], set[str]], bool], frozenset[str]] = {}

    @cached_property
    def user_words(self) -> frozenset[str]:
        """The words that the user said, folded."""
        return frozenset(WORD.findall(self._said_folded))

    @cached_property
    def _said_folded(self) -> str:
        return fold("\n".join(self.said)).text.casefold()

    def speaks_of(self, words: Iterable[str], beside: str = "") -> bool:
        """Whether the user said one of these words: one, several in a row, or (`book*`) one that begins so; accents do
        not count, and neither does the title `beside`."""
        if beside:
            text = self._said_beside(beside)
            said, squashed = frozenset(WORD.findall(text)), alphanumeric(text)
        else:
            said, squashed = self.user_words, self.user_squashed
        return any(_speaks(word, said, squashed) for word in words)

    @cached_property
    def user_squashed(self) -> str:
        """What the user said, as `squash` leaves it."""
        return squash("\n".join(self.said))

    @cached_property
    def trusted_squashed(self) -> str:
        """All that can be believed, as `squash` leaves it; texts do not join."""
        return "|".join(map(squash, self.trusted))

    @cached_property
    def trusted_compact(self) -> str:
        """All that can be believed, as `account` leaves it; texts do not join."""
        return "|".join(map(account, self.trusted))

    @cached_property
    def untrusted_squashed(self) -> str:
        """All that strangers wrote, decoded as well, as `squash` leaves it; texts do not join."""
        pieces = []
        for text in self.untrusted:
            folded = fold(text).text
            plain_letters = alphanumeric(folded)
            pieces += [plain_letters, rot13(plain_letters), plain_letters[::-1]]
            pieces += [alphanumeric(layer.text) for layer in layers(folded)]
        return "|".join(pieces)

    def found(self, read: Callable[[str], set[str]], *, trusted: bool) -> frozenset[str]:
        """The values that one kind of reading finds on one side."""
        key = (read, trusted)
        if key not in self._found:
            texts = self.trusted if trusted else self.untrusted
            self._found[key] = frozenset(value for text in texts for value in read(text))
        return self._found[key]

    @cached_property
    def strange_hosts(self) -> dict[str, str]:
        """Hosts that only strangers name, each as `squash` leaves it."""
        hosts = self.found(hosts_in, trusted=False) - self.found(names_in, trusted=True)
        return {host: squash(host) for host in hosts}

    def derived(self, text: str, least: int) -> bool:
        """Whether a text stands in what strangers wrote, plain or encoded, and in nothing that can be believed."""
        wanted = squash(text)
        return len(wanted) >= least and wanted in self.untrusted_squashed and wanted not in self.trusted_squashed

    @cached_property
    def writers(self) -> set[str]:
        """Addresses that the system, not a writer, put into the records that the user named."""
        found: set[str] = set()
        for tool, result in self._results:
            fields = {field.casefold() for field in self._senders(tool)}
            for record in records(result) if fields else ():
                addresses = {one for name, text in record if name in fields for one in addresses_in(text)}
                titled = any(self._is_named(text) for name, text in record if name not in fields)
                found |= addresses if titled else set(filter(self.is_person, addresses))
        return found

    @cached_property
    def shared(self) -> tuple[str, frozenset[str]]:
        """The title and the readers, as the system itself says them, of the one record that the user named by its
        title; '' and nobody where several fit, or none."""
        fitting: set[tuple[str, frozenset[str]]] = set()
        for tool, result in self._results:
            fields = audience_fields(tool)
            for record in records(result) if fields else ():
                assert fields is not None
                people = frozenset(one for name, text in record if name in fields.people for one in addresses_in(text))
                titles = [text for name, text in record if name == fields.title]
                fitting |= {(title, people) for title in titles if self._is_said(title)}
        return next(iter(fitting)) if len(fitting) == 1 else ("", frozenset())

    def _is_said(self, title: str) -> bool:
        """Whether the user said a title, with its ending or without; a single word is said by chance, be it with an
        article or another small one."""
        return any(
            sum(len(word) > NAMING for word in _words(one)) > 1 and self._is_named(one)
            for one in (title, _ENDING.sub("", title))
        )

    def _said_beside(self, title: str) -> str:
        """What the user said, folded, without a title that stands in it."""
        words = _words(fold(_ENDING.sub("", title)).text.casefold())
        return re.sub(r"[\W_]*".join(map(re.escape, words)), " ", self._said_folded) if words else self._said_folded

    def _is_named(self, title: str) -> bool:
        wanted = squash(title) if len(title) <= 200 else ""
        return len(wanted) >= TELLING and wanted in self.user_squashed

    def is_person(self, address: str) -> bool:
        """Whether the user said a part of the name in front of the @."""
        parts = re.split(r"[\W\d_]+", address.partition("@")[0])
        return any(len(part) >= NAMING and part in self.user_words for part in parts)


def _speaks(word: str, said: Collection[str], squashed: str) -> bool:
    if " " in word:
        return squash(word) in squashed
    return any(one.startswith(word[:-1]) for one in said) if word.endswith("*") else word in said


def _words(title: str) -> list[str]:
    return WORD.findall(title.replace("_", " "))


def records(result: str) -> Iterator[list[tuple[str, str]]]:
    """The records of a result, each as pairs of field and text: a head of `Name: value` lines up to the first empty
    line, or a list of YAML or JSON objects. Nothing where it is neither."""
    head = result[:4_000].partition("\n\n")[0].splitlines()
    lines = [_HEADER.fullmatch(line) for line in head[:40]]
    # A ticket has its title in the first line, and no name before it.
    if len(lines) > 1 and all(lines[1:]) and len(head) <= len(lines):
        yield [("", head[0]), *((match[1].casefold(), match[2]) for match in lines if match)]
        return
    if len(result) > LONGEST or ":" not in result:
        return
    try:
        value = yaml.load(result, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both loaders are the safe ones
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    for record in value if isinstance(value, list) else [value]:
        if isinstance(record, dict):
            yield [(str(name).casefold(), text) for name, written in record.items() for text in _texts(written)]


def _texts(written: object) -> Iterator[str]:
    """A text, or the texts of a list, or the names of an object's fields. Nothing deeper is read: an alias may stand
    for billions of values."""
    for one in written if isinstance(written, list | dict) else [written]:
        if isinstance(one, str):
            yield one
