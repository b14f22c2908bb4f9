"""What remedies were measured to do: a sentence with figures, and the command that prints these figures again."""

from typing import Any, Literal

from msgspec import Struct

from aloi.solutions.tables import table


class Measured(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measurement of one remedy: of what it stops and loses, or of its speed. `text` is kept by language."""

    run: str
    about: Literal["effect", "speed"]
    text: dict[str, str]
    figures: dict[str, int | float]
    command: str
    machine: str


def measured(name: str) -> tuple[Measured, ...]:
    """All that was measured of a remedy by itself; nothing where it was not measured on its own."""
    runs: dict[str, Any] = table("measurements")["runs"]
    written = table("measured")
    found = []
    for run, sentence in runs.items():
        figures: dict[str, int | float] | None = written["figures"].get(run, {}).get(name)
        if figures is not None:
            text = {language: _said(words, figures, language) for language, words in sentence["text"].items()}
            found.append(
                Measured(
                    run=run,
                    about=sentence["about"],
                    text=text,
                    figures=figures,
                    command=sentence["command"],
                    machine=written["machine"],
                )
            )
    return tuple(found)


def _said(words: str, figures: dict[str, int | float], language: str) -> str:
    return words.format_map({name: _number(value, language) for name, value in figures.items()})


def _number(value: float, language: str) -> str:
    """As the language writes it: 1,204 and 0.4 in English, 1 204 and 0,4 in French."""
    written = f"{value:,}"
    return written.translate(str.maketrans(",.", "\N{NARROW NO-BREAK SPACE},")) if language == "fr" else written
