"""Say a sentence in the reader's language: English is the source, French stands in `locale/`."""

import gettext
import os
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "fr")
LOCALE = Path(__file__).parent / "locale"
# What a keyboard gives, and French typography sets otherwise: the apostrophe, and the narrow space that does not break.
APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
SPACED = re.compile(r" (?=[;:!?%»])|(?<=«) ")


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a sentence for translation and return it unchanged."""
    return message


MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The sentences of one language; English, or an unknown language, says them as they are written."""
    return gettext.translation("messages", LOCALE, languages=[language], fallback=True)


def translate(message: str, language: str) -> str:
    """`message` in `language` ('en' or 'fr'); an empty message stays empty."""
    return catalogue(language).gettext(message) if message else ""


def typeset(text: str, language: str) -> str:
    """A text of the data tables as it is shown: French, which is typed plainly there, is set; English stays."""
    return SPACED.sub("\u202f", APOSTROPHE.sub("\u2019", text)) if language == "fr" else text


def written(day: date, language: str) -> str:
    """A day written out: 27 November 2026, 1er mai 2026 (French says so of the first of a month alone)."""
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{number} {translate(MONTHS[day.month - 1], language)} {day.year}"


def language_of(environment: Mapping[str, str] = os.environ) -> str:
    """The reader's language from ALOI_LANG, LC_ALL, LC_MESSAGES or LANG; English where none is known."""
    for name in ("ALOI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name, ""):
            return value[:2].lower() if value[:2].lower() in LANGUAGES else "en"
    return "en"
