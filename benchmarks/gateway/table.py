"""Figures side by side, and how many times another way takes what ours does."""

from collections.abc import Mapping
from typing import NamedTuple


class Row(NamedTuple):
    """A figure by way. `form` writes one; `more` says that more of it is better."""

    what: str
    figures: Mapping[str, float]
    form: str = "{:.2f}"
    more: bool = False


def times(row: Row, other: str, ours: str) -> str:
    """How many times better ours is than the other, where both are known and above 0."""
    figures = row.figures
    if min(figures.get(other, 0.0), figures.get(ours, 0.0)) <= 0:
        return "-"
    share = figures[ours] / figures[other] if row.more else figures[other] / figures[ours]
    return f"{share:.1f}x" if share < 10 else f"{share:.0f}x"


def print_table(rows: list[Row], ways: list[str], other: str, ours: list[str]) -> None:
    """Ways are the columns. Where `other` is one, a column for each of ours tells how many times better that is."""
    compared = [(one, f"{other}:{one.removeprefix('guards ')}") for one in ours] if other in ways else []
    first = max(len(row.what) for row in rows)
    print(" " * first + "".join(f"{head:>12}" for head in (*ways, *(head for _, head in compared))))
    for row in rows:
        cells = [row.form.format(row.figures[way]) if way in row.figures else "-" for way in ways]
        cells += [times(row, other, one) for one, _ in compared]
        print(f"{row.what:<{first}}" + "".join(f"{cell:>12}" for cell in cells))
