"""Addresses in an argument, in the form in which two of them are compared."""

import re
import unicodedata

_PARTED = re.compile(r"[,;\n\r\t'\"\[\]]+")


def plain(text: str) -> str:
    """A name without case, blanks at its ends and invisible signs, in compatibility form (NFKC).

    Letters of another script that only look alike stay what they are: another name.
    """
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c) not in {"Cf", "Cc"}).strip().casefold()


def recipients(text: str) -> list[str]:
    """Each address of a text, parted by commas, semicolons or lines, without its display name.

    What is no address is given as it stands: it equals none.
    """
    found = []
    for piece in _PARTED.split(text):
        name = plain(piece)
        if "<" in name and name.endswith(">"):
            name = name[name.rindex("<") + 1 : -1].strip()
        if name:
            found.append(name)
    return found


def is_address(name: str) -> bool:
    """Whether a name is one address: nothing before it, nothing behind it, one sign @."""
    before, at, domain = name.partition("@")
    return bool(before and at and domain) and "@" not in domain and not any(c.isspace() or c in "()<>" for c in name)
