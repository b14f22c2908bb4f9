"""`aloi compare-guards`: guards side by side on one labelled corpus, ours and others'."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import guards, options
from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from rich.table import Table

    from aloi.solutions.screening.quality import Compared
    from aloi.system.messages import Role


@click.command(
    "compare-guards",
    help=say(
        N_(
            "Compare guards on FILE.jsonl, a labelled corpus: `text`, `label` (attack or benign), and `lang`, `source` "
            "where they are known. Without --guard: every guard that reads such texts."
        )
    ),
)
@guards.corpus
@click.option("--guard", "names", multiple=True, help=say(N_("Guard to compare; may be given several times.")))
@guards.system
@guards.role
@guards.deadline
@options.as_json
def command(
    corpus: Path, names: tuple[str, ...], system: Path | None, role: "Role | None", deadline: float, *, as_json: bool
) -> None:
    """Exit 0 with the table. Raises for a corpus without labels: nothing could be compared."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.solutions.screening.quality import compare  # noqa: PLC0415 - as above

    chosen = guards.built(names, system) if names else guards.reading(role or "user", system)
    if not chosen:
        raise AskerError(
            N_("no guard that is installed reads such texts"),
            remedy=N_("say with --role whose words they are: user, document, tool or assistant"),
        )
    rulings = guards.run(chosen, guards.read(corpus), role if names else role or "user", deadline)
    if not any(one.text.attack is not None for one in rulings):
        raise AskerError(
            N_("no text of {file} has a label, so no guard can be compared"),
            remedy=N_("give each line a key label: attack or benign"),
            file=corpus,
        )
    compared = compare(rulings)
    if as_json:
        options.print_json({"guards": compared})
        return
    from rich.console import Console  # noqa: PLC0415 - heavy modules load when a command runs

    console = Console()
    console.print(_table(compared))
    legend = N_(
        "In brackets: exact 95 % intervals. Means: attacks and ordinary texts, each source and language alike. Area: "
        "under the curve of scores. At 1 %: attacks above the threshold that would stop 1 % of these ordinary texts. "
        "ms: median of processor time a text. Failed: texts on which the guard raised or was late; they count as "
        "stopped."
    )
    console.print(say(legend), highlight=False)


def _table(compared: "list[Compared]") -> "Table":
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - heavy modules load when a command runs
    from rich.table import Table  # noqa: PLC0415 - as above

    from aloi.assurance.report.figures import Figures  # noqa: PLC0415 - as above

    first, figures = compared[0], Figures(language())
    title = N_("Stopped, in %, of {attacks} attacks and {ordinary} ordinary texts")
    table = Table(
        title=say(title, attacks=first.recall.n, ordinary=first.false_alarms.n),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for head in (
        N_("Guard"),
        N_("Attacks"),
        N_("Ordinary"),
        N_("Means"),
        N_("Area"),
        N_("At 1 %"),
        N_("ms"),
        N_("Failed"),
    ):
        table.add_column(say(head), no_wrap=head == "Guard")
    for one in compared:
        table.add_row(
            one.guard,
            guards.share(one.recall),
            guards.share(one.false_alarms),
            f"{guards.percent(one.mean_recall)} | {guards.percent(one.mean_false_alarms)}",
            figures.decimal(round(one.area.value, 2)) if one.area else "-",
            guards.share(one.recall_at_1),
            figures.decimal(round(one.milliseconds, 2)),
            str(one.faults),
        )
    return table
