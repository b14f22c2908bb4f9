"""Speak to the one who reads the terminal, in English or French."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import TypeGuard

import click

from aloi.errors import AloiError, told
from aloi.translation import LANGUAGES, language_of, translate, written


def language() -> str:
    """The reader's language: `--lang` where it was given, else from the environment.

    It is read from the arguments themselves, since help texts are made before click parses them.
    """
    arguments = sys.argv[1:]
    for i, argument in enumerate(arguments):
        value = argument.removeprefix("--lang=") if argument.startswith("--lang=") else ""
        value = value or (arguments[i + 1] if argument == "--lang" and i + 1 < len(arguments) else "")
        if value in LANGUAGES:
            return value
    return language_of()


def say(message: str, /, **facts: object) -> str:
    """A sentence in the reader's language, with its facts filled in; a day is written out where one would write it."""
    shown = {name: written(fact, "fr") if _is_written_out(fact) else fact for name, fact in facts.items()}
    return translate(message, language()).format(**shown)


def _is_written_out(fact: object) -> TypeGuard[date]:
    return type(fact) is date and language() == "fr"


def tell(message: str = "", /, **facts: object) -> None:
    """Print a sentence on standard error, where it does not mix with results."""
    click.echo(say(message, **facts), err=True)


@contextmanager
def while_serving() -> Iterator[None]:
    """What a server says meanwhile may reach nobody: it serves on. A full disk may be that of standard error too."""
    with suppress(OSError):
        yield


def error_lines(error: AloiError) -> list[str]:
    """An error as a person reads it, in the reader's language."""
    return told(error, language())
