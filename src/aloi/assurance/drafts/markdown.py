"""Write Markdown in one language, in which text of others stays text: it can open no heading, link, code or HTML."""

import re

from aloi.assurance.report.figures import Figures
from aloi.assurance.report.speech import Speech
from aloi.assurance.telling import remedy_title
from aloi.evidence.decoding import visible
from aloi.science.hazards import hazard_title
from aloi.translation import translate

SHORT = 12
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_INLINE = re.compile(r"[\\`*_\[\]|~$]")
_AT_START = re.compile(r"^([#+\-=:]|\d+(?=[.)](?:\s|$)))")
_BARE_LINK = re.compile(r"(?i):(?=//)|(?<=www)\.")


class Markdown(str):
    """Text that is Markdown already; any other text is escaped before it is put in."""

    __slots__ = ()


def plain(text: str) -> Markdown:
    """Text of others on one line, with nothing left in it that Markdown or HTML would read."""
    line = " ".join(visible(text).split())
    escaped = _INLINE.sub(lambda found: "\\" + found.group(), line.translate(_ENTITIES))
    escaped = _BARE_LINK.sub(lambda found: "\\" + found.group(), escaped)
    return Markdown(_AT_START.sub(_guarded, escaped))


def _guarded(found: re.Match[str]) -> str:
    mark = found.group()
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


def short(digest: str) -> Markdown:
    """The first signs of a digest (`sha256:<64 hex>`), as code."""
    return Markdown(f"`{digest.removeprefix('sha256:')[:SHORT]}`")


def whole(digest: str) -> Markdown:
    """A digest in full, as code; what is none is escaped."""
    known = re.fullmatch("(sha256:)?[0-9a-f]{64}", digest)
    return Markdown(f"`{digest}`") if known else plain(digest)


class Pen:
    """Sentences of the catalogue with their facts escaped; figures, and names of hazards and remedies."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.figures = Figures(language)
        self.speech = Speech(
            language,
            titles=lambda _framework, requirement, _language: requirement,
            framework=lambda key, _language: key,
            hazard=hazard_title,
            remedy=remedy_title,
        )

    def say(self, message: str, /, **facts: object) -> Markdown:
        """A sentence of the catalogue; its facts are escaped unless they are `Markdown`."""
        told = {name: fact if isinstance(fact, Markdown) else plain(str(fact)) for name, fact in facts.items()}
        return Markdown(translate(message, self.language).format(**told))

    def hazard(self, slug: str) -> Markdown:
        """A hazard by its title."""
        return plain(hazard_title(slug, self.language))

    def remedy(self, name: str) -> Markdown:
        """A remedy by its title."""
        return plain(remedy_title(name, self.language))

    def listed(self, items: list[Markdown]) -> Markdown:
        """Items side by side."""
        return Markdown(", ".join(items))
