"""Find e-mail and Internet addresses in a folded text."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any

from msgspec import Struct

from aloi.solutions.guards.announced import heading
from aloi.solutions.tables import table

_AT = re.compile(r"[@\[({](?:(?<=@)|[ ]?(?:[aA][tT]|[aA]robase|[aA]rroba|@)[ ]?[\])}])[ ]?(?=[A-Za-z0-9])")
# In "postgres://user@host" the name belongs to an address of another kind.
_USER = re.compile(r"//(?:[^\s@/]*:)?\Z")
_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_DOT = r"(?:\.|[ ]?[\[({][ ]?(?:\.|dot|point|punto)[ ]?[\])}][ ]?)"
_DOMAIN = re.compile(rf"(?:[A-Za-z0-9-]{{1,63}}{_DOT}){{1,8}}[A-Za-z]{{2,24}}", re.IGNORECASE)
_IN_HOST = re.compile(r"[A-Za-z0-9.-]+")
_ANY_DOT = re.compile(_DOT, re.IGNORECASE)
# The boundary is asked after the first character: the search then runs from one such character to the next.
_IPV4 = re.compile(r"\d(?<![\w.-]\d)\d{0,2}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}(?:(?<=::)|[0-9A-Fa-f]{1,4})(?!\w|:[\w:])")
_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:")
_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"[0-9A-Fa-f:]+")
_HEX = "0123456789abcdefABCDEF"
_BEFORE = 24
_SHORTEST_IPV4 = len("1.2.3.4")
# What a log or a command writes behind an address: its port, its mask, the empty names of the common log format.
_IN_A_LOG = re.compile(r"\]?(?:[ ]-[ ]\S|[ ]port\b|:\d{2,5}\b|/\d{1,2}\b)")

Place = tuple[int, int, str]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def emails(text: str, spend: Callable[[str], None]) -> Iterator[Place]:
    """Start, end and plain form of each e-mail address, also where '@' and '.' are spelt out in brackets."""
    for match in _AT.finditer(text):
        spend("mail")
        head = text[max(0, match.start() - 64) : match.start()].removesuffix(" ")
        local = head[len(head.rstrip(_LOCAL)) :].lstrip(".%+-")
        if not local or ("//" in head and _USER.search(head, 0, len(head) - len(local))):
            continue
        domain = _DOMAIN.match(text, match.end())
        apart = text[match.start() - 1] == " "
        if domain and (match[0][0] != "@" or _belongs(domain[0], before=apart, after=match[0] != "@")):
            start = match.start() - len(local) - apart
            host = domain[0] if _IN_HOST.fullmatch(domain[0]) else _ANY_DOT.sub(".", domain[0])
            yield start, domain.end(), f"{local}@{host}".casefold()


def like_email(text: str) -> bool:
    """Whether a folded text has the sign of an e-mail address."""
    return _AT.search(text) is not None


def like_internet(text: str) -> bool:
    """Whether a folded text has the shape of an Internet address."""
    four = text.count(".") >= 3 and _IPV4.search(text) is not None
    return four or (text.count(":") >= 2 and _COLONS.search(text) is not None)


def _belongs(domain: str, *, before: bool, after: bool) -> bool:
    """Whether a plain '@' with blanks beside it is that of an address, unlike those of "to @you" and "shop @ home"."""
    if before or after:
        return before == after and domain.rpartition(".")[2].casefold() in _endings()
    return True


@cache
def _endings() -> frozenset[str]:
    data = table("link-policy")
    return frozenset((*data["endings"], *data["endings_with_path"]))


class _Rules(Struct, frozen=True):
    versions: re.Pattern[str]
    announced: re.Pattern[str]
    low: int
    public: frozenset[str]
    internal: dict[int, list[tuple[int, int]]]


@cache
def _rules() -> _Rules:
    data: dict[str, Any] = table("personal-data")["addresses"]
    return _Rules(
        versions=re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, data['versions']))})[ .:-]{{0,3}}$"),
        announced=re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, data['announced']))})"),
        low=data["low"],
        public=frozenset(data["public"]),
        internal=_numbers(map(ipaddress.ip_network, data["internal"])),
    )


def _numbers(networks: Iterable[Network]) -> dict[int, list[tuple[int, int]]]:
    """The first and last address of each network, by version."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    for network in networks:
        ranges.setdefault(network.version, []).append((int(network.network_address), int(network.broadcast_address)))
    return ranges


def internet(text: str, spend: Callable[[str], None]) -> Iterator[Place]:
    """Start, end and plain form of each Internet address that may lead to a person.

    Addresses of one's own network and machine and those of public resolvers do not.
    """
    for match in chain(_IPV4.finditer(text) if text.count(".") >= 3 else (), _sixes(text)):
        spend("address")
        try:
            address = ipaddress.ip_address(match[0])
        except ValueError:
            continue
        if not _excused(address) and not _is_version(text, match, spend):
            yield match.start(), match.end(), str(address)


def _sixes(text: str) -> Iterator[re.Match[str]]:
    done = 0
    for colons in _COLONS.finditer(text) if text.count(":") >= 2 else ():
        if colons.start() >= done:
            head = text[max(done, colons.start() - 4) : colons.start()]
            if match := _IPV6.match(text, colons.start() - len(head) + len(head.rstrip(_HEX))):
                yield match
            run = _RUN.match(text, colons.start())
            done = run.end() if run else colons.end()


def _excused(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    number = int(address)
    internal = any(low <= number <= high for low, high in _rules().internal.get(address.version, ()))
    return internal or str(address) in _rules().public


def _is_version(text: str, match: re.Match[str], spend: Callable[[str], None]) -> bool:
    """Whether this is rather a version, the number of a section, or a name of a program ("a::b").

    Four lone digits, letters alone, and four numbers of which the first is as low as that of a version are an address
    only where they are announced as one, by a word, the heading of their column, or the form of a log.
    """
    before = text[max(0, match.start() - _BEFORE) : match.start()].casefold()
    if _rules().versions.search(before):
        return True
    if "." in match[0]:
        bare = len(match[0]) == _SHORTEST_IPV4 or int(match[0].partition(".")[0]) < _rules().low
    else:
        bare = match[0].count(":") < 3 or not _DIGIT.search(match[0])
    if not bare or _rules().announced.search(before) or _IN_A_LOG.match(text, match.end()):
        return False
    spend("announced")
    return not _rules().announced.search(heading(text, match.start()))
