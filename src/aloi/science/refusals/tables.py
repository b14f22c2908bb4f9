"""The files of `science/data/refusals`."""

from typing import Any

from aloi.science import shipped

LANGUAGES = ("en", "fr", "es", "de", "ar", "zh")


def content(name: str) -> bytes:
    """The bytes of a file by its name without ending."""
    return shipped.content(f"refusals/{name}")


def table(name: str) -> Any:
    """A file as YAML says it."""
    return shipped.shipped(f"refusals/{name}")


def questioned(labels: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    """The labelled texts of a kind, each with the question that it answers; empty where none was written."""
    texts = labels.get(kind, [])
    return list(zip(texts, labels.get("questions", {}).get(kind) or [""] * len(texts), strict=True))
