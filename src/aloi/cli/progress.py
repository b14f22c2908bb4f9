"""Show a run as it goes: a live table on a terminal, plain lines elsewhere, nothing where a machine reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from aloi.assurance.folder import RunFolder
from aloi.assurance.loop import Result
from aloi.assurance.story import TriedSet
from aloi.cli.detail import exploration_lines, language_table, sentence_lines
from aloi.cli.outcome import (
    cost_line,
    decision_line,
    hunt_lines,
    outcome_table,
    rate,
    stop_line,
    unasked_lines,
    verdict_word,
)
from aloi.cli.speech import language, say
from aloi.cli.titles import hazard_title
from aloi.evidence.records import BenignRate, Effect, Estimate, Finding, Hunt
from aloi.science.items import Failed
from aloi.science.measuring import Measurement
from aloi.science.trials import Trial
from aloi.translation import N_

STAGES = {
    "plan": N_("Plan: what will be measured is registered and signed before the first query"),
    "measure": N_("Measure: fresh requests until each hazard is decided"),
    "hunt": N_("Hunt: adaptive requests in search of the worst attack"),
    "select": N_("Remedy: guards are replayed on the recorded answers, hardenings are asked afresh"),
    "confirm": N_("Confirm: the chosen remedies on fresh requests"),
    "prove": N_("Prove: statements are signed and packed"),
    "report": N_("Report: one page in each language"),
}


WIDTH = 120


class Silent:
    """No progress: the result alone is printed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was opened."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def planned(self, unasked: Mapping[str, Sequence[str]]) -> None:
        """The plan stands."""

    def trial(self, trial: Trial, measurement: Measurement | None) -> None:
        """A trial was answered."""

    def found(self, findings: Sequence[Finding], benign: BenignRate) -> None:
        """A measurement ended."""

    def hunted(self, hunts: Sequence[Hunt]) -> None:
        """The hunts of one system ended."""

    def chose(self, tried: Sequence[TriedSet]) -> None:
        """Remedies were tried."""

    def confirmed(self, effect: Effect) -> None:
        """The gate decided."""

    def outcome(self, result: Result, folder: RunFolder, reports: dict[str, Path]) -> None:
        """The run ended."""

    def detail(self, result: Result) -> None:
        """The run is read again."""


class Lines(Silent):
    """A line for each thing that happened, on standard error; the outcome on standard output."""

    def __init__(self, console: Console, results: Console) -> None:
        self._console = console
        self._results = results

    def stage(self, name: str) -> None:
        """The name of the stage."""
        self._console.print(f"[bold]{say(STAGES[name])}[/bold]")

    def planned(self, unasked: Mapping[str, Sequence[str]]) -> None:
        """A line for each hazard that is not asked in all languages of the system."""
        for line in unasked_lines(unasked):
            self._console.print(f"  {line}", highlight=False)

    def found(self, findings: Sequence[Finding], benign: BenignRate) -> None:
        """A line for each finding."""
        for finding in findings:
            line = N_("  {hazard}: {verdict} at {threshold}; {rate}, {queries} queries")
            self._console.print(
                say(
                    line,
                    hazard=hazard_title(finding.hazard, finding.counts),
                    verdict=verdict_word(finding.verdict),
                    threshold=rate(finding.threshold),
                    rate=_interval(finding.estimate),
                    queries=finding.queries,
                ),
                highlight=False,
            )
        answered = _interval(benign.estimate)
        self._console.print(say(N_("  Ordinary requests answered: {rate}"), rate=answered), highlight=False)

    def hunted(self, hunts: Sequence[Hunt]) -> None:
        """A line for each hunt."""
        for line in hunt_lines(hunts):
            self._console.print(f"  {line}", highlight=False)

    def chose(self, tried: Sequence[TriedSet]) -> None:
        """How many sets were tried, and which one goes on."""
        chosen = next((" + ".join(one.remedies) for one in tried if one.chosen), "-")
        line = N_("  Sets of remedies tried: {count}; to be confirmed: {chosen}")
        self._console.print(say(line, count=len(tried), chosen=chosen), highlight=False)

    def confirmed(self, effect: Effect) -> None:
        """The gate's word."""
        word = N_("  The policy accepts the remedies.") if effect.accepted else N_("  The policy refuses the remedies.")
        self._console.print(say(word))

    def outcome(self, result: Result, folder: RunFolder, reports: dict[str, Path]) -> None:
        """The table of the outcome, and where everything lies."""
        self._results.print(outcome_table(result))
        for line in hunt_lines(result.standing_hunts()):
            self._results.print(line, soft_wrap=True, highlight=False)
        for line in filter(None, (decision_line(result), stop_line(result), cost_line(result))):
            self._results.print(line, soft_wrap=True, highlight=False)
        report = reports[language()]
        self._results.print(say(N_("Report:  {path}"), path=report), soft_wrap=True, highlight=False)
        self._results.print(say(N_("Bundle:  {path}"), path=folder.bundle), soft_wrap=True, highlight=False)
        verify = f"aloi verify {folder.bundle} --key {folder.public_key}"
        self._results.print(say(N_("Check it: {command}"), command=verify), soft_wrap=True, highlight=False)

    def detail(self, result: Result) -> None:
        """Each finding as a sentence, and its languages apart."""
        for line in (*sentence_lines(result), *exploration_lines(result)):
            self._results.print(line, soft_wrap=True, highlight=False, markup=False)
        if table := language_table(result):
            self._results.print(table)


class Watched(Lines):
    """As `Lines`, with a live table under the stage while it is measured."""

    def __init__(self, console: Console, results: Console) -> None:
        super().__init__(console, results)
        self._live: Live | None = None
        self._asked: dict[str, list[int]] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def stage(self, name: str) -> None:
        """The name of the stage, and a fresh table."""
        self._stop()
        super().stage(name)
        self._asked = {}
        if name in {"measure", "hunt", "select", "confirm"}:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()

    def trial(self, trial: Trial, measurement: Measurement | None) -> None:
        """One more answer in the table."""
        counts = self._asked.setdefault(trial.key.hazard, [0, 0])
        counts[0] += 1
        counts[1] += isinstance(trial.outcome, Failed)
        if self._live:
            self._live.update(self._table(measurement))

    def found(self, findings: Sequence[Finding], benign: BenignRate) -> None:
        """The table gives way to the findings."""
        self._stop()
        super().found(findings, benign)

    def hunted(self, hunts: Sequence[Hunt]) -> None:
        """The table gives way to the hunts."""
        self._stop()
        super().hunted(hunts)

    def chose(self, tried: Sequence[TriedSet]) -> None:
        """The table gives way to the choice."""
        self._stop()
        super().chose(tried)

    def _stop(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def _table(self, measurement: Measurement | None) -> Table:
        table = Table(box=None, padding=(0, 2))
        for heading in (N_("hazard"), N_("asked"), N_("failed"), N_("so far")):
            table.add_column(say(heading))
        for hazard, (asked, failed) in self._asked.items():
            word = "continue"
            if measurement and hazard != "benign":
                word = measurement.monitor.decision(hazard).verdict
            told = say(N_("undecided")) if word == "continue" else verdict_word(word)
            title = say(N_("ordinary requests")) if hazard == "benign" else hazard_title(hazard)
            table.add_row(title, str(asked), str(failed), "" if hazard == "benign" else told)
        return table


def progress_for(*, as_json: bool) -> Silent | Lines | Watched:
    """Who watches: nobody for a machine, a live table on a terminal, lines in a pipe or a log."""
    if as_json:
        return Silent()
    console, results = Console(stderr=True), Console()
    if console.is_terminal:
        return Watched(console, results)
    # A pipe or a log has no width of its own; 80 columns would break every line.
    return Lines(Console(stderr=True, width=WIDTH), Console(width=WIDTH) if not results.is_terminal else results)


def _interval(told: Estimate) -> str:
    level, low, high = rate(told.level), rate(told.low), rate(told.high)
    return say(N_("{value} ({level}: {low} to {high})"), value=rate(told.value), level=level, low=low, high=high)
