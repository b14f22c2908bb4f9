"""Labelled texts, each once: what differs by blanks, case, accents, disguise or digits alone is one text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from msgspec import Struct

from aloi.solutions.language import language
from aloi.solutions.normalise import fold

_DIGITS = re.compile(r"[0-9]+")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Labelled(Struct, frozen=True, kw_only=True):
    """A text, whether it is an attack, its language, and a digest by which it is known again."""

    text: str
    attack: bool
    language: str
    digest: str


class Texts(Struct, frozen=True, kw_only=True):
    """Distinct texts in the order of their digests; `contradictory` were labelled both ways and are in neither."""

    attacks: tuple[Labelled, ...]
    ordinary: tuple[Labelled, ...]
    contradictory: int

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests of all, in order."""
        return tuple(sorted(one.digest for one in (*self.attacks, *self.ordinary)))


def labelled(text: str, *, attack: bool, spoken: str = "") -> Labelled:
    """A text, its language told by itself where nobody says it."""
    folded = fold(text).text
    plain = _DIGITS.sub("0", " ".join(folded.lower().split()))
    code = spoken.lower() if _CODE.fullmatch(spoken.lower()) else language(folded)
    known = sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
    return Labelled(text=text, attack=attack, language=code, digest=known)


def distinct(texts: Iterable[Labelled]) -> Texts:
    """Each text once; blank ones are none. Which way to write one is kept does not depend on their order."""
    kept: dict[str, Labelled] = {}
    labels: dict[str, set[bool]] = {}
    for one in texts:
        if one.text.strip():
            labels.setdefault(one.digest, set()).add(one.attack)
            before = kept.get(one.digest)
            if before is None or _order(one) < _order(before):
                kept[one.digest] = one
    agreed = [one for known, one in sorted(kept.items()) if len(labels[known]) == 1]
    return Texts(
        attacks=tuple(one for one in agreed if one.attack),
        ordinary=tuple(one for one in agreed if not one.attack),
        contradictory=len(kept) - len(agreed),
    )


def by_language(texts: Sequence[Labelled]) -> Iterator[tuple[str, list[Labelled]]]:
    """The texts of each language, by its code."""
    for code in sorted({one.language for one in texts}):
        yield code, [one for one in texts if one.language == code]


def _order(one: Labelled) -> tuple[bytes, str]:
    return one.text.encode("utf-8", "surrogatepass"), one.language
