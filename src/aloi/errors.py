"""Every error of Aloi, in four families by whose move is next.

    AloiError
    ├── AskerError      exit 2   the command, a file or an option must be corrected by who asks
    ├── TargetError     exit 3   the system under assessment could not be asked
    ├── EvidenceError   exit 4   evidence does not hold
    └── RegistryError   exit 5   a registry refused or could not be reached

A sentence is kept as a template and its facts, so that the command line can say it in the reader's language.
A risk above its threshold is a result, never an exception.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import ClassVar

from aloi.translation import N_, translate

# Facts that are words of ours, or of the operating system, and are said in the reader's language too.
WORDS = ("kind", "part", "problem")
# How many known names are told where none is near.
KNOWN = 12
# What nobody is told, whoever wrote it where it does not belong: who asks as whom in an address, and private keys.
# Foreign text of any length comes by here: the time that a form takes grows no faster than the text.
_ADDRESSED = re.compile(r"(?<=://)\S++")
_SECRETS = (
    (re.compile(r"(?<![\w.-])[\w.-]++:[^\s/@:]++@(?!sha256:)(?=[\w\[])"), "…@"),  # a model is named with a digest
    (
        re.compile(
            r"(?i)([?&](?=[^?=&\s]*?(?:pass|secret|token|key|auth|cred|sig))[^?=&\s]++=)[^&\s]++",
        ),
        r"\1…",
    ),
    (re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"), "(…)"),
)


def concealed(text: str) -> str:
    """Text without the secrets that a form gives away: credentials in an address, a private key in PEM."""
    text = _ADDRESSED.sub(_without_asker, text)
    for form, instead in _SECRETS:
        text = form.sub(instead, text)
    return text


def _without_asker(found: re.Match[str]) -> str:
    asker, _, rest = found.group().rpartition("@")
    return f"…@{rest}" if asker else found.group()


class Said:
    """A sentence within a sentence: what a library found, in words that can be said in the reader's language."""

    def __init__(self, message: str, /, **facts: object) -> None:
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return self.message.format(**self.facts)


class AloiError(Exception):
    """Root of Aloi's errors: what went wrong, and what to do next.

    `message` and `remedy` are `str.format` templates over `facts`, of which none holds a secret that `concealed` knows.
    `str(error)` is the English sentence.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, /, *, remedy: str = "", **facts: object) -> None:
        self.message = message
        self.remedy = remedy
        self.facts = {name: _without_secrets(fact) for name, fact in facts.items()}
        super().__init__(message.format(**self.facts))


def _without_secrets(fact: object) -> object:
    if not isinstance(fact, str | PurePath | BaseException):
        return fact
    text = str(fact)
    plain = concealed(text)
    return fact if plain == text else plain


class AskerError(AloiError):
    """The one who asks must change something: a command, a file, an option.

    `where` is the file and line of what must be changed, where it is known.
    """

    exit_code = 2
    where: str = ""


class Fault(AskerError):
    """One fault in a file that a person wrote, with its place.

    `file` is set where it stands in another file than the one whose faults are told.
    """

    file: str = ""

    def __init__(
        self, message: str, /, *, path: str, line: int | None = None, remedy: str = "", **facts: object
    ) -> None:
        self.path = path
        self.line = line
        super().__init__(message, remedy=remedy, path=path, **facts)


class InvalidFile(AskerError):
    """A file that a person wrote has faults; all of them are listed."""

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults = tuple(faults)
        sentence = N_("{file} has one fault") if len(self.faults) == 1 else N_("{file} has {count} faults")
        super().__init__(sentence, file=file, count=len(self.faults))


class UnknownName(AskerError):
    """A name that nothing answers to; the nearest known names are offered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        nearest = close or known[:KNOWN] + ["…"] * (len(known) > KNOWN)
        super().__init__(
            N_("unknown {kind}: {name}"),
            remedy=N_("nearest known: {nearest}") if close else N_("none is near; known are {nearest}"),
            kind=kind,
            name=name,
            nearest=", ".join(nearest) or "-",
        )


class MissingExtra(AskerError):
    """A part that is not installed; the extra and the command that installs it are named."""

    def __init__(self, part: str, extra: str, command: str) -> None:
        super().__init__(
            N_("{part} needs the extra aloi[{extra}], which is not installed"),
            remedy=N_("install it: {command}"),
            part=part,
            extra=extra,
            command=command,
        )


class TargetError(AloiError):
    """The system under assessment could not be asked."""

    exit_code = 3


class EvidenceError(AloiError):
    """Evidence does not hold. `reason` is a stable code for machines, `where` the file, where there are several."""

    exit_code = 4
    where: str = ""

    def __init__(self, message: str, /, *, reason: str, remedy: str = "", **facts: object) -> None:
        self.reason = reason
        super().__init__(message, remedy=remedy, **facts)


class RegistryError(AloiError):
    """A registry refused, or could not be reached."""

    exit_code = 5


def told(error: AloiError, language: str) -> list[str]:
    """An error as a person reads it: what is wrong, every fault of a file with its line, and what to do next."""

    def say(message: str, facts: Mapping[str, object]) -> str:
        words = {name: word(name, fact) for name, fact in facts.items()}
        return translate(message, language).format(**words)

    def word(name: str, fact: object) -> object:
        if isinstance(fact, Said):
            return say(fact.message, fact.facts)
        return translate(str(fact), language) if name in WORDS else fact

    where = f"{error.where}: " if isinstance(error, AskerError | EvidenceError) and error.where else ""
    lines = [where + say(error.message, error.facts)]
    if isinstance(error, InvalidFile):
        for fault in error.faults:
            file = fault.file or error.file
            place = f"{file}:{fault.line}" if fault.line else file
            hint = f" ({say(fault.remedy, fault.facts)})" if fault.remedy else ""
            lines.append(f"  {place}: {say(fault.message, fault.facts)}{hint}")
    if error.remedy:
        lines.append(say(N_("Next: {step}"), {"step": say(error.remedy, error.facts)}))
    return lines
