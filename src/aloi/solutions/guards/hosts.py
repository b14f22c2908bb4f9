"""Find names and addresses of hosts in a folded text, in one pass from sign to sign.

A pattern that may begin at any letter is tried at every letter; so the rare sign inside an address (a colon before
slashes, a full stop between letters) is looked for first, and the pattern is tried only at the beginning of its word.
"""

import re
from collections import deque
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from aloi.solutions.either import either
from aloi.solutions.tables import table

_ENCODED_COLON = r"(?:%3[aA]|&#0{0,4}58;?|&#[xX]0{0,4}3[aA];?|&colon;)"
NOT_END = r"[^\s<>\"'`)\]}]"
# `:` or `[:]` or an encoded colon, and at least two slashes of any kind.
_COLON = re.compile(
    r"[:%&\[({](?:(?<=:)|(?<=[\[({])[ ]?:[ ]?[\])}]|(?<=%)3[aA]|(?<=&)(?:#0{0,4}58;?|#[xX]0{0,4}3[aA];?|colon;))[ ]?"
    r"(?:[\\/]|%2[fF]|%5[cC]|&#0{0,4}47;?|&#[xX]0{0,4}2[fF];?|&sol;){2,}"
)
_TAIL = re.compile(rf"{NOT_END}*")
_SCHEME_SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-"
_LONGEST_SCHEME = 21
# Browsers skip blanks inside a scheme.
_SCRIPT = {initial: r"[\t\n]?".join(f"{rest}script") for initial, rest in (("j", "ava"), ("v", "b"), ("l", "ive"))}
_SCRIPTS = "|".join(rf"(?<={initial})[\t\n]?{rest}" for initial, rest in _SCRIPT.items())
_RUNNING = re.compile(rf"[JjVvLl](?<![A-Za-z0-9].)(?i:{_SCRIPTS})[\t\n]?(?::|{_ENCODED_COLON}){NOT_END}+")


def _begun(word: str) -> str:
    pattern = r"(?:[\t\n]?[:%&]\S*)?"
    for letter in reversed(word[1:]):
        pattern = rf"(?:[\t\n]?{letter}{pattern})?"
    return word[0] + pattern


_BEGUN = re.compile(rf"(?<![A-Za-z0-9])(?i:{'|'.join(map(_begun, ('javascript', 'vbscript', 'livescript')))})[\t\n]?\Z")
# "data: 12 rows" is prose; "data:text/html" is not.
_DATA = re.compile(rf"[Dd](?<![A-Za-z0-9].)(?i:ata:[a-z]{{1,20}}/[a-z0-9.+-]{{1,60}}[;,]){NOT_END}*")
_SEP = r"(?:\.|[ ]?[\[({][ ]?(?:\.|dot|point|punto)[ ]?[\])}][ ]?)"
_DOT = re.compile(
    r"[.\[({](?:(?<=[A-Za-z0-9_-]\.)(?=[A-Za-z0-9_])|(?<=[\[({])[ ]?(?:\.|(?i:dot|point|punto))[ ]?[\])}])"
)
_NUMBERS = re.compile(rf"\d(?<![\d.]\d)\d{{0,2}}(?:\.\d{{1,3}}){{3}}(?![\d.])(?:[/:]{NOT_END}*)?")
_WORD_SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-"
_WORD_END = re.compile(r"[^A-Za-z0-9_.@-]")
_WWW = re.compile("www", re.IGNORECASE)
_LONGEST_NAME, _LONGEST_BEGUN, _MOST_LABELS = 600, 40, 8


class _Names(Struct, frozen=True):
    """What a name of a host looks like. Its last label, without which there is none, stands behind a full stop, or
    behind a sign that is spelt out."""

    whole: re.Pattern[str]
    dotted: re.Pattern[str]
    last: re.Pattern[str]


@cache
def _names() -> _Names:
    data = table("link-policy")
    alone, pathed = either(data["endings"]), either(data["endings_with_path"])
    label = r"[a-z0-9_](?:[a-z0-9_-]{0,62})"
    # A name ends where its last label ends: "in.the end" is no name, "site.example" is.
    alone = rf"{alone}(?![a-z0-9_@-])(?!\.[a-z0-9])"
    whole = (
        rf"(?<![a-z0-9@._-])(?:{label}{_SEP}){{1,{_MOST_LABELS}}}(?:{alone}(?:[/?#:]{NOT_END}*)?|{pathed}[/?#:]{NOT_END}+)"
        rf"|(?<![a-z0-9@._-])www{_SEP}{NOT_END}+"
    )
    last = rf"(?:{alone}|{pathed}[/?#:])"
    return _Names(*(re.compile(one, re.IGNORECASE) for one in (whole, rf"\.{last}", rf"[ ]?{last}")))


Span = tuple[int, int]


def schemes(text: str) -> Iterator[Span]:
    """Addresses with a scheme and slashes, however these are spelt."""
    ends = 0  # of the word that was read last: its other addresses end there too
    for colon in _COLON.finditer(text):
        head = text[max(0, colon.start() - _LONGEST_SCHEME - 1) : colon.start()].removesuffix(" ")
        blank = colon.start() > 0 and text[colon.start() - 1] == " "
        scheme = head[len(head.rstrip(_SCHEME_SIGNS)) :][-_LONGEST_SCHEME:].lstrip("0123456789+.-")
        if len(scheme) > 1:
            if colon.end() > ends:
                tail = _TAIL.match(text, colon.end())
                ends = tail.end() if tail else colon.end()
            yield colon.start() - blank - len(scheme), ends


def running(text: str) -> Iterator[Span]:
    """Schemes that run or embed something: javascript, vbscript, data."""
    yield from (match.span() for match in _RUNNING.finditer(text))
    yield from (match.span() for match in _DATA.finditer(text))


def begins_to_run(text: str, word: int, end: int) -> int:
    """Where a scheme that runs something begins before `end`, which is where it is cut; `word` is its last word."""
    begun = _BEGUN.search(text, max(0, word - _LONGEST_BEGUN), end)
    return begun.start() if begun else end


def names(text: str) -> Iterator[Span]:
    """Names of hosts without a scheme, with what follows them."""
    patterns = _names()
    www = _WWW.search(text) is not None
    at, read = 0, -1
    # Signs of what may be a name, if it comes to a last label: nothing else is looked at whole.
    signs: deque[re.Match[str]] = deque(maxlen=_MOST_LABELS)
    while sign := _DOT.search(text, at):
        if sign[0] == ".":
            end = _WORD_END.search(text, sign.end())
            at = end.start() if end else len(text)
            last = patterns.dotted.search(text, sign.start(), at + 1)
        else:
            at = sign.end()
            last = patterns.last.match(text, at)
        signs.append(sign)
        if last or (www and _WWW.match(text, _beginning(text, sign))):
            for one in signs:
                # A sign may stand behind the name that was read last.
                if (start := _beginning(text, one)) > read and (match := patterns.whole.match(text, start)):
                    yield match.span()
                    read, at = start, max(at, match.end())
                    break
            signs.clear()


def numbers(text: str) -> Iterator[Span]:
    """Numbers of hosts without a scheme, with what follows them."""
    yield from (match.span() for match in (_NUMBERS.finditer(text) if text.count(".") >= 3 else ()))


def _beginning(text: str, sign: re.Match[str]) -> int:
    """Where the word before a sign begins; -1 where none does, or a longer one than a name."""
    head = text[max(0, sign.start() - _LONGEST_NAME) : sign.start()]
    if sign[0] != ".":
        head = head.removesuffix(" ")
    word = len(head) - len(head.rstrip(_WORD_SIGNS))
    if not 0 < word < _LONGEST_NAME:
        return -1
    return sign.start() - word - (sign[0] != "." and text[sign.start() - 1 : sign.start()] == " ")
