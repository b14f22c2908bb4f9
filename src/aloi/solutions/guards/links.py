"""Keep links, images and active content out of an answer, unless they lead to an allowed host.

A link in an answer can carry what the model knows to a stranger's server: an image needs no click. Found are markdown
links, images and references, autolinks, bare addresses, names without a scheme, HTML that loads or runs, and
disguises: hxxp, [.] and "dot", percent and character references, look-alike letters, invisible characters, other
dots. Whether a host is allowed is decided on the text as it was written: a disguised host is never allowed.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Annotated, ClassVar, Literal
from urllib.parse import unquote

from msgspec import Meta, Struct

from aloi.solutions.ahead import Ahead
from aloi.solutions.encoded import references
from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.guards import tails
from aloi.solutions.guards.hosts import begins_to_run, names, numbers, running, schemes
from aloi.solutions.normalise import Folded, fold
from aloi.solutions.options import Options
from aloi.solutions.tables import table
from aloi.system.messages import Message, Role

# Taking a link out may join what stood around it into a new one.
PASSES = 4
# An answer with more forbidden links than this is not worth repairing: it is blocked.
MOST = 500
# Of addresses within one another (`https://a.example/?to=https://b.example`) so many are read, and no further one is
# allowed.
NESTED = 8
# So many addresses in running text are read of each kind, with a scheme, names and numbers, and no further one is
# allowed.
ADDRESSES = 1_000
# Where an address leads is told by so many of its characters, and by all of it where these name no host: browsers skip
# what may stand before one.
HEAD = 400

_MARKDOWN = re.compile(r"\]\([ \t\n]{0,8}<?[ \t]{0,8}([^)>\s]*)[^)\n]{0,300}\)?")
_PATH = re.compile(r"[/?#\\]")
_LATIN = re.compile(r"[A-Za-z0-9]")
_LABEL_BACK = 2_000
# A tag with more attributes than this is no tag of an answer.
_ATTRIBUTES = 60
_DEFINITION = re.compile(r"(?m)^[ ]{0,3}(?:> ?)?\[[^\]\n]{1,200}\]:[ \t]*\n?[ \t]*<?([^\s>]+)[^\n]{0,300}")
_TAG = re.compile(r"<([a-z][a-z0-9:-]{0,30})(?!//)([^>]*)>?", re.IGNORECASE)
_DEFINITION_OPEN = re.compile(r"(?m)^[ ]{0,3}(?:> ?)?\[[^\]\n]{1,200}\](?::[ \t]*\n?[ \t]*<?[^\s>]*)?\Z")
_INDENTED = re.compile(r"[ ]{0,3}(?:> ?)?")
_JOINING, _VANISHING = "[({)]}:/\\%&<!", ("[", "]", "<", "!")
# A marker that makes no link with what stands beside it.
_PLAIN_MARKER = re.compile(r"(?![\[{]?(?:dot|point|punto))[\[{]?[^\W\d_]\w*(?: \w+)*[\]}]?")
_TAG_OPEN = re.compile(
    r"<(?:[a-z][a-z0-9:-]{0,30}(?!//)[^>]*|[/!?]?[ \t]{0,4}(?:[a-z]{1,10}:)?(?:[a-z]{0,20}|img(?![a-z0-9-])[^>]*))\Z",
    re.IGNORECASE,
)
_EVENT = re.compile(r"(?<![a-z0-9-])on[a-z]{3,30}[ \t\n]{0,8}=", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?<![a-z0-9:-])([a-z][a-z:-]{1,20})[ \t\n]{0,8}=[ \t\n]{0,8}(?:\"([^\"]*)|'([^']*)|([^\s\"'>]*))", re.IGNORECASE
)
_AUTHORITY = re.compile(r"^(?:[a-z][a-z0-9+.-]{0,30}:)?[\\/]{2,}([^\\/?#]*)", re.IGNORECASE)
_OPENING = re.compile(r"^([a-z][a-z0-9+.-]{0,30}):", re.IGNORECASE)
# Nothing in it is encoded, and nothing stands before its host.
_PLAINLY = re.compile(r"https?://([a-z0-9.-]+)(?::\d+)?(?:[/?#][^\\&%]*)?", re.ASCII | re.IGNORECASE)
_WEB = ("", "http", "https")
_INVISIBLE = re.compile(r"[\x00-\x20\x7f]+")


class LinkPolicyOptions(Options, frozen=True, kw_only=True):
    """`allowed_hosts` are exact names, or `*.name` for all names below; `marker` stands where a link was."""

    allowed_hosts: tuple[Annotated[str, Meta(min_length=1, max_length=253)], ...] = ()
    allow_images: bool = False
    action: Literal["strip", "block"] = "strip"
    marker: Annotated[str, Meta(max_length=80, pattern=r"^[^<>()/\\.:@]*$")] = "[link removed]"


class _Found(Struct, frozen=True):
    start: int
    end: int
    keep: str
    reason: str


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(table("link-policy")[name])


@cache
def _active() -> re.Pattern[str]:
    names = "|".join(sorted(_words("active_elements")))
    return re.compile(rf"<[/!?]?[ \t]{{0,4}}(?:[a-z]{{1,10}}:)?({names})(?![a-z0-9-])([^>]*)>?", re.IGNORECASE)


def _plain(url: str) -> str:
    """A URL as a browser would read it: references and percent signs undone, blanks and controls dropped."""
    for _ in range(3):
        if not ("&" in url or "%" in url) or (undone := unquote(references(url))) == url:
            break
        url = undone
    return _INVISIBLE.sub("", url)


def _told(url: str) -> tuple[str, re.Match[str] | None, str]:
    """A URL as a browser would read it, its authority, and its scheme, which is empty where it has none."""
    plain = _plain(url)
    opening = _OPENING.match(plain)
    return plain, _AUTHORITY.match(plain), opening[1].casefold() if opening else ""


class LinkPolicy:
    """Strip links, images and active content that lead anywhere else than to the allowed hosts."""

    version: ClassVar[str] = "5"
    tables: ClassVar[tuple[str, ...]] = ("homoglyphs", "link-policy")
    Options: ClassVar[type[Options]] = LinkPolicyOptions
    roles: frozenset[Role] = frozenset({"assistant"})

    def __init__(self, options: LinkPolicyOptions) -> None:
        hosts = {host.casefold().rstrip(".") for host in options.allowed_hosts}
        self._exact = frozenset(host for host in hosts if not host.startswith("*."))
        self._below = tuple(host[1:] for host in hosts if host.startswith("*."))
        self._images = options.allow_images
        self._block = options.action == "block"
        self._marker = options.marker

    def screen(self, message: Message) -> Ruling:
        text, reason = message.content, ""
        for _ in range(PASSES):
            folded = fold(text)
            found = self._found(folded)
            if not found:
                return Rewrite(content=text, reason=reason) if reason else Allow()
            reason = reason or found[0].reason
            if self._block or len(found) > MOST:
                return Block(reason=reason)
            text = _without(folded, found).text
        # What still holds a link after so many passes was built to outlast them.
        return Block(reason=reason) if self._found(fold(text)) else Rewrite(content=text, reason=reason)

    def settled(self, text: str) -> int:
        if not _PLAIN_MARKER.fullmatch(self._marker):
            return 0  # what stands in place of a link may become a part of the next
        folded = fold(text)
        found = self._found(folded)
        first = len(folded.text)
        if found and (self._block or len(found) > MOST):
            first = found[0].start
        at = _open(folded.text, first, found)
        while found and (before := self._stays(folded, at, found)) < at:
            at = _open(folded.text, before, found)
        return folded.place(at)

    def settled_before(self, text: str, ahead: Ahead) -> int:
        return min(self._settled_before(text, first) for first in ahead.firsts())

    def leaves(self, ahead: Ahead) -> Ahead | None:
        # A link keeps the words that stood in brackets, and so those of what stands in place of something.
        return ahead if self._block else ahead.behind(self._marker, bare=True)

    def _settled_before(self, text: str, first: str) -> int:
        if not _PLAIN_MARKER.fullmatch(self._marker):
            return 0
        folded = fold(text + first)
        # What is taken out may leave a bracket behind it at the beginning of a line, where it opens a definition.
        if self._found(folded):
            return self.settled(text)
        return min(len(text), folded.place(_open(folded.text, len(folded.text), [])))

    def _stays(self, folded: Folded, end: int, found: list[_Found]) -> int:
        """How much of a beginning stays as it is, whatever links are taken out behind it."""
        seen, peek, size = folded, folded.text[end : end + 1], end
        ways: list[tails.Replaced] = []
        for _ in range(PASSES):
            known = [one for one in found if one.end <= size]
            if not known:
                return end
            ways.append(_without(seen, known))
            left = ways[-1].text[: ways[-1].forth(seen.place(size))]
            seen = fold(left + peek)
            size, found = len(seen.text) - len(peek), self._found(seen)
            opened = seen.place(_open(seen.text, size, found))
            if opened < len(left):
                break
        else:  # built to outlast the passes
            opened = 0 if any(one.end <= size for one in found) else len(left)
        for way in reversed(ways):
            opened = way.back(opened)
        return len(fold(folded.original[:opened]).text)

    def _allows(self, folded: Folded, start: int, end: int, *, scheme: bool = True) -> bool:
        """Whether an address at this place of the folded text leads to an allowed host, plainly written."""
        url = folded.text[start:end]
        if folded.disguised(start, end):
            return False
        return self.allows_url(url if scheme else f"https://{url}")

    def allows_url(self, url: str) -> bool:
        """Whether a URL is relative, or leads over http or https to an allowed host."""
        if plainly := _PLAINLY.fullmatch(url):
            return self._host_allowed(plainly[1])
        head = url[:HEAD]
        plain, authority, scheme = _told(head)
        if head != url and (not authority or scheme not in _WEB):
            head = url
            plain, authority, scheme = _told(url)
        if scheme == "mailto":
            return self._host_allowed(plain.partition("?")[0].rpartition("@")[2])
        if scheme == "tel" or (not scheme and not authority):
            return True
        written = _AUTHORITY.match(head)
        # An encoded sign, a backslash or user information is how one host is dressed as another.
        if scheme not in _WEB or not authority or not written or written[1] != authority[1]:
            return False
        if "\\" in plain or "@" in authority[1] or (authority.end() == len(plain) and head != url):
            return False
        return self._host_allowed(authority[1].partition(":")[0])

    def _host_allowed(self, host: str) -> bool:
        name = host.casefold().rstrip(".")
        return name in self._exact or name.endswith(self._below or ("\0",))

    def _found(self, folded: Folded) -> list[_Found]:
        """What is not allowed, by place; one more than `MOST` where there is more than that."""
        readers = (self._elements, self._markdown, self._definitions, self._schemes, self._bare)
        found = islice(chain.from_iterable(reader(folded) for reader in readers), MOST + 1)
        return sorted(found, key=lambda one: (one.start, -one.end))

    def _elements(self, folded: Folded) -> Iterator[_Found]:
        """(1) HTML that loads, runs or asks, and any element with an event or a URL that is not allowed."""
        skip = 0
        for match in _active().finditer(folded.text):
            name = match[1].casefold()
            if match.start() >= skip and not self._harmless_image(name, match[2], folded, match):
                skip = _closing(folded.text, match, name)
                yield _Found(match.start(), skip, "", "active-content")
        for match in _TAG.finditer(folded.text):
            if "=" in match[2] and (_EVENT.search(match[2]) or not self._attributes_allowed(match[2], folded, match)):
                yield _Found(match.start(), match.end(), "", "active-content")

    def _harmless_image(self, name: str, rest: str, folded: Folded, match: re.Match[str]) -> bool:
        return (
            name == "img" and self._images and not _EVENT.search(rest) and self._attributes_allowed(rest, folded, match)
        )

    def _attributes_allowed(self, rest: str, folded: Folded, match: re.Match[str]) -> bool:
        if folded.disguised(match.start(), match.end()) and "=" in rest:
            return False
        attributes = [
            (m[1].casefold(), m[2] or m[3] or m[4] or "") for m in islice(_ATTRIBUTE.finditer(rest), _ATTRIBUTES + 1)
        ]
        return len(attributes) <= _ATTRIBUTES and all(
            name not in {"style", "srcdoc", "srcset"} and self.allows_url(value)
            for name, value in attributes
            if name in _words("url_attributes")
        )

    def _markdown(self, folded: Folded) -> Iterator[_Found]:
        """(2) Markdown links and images: a link keeps its words, an image keeps its description."""
        text, done = folded.text, 0
        for match in _MARKDOWN.finditer(text):
            label = _label(text, max(done, match.start() - _LABEL_BACK), match.start())
            start = match.start() if label < 0 else label
            image = start > 0 and text[start - 1] == "!"
            done = match.end()
            if (image and not self._images) or not self._allows(folded, match.start(1), match.end(1)):
                words = folded.span(start + 1, match.start()) if label >= 0 and start + 1 < match.start() else (0, 0)
                keep = folded.original[slice(*words)]
                yield _Found(start - image, match.end(), keep, "image" if image else "link")

    def _definitions(self, folded: Folded) -> Iterator[_Found]:
        """(3) Markdown reference definitions."""
        for match in _DEFINITION.finditer(folded.text):
            url = match[1]
            if (":" in url or "/" in url) and not self._allows(folded, match.start(1), match.end(1)):
                yield _Found(match.start(), match.end(), "", "link")

    def _schemes(self, folded: Folded) -> Iterator[_Found]:
        """(4) Addresses with a scheme, however it is spelt, and schemes that run or embed."""
        read = 0
        for _, word in groupby(schemes(folded.text), key=itemgetter(1)):
            for nested, (start, end) in enumerate(word):
                read += 1
                yield from self._address(folded, start, end, scheme=True, may_be=nested < NESTED and read <= ADDRESSES)
        for start, end in running(folded.text):
            yield _Found(start, end, self._marker, "active-content")

    def _bare(self, folded: Folded) -> Iterator[_Found]:
        """(5) Names and addresses without a scheme. A mail address is the personal-data filter's business."""
        for found in (names(folded.text), numbers(folded.text)):
            apart = ((start, end) for start, end in found if "//" not in folded.text[max(0, start - 3) : start])
            for read, (start, end) in enumerate(apart):
                yield from self._address(folded, start, end, scheme=False, may_be=read < ADDRESSES)

    def _address(self, folded: Folded, start: int, end: int, *, scheme: bool, may_be: bool) -> Iterator[_Found]:
        """An address in running text, unless it `may_be` allowed and is, as it stands or up to where another script
        goes on."""
        end = _sentence_end(folded.text, start, end)
        if not may_be:
            yield _Found(start, end, self._marker, "link")
            return
        # An address whose signs are spelt in other ways ("https[:]//") is a disguise, whatever it leads to.
        plainly = not scheme or _AUTHORITY.match(folded.text[start:end]) is not None
        if plainly and self._allows(folded, start, end, scheme=scheme):
            return
        cut = folded.plain_end(start, end)
        # What is plain has to name the host: where these are letters before an address, it is the address that is read.
        named = plainly and start < cut < end and (not scheme or _AUTHORITY.match(folded.text[start:cut]))
        if named and self._allows(folded, start, cut, scheme=scheme):
            match _rest_of_host(folded.text, start, cut, end):
                case "":
                    return
                case "apart":
                    yield _Found(cut, cut + 1, f" {folded.original[slice(*folded.span(cut, cut + 1))]}", "link")
                    return
        yield _Found(start, end, self._marker, "link")


def _sentence_end(text: str, start: int, end: int) -> int:
    """The end of an address without the punctuation of the sentence around it."""
    return start + max(len(text[start:end].rstrip(".,;:!?*_")), 1)


def _rest_of_host(text: str, start: int, cut: int, end: int) -> str:
    """What follows an allowed address in another script: '' if nothing of a host, 'apart' if a blank makes it plain.

    Renderers read on until a blank. Behind a path that changes no host; behind a bare host it does only where a full
    stop makes labels of it ("bank.example。公司"). Latin labels there are a host of somebody's own: 'host'.
    """
    if _PATH.search(text, text.find("//", start, cut) + 2 if "//" in text[start:cut] else start, cut):
        return ""
    path = _PATH.search(text, cut, end)
    rest = text[cut : path.start() if path else end]
    if "." not in rest:
        return ""
    return "host" if _LATIN.search(rest) else "apart"


def _closing(text: str, match: re.Match[str], name: str) -> int:
    """The end of an element whose content goes with it; an element that is never closed takes the rest."""
    if name not in _words("swallowed_elements") or match[0][1:2] == "/" or match[0].endswith("/>"):
        return match.end()
    closing = re.compile(rf"</[ \t]{{0,4}}{re.escape(name)}[^>]*>?", re.IGNORECASE).search(text, match.end())
    return closing.end() if closing else len(text)


def _without(folded: Folded, found: list[_Found]) -> tails.Replaced:
    """The original text with what was found taken out."""
    return tails.Replaced(folded.original, ((*folded.span(one.start, one.end), one.keep) for one in found))


def _label(text: str, low: int, end: int) -> int:
    """Where the words in brackets begin that end before `end`; -1 where no bracket is open there."""
    label = text.rfind("[", low, end)
    return label if label < 0 or text.find("]", label, end) < 0 else -1


def _open(text: str, end: int, found: list[_Found]) -> int:
    """Where in a folded text the first link or element begins up to `end` that the text may yet go on with."""
    places = [end, _begun(text, len(text)), *(one.start for one in found if one.end == len(text))]
    for match in _MARKDOWN.finditer(text):
        if match.end() == len(text) and not match[0].endswith(")"):
            label = _label(text, max(0, match.start() - _LABEL_BACK), match.start())
            places.append(match.start() if label < 0 else label)
    if tag := _TAG_OPEN.search(text, text.rfind(">") + 1):
        places.append(tag.start())
    at, before = min(places), -1
    spans = tails.Spans((one.start, one.end) for one in found)
    while at != before:
        before, at = at, _parted(text, spans.clear(text, at))
        # A bracket that nothing closes before what may yet change, and what may be taken out whole from between others.
        bracket = text.find("[", max(text.rfind("]", 0, at) + 1, len(text) - _LABEL_BACK - 1), at)
        at = at if bracket < 0 else bracket
        at = _begun(text, at) if text[at : at + 1] in _VANISHING else at
    return at


def _begun(text: str, end: int) -> int:
    """Where a word, a scheme that runs something or a definition begins that is cut at `end`."""
    word = tails.word(text, end)
    definition = _DEFINITION_OPEN.search(text, max(0, word - _LABEL_BACK), end)
    return min(begins_to_run(text, word, end), definition.start() if definition else word, word)


def _parted(text: str, at: int) -> int:
    """The last beginning of a word up to `at` that no sign joins to the word before, nor an indentation to its line."""
    at = tails.parted(text, at, _JOINING)
    line = text.rfind("\n", 0, at) + 1
    return line if at - line < 6 and _INDENTED.fullmatch(text, line, at) else at
