"""Pages that a stranger's text names, and what opening one may tell the stranger.

A link that was copied whole carries nothing of the user's out, unless the agent wrote it first, it is one of several to
choose from, or it does something when it is opened: confirm, unsubscribe, reach a machine of the house.
"""

import re
from collections.abc import Callable, Collection
from urllib.parse import unquote

from aloi.solutions.arguments import Malformed, read_arguments, texts
from aloi.solutions.normalise import squash
from aloi.system.messages import Request, ToolCall

_END = r"[^\s<>\"'()\[\]{}`|\\^]"
_LINK = re.compile(
    rf"(?:[a-z][a-z0-9+.-]{{1,20}}:)?//{_END}+"
    rf"|(?<![\w@./-])(?:www\.[\w.-]+|(?:[\w-]{{1,63}}\.){{1,8}}[a-z]{{2,24}}(?=/)){_END}*",
    re.IGNORECASE,
)
_BEHIND = ".,;:!?*_~\u2026\u00bb\u201d\u2019"
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
# A query, a fragment, an escape, a name before the host or a port: more than the place of a page.
_MORE = re.compile(r"[?#%@:;=&\\]")
# Names that lead to the machine itself or into the house's own network (RFC 6761, RFC 6762, RFC 8375 and usage).
_INSIDE = frozenset(
    ("arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "localhost", "private")
)
_OUTSIDE = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}")
_PIECE = re.compile(r"[A-Za-z0-9]+")
LONGEST, LONGEST_PIECE, MIXED, DIGITS = 200, 32, 8, 5
SPELLINGS = 2  # ways to write a page: each is one more that a stranger could tell from the others


def links_in(text: str) -> set[str]:
    """The links of a text, each whole: up to the blank, bracket or quote, without signs that end a sentence."""
    return {link for link in (found.rstrip(_BEHIND) for found in _LINK.findall(text)) if link}


def bare(link: str) -> str:
    """A link without its scheme and one slash at its end, its host in one case: ways to write the same page. The case
    of a path tells its server something, and so do more slashes."""
    host, slash, path = _SCHEME.sub("", link, count=1).removesuffix("/").partition("/")
    return f"{host.casefold()}{slash}{path}"


def spellings(links: Collection[str]) -> set[str]:
    """What a call may say that copies one of these links: see `as_named`."""
    return {*links, *(f"https://{link}" for link in links if "//" not in link)}


def site(host: str) -> str:
    """The last two parts of a host. Hosts of one owner share them; so may those of several, which is the safe side."""
    return ".".join(host.split(".")[-2:])


def is_only_a_page(link: str) -> bool:
    """Whether a link is the place of a public page and no more: http or https, a name that leads outside, a path with
    nothing that looks like a code."""
    rest = _SCHEME.sub("", link, count=1)
    name, _, path = rest.partition("/")
    host = name.casefold()
    if len(link) > LONGEST or _MORE.search(rest) or not _OUTSIDE.fullmatch(host) or host.rpartition(".")[2] in _INSIDE:
        return False
    return not any(map(_is_code, _PIECE.findall(path)))


def _is_code(piece: str) -> bool:
    digits = sum(c.isdigit() for c in piece)
    return len(piece) > LONGEST_PIECE or digits >= DIGITS or (len(piece) >= MIXED and 0 < digits < len(piece))


def read_first(request: Request, link: str, reads: Callable[[str], bool]) -> bool:
    """Whether a text named a link before the agent could have written it there: before it stood in a call, and before
    any call of a tool that is not known only to read (`reads`, by the tool's name)."""
    if any(link in links_in(document.text) for document in request.documents):
        return True
    wanted = squash(bare(link))  # a tool that is told no scheme may repeat the link with one
    for message in request.messages:
        if any(not reads(call.name) or _writes(call, wanted) for call in message.tool_calls):
            return False
        if message.role in ("tool", "document") and link in links_in(message.content):
            return True
    return False


def _writes(call: ToolCall, wanted: str) -> bool:
    """Whether a call says a link, which its result may then repeat; what cannot be read may say anything."""
    try:
        said = "".join(texts(list(read_arguments(call.arguments).values())))
    except Malformed:
        return True
    return wanted in squash(said) or wanted in squash(unquote(said))


def as_named(written: str, links: Collection[str]) -> str:
    """The link that a call copies from these: as it stands, or with `https://` before one that has no scheme; '' for
    none."""
    if written in links:
        return written
    without = written.removeprefix("https://")
    return without if without != written and without in links else ""
