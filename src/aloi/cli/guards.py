"""What `aloi screen` and `aloi compare-guards` share: which guards, on whose words, fitted to which system."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.solutions.catalogue import Remedy
    from aloi.solutions.screening.corpus import Text
    from aloi.solutions.screening.quality import Share
    from aloi.solutions.screening.running import Screened
    from aloi.system.messages import Role

F = TypeVar("F", bound=Callable[..., Any])

corpus = click.argument("corpus", metavar="FILE.jsonl", type=click.Path(path_type=Path, dir_okay=False))
system = click.option(
    "--system",
    type=click.Path(path_type=Path),
    help=say(N_("system.yaml whose secrets, hosts and policies the guards are told.")),
)
role = click.option(
    "--role",
    type=click.Choice(("user", "document", "tool", "assistant")),
    help=say(N_("Whose words the texts are; where it is not given, those that each guard is there for.")),
)
deadline = click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help=say(N_("Seconds that a guard has for each text; one that takes longer blocks.")),
)


def built(names: Sequence[str], system: Path | None) -> "list[Remedy]":
    """The guards of these names, each once."""
    from aloi.assurance.remedies import fitted  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.solutions.catalogue import build  # noqa: PLC0415 - as above
    from aloi.system.reading import open_system  # noqa: PLC0415 - as above

    once = list(dict.fromkeys(names))
    return fitted(open_system(system), once) if system else [build(name) for name in once]


def reading(role: "Role", system: Path | None) -> "list[Remedy]":
    """Every guard that reads texts of this role, is installed, and was told what it needs."""
    from aloi.assurance.remedies import options as told  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.errors import MissingExtra  # noqa: PLC0415 - as above
    from aloi.solutions.catalogue import build, entries, missing  # noqa: PLC0415 - as above
    from aloi.system.reading import open_system  # noqa: PLC0415 - as above

    opened, found = open_system(system) if system else None, []
    for name in entries():
        given = told(opened, name) if opened else {}
        if not missing(name, given):
            with suppress(MissingExtra):
                found.append(build(name, given))
    return [one for one in found if role in getattr(one.implementation, "roles", ())]


def read(corpus: Path) -> "list[Text]":
    """The texts of a corpus."""
    from aloi.solutions.screening.corpus import read_corpus  # noqa: PLC0415 - heavy modules load when a command runs

    return read_corpus(corpus)


def run(
    guards: "Sequence[Remedy]",
    texts: "Sequence[Text]",
    role: "Role | None",
    deadline: float,
    tell: "Callable[[Screened], None]" = lambda _: None,
) -> "list[Screened]":
    """Every ruling; `tell` hears each as soon as it is made."""
    import asyncio  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.solutions.screening.running import screened  # noqa: PLC0415 - as above

    async def all_of_them() -> "list[Screened]":
        rulings = []
        async for one in screened(guards, texts, role=role, deadline=deadline):
            tell(one)
            rulings.append(one)
        return rulings

    return asyncio.run(all_of_them())


def share(one: "Share | None") -> str:
    """A share with its interval, in per cent: `93.1 [88.2; 96.4]`; a dash where there is none."""
    if one is None or not one.n:
        return "-"
    value, low, high = (percent(part) for part in (one.k / one.n, one.low, one.high))
    return f"{value} [{low}; {high}]"


def percent(rate: float | None) -> str:
    """A rate in per cent, without the sign, as the reader's language writes it."""
    from aloi.assurance.report.figures import Figures  # noqa: PLC0415 - heavy modules load when a command runs

    return "-" if rate is None else Figures(language()).percent(rate).rstrip("%\N{NARROW NO-BREAK SPACE}")


def count(one: "Share") -> str:
    """Of how many, and the share: `93.1 [88.2; 96.4] of 160`."""
    return say(N_("{share} of {n}"), share=share(one), n=one.n) if one.n else "-"
