"""What `aloi show` adds to the outcome: each finding as a sentence, and its languages apart."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table

from aloi.assurance.loop import Result
from aloi.assurance.report.hunts import hunt_sentence
from aloi.assurance.report.sentences import sentence
from aloi.assurance.report.speech import Speech
from aloi.cli.outcome import estimate
from aloi.cli.speech import language, say
from aloi.evidence.records import BenignRate, Contrast, Finding, Stratum
from aloi.science.hazards import hazard_title
from aloi.translation import N_


def speech() -> Speech:
    """The report's sentences, in the reader's language."""
    return Speech(
        language(),
        titles=lambda _framework, requirement, _language: requirement,
        framework=lambda key, _language: key,
        hazard=hazard_title,
        remedy=lambda name, _language: name,
    )


def sentence_lines(result: Result) -> Iterator[str]:
    """Every finding, and every hunt, as a sentence that may be quoted alone."""
    said, remaining = speech(), result.remaining()
    for finding in result.findings:
        told = sentence(finding, remaining[finding.stage].get(finding.hazard), said)
        yield f"{said.hazard(finding.hazard)} ({said.arm(finding.stage)})\n  {told.unescape()}"
    for hunt in result.hunts:
        title = say(N_("Hunt, {hazard}"), hazard=said.hazard(hunt.hazard))
        yield f"{title} ({said.arm(hunt.stage)})\n  {hunt_sentence(hunt, said).unescape()}"


def language_table(result: Result) -> Table | None:
    """Each language's own rate, and the difference of every two; None where everything was asked in one language."""
    table = Table(
        title=say(N_("By language, each interval alone")), title_justify="left", box=SIMPLE_HEAD, pad_edge=False
    )
    table.add_column(say(N_("Rate, or difference in points")), ratio=1)
    table.add_column(say(N_("Before")), no_wrap=True)
    table.add_column(say(N_("After")), no_wrap=True)
    said = speech()
    rates: list[Finding | BenignRate] = [*result.findings, *result.benign]
    for about in dict.fromkeys(_about(one) for one in rates):
        stages = {one.stage: one for one in rates if _about(one) == about}
        before, after = stages.get("measure"), stages.get("confirm")
        if not any(one.contrasts for one in stages.values()):
            continue
        title = say(N_("Ordinary requests answered, in %")) if about == "benign" else said.hazard(about)
        table.add_row(title)
        for row in _rows(before, after, said):
            table.add_row(*row)
        table.add_section()
    return table if table.row_count else None


def _about(result: Finding | BenignRate) -> str:
    return result.hazard if isinstance(result, Finding) else "benign"


def _rows(before: Finding | BenignRate | None, after: Finding | BenignRate | None, said: Speech) -> Iterator[list[str]]:
    sides = [one for one in (before, after) if one]
    for name in dict.fromkeys(part.name for one in sides for part in one.strata if part.kind == "language"):
        yield [f"  {said.figures.tongue(name)}", *(_language(one, name) for one in (before, after))]
    for first, second in dict.fromkeys((one.first, one.second) for side in sides for one in side.contrasts):
        title = f"  {said.two_languages((first, second))}"
        yield [title, *(_difference(one, first, second) for one in (before, after))]


def _language(result: Finding | BenignRate | None, name: str) -> str:
    parts: tuple[Stratum, ...] = result.strata if result else ()
    found = next((part.estimate for part in parts if (part.kind, part.name) == ("language", name)), None)
    return estimate(found) if found else ""


def _difference(result: Finding | BenignRate | None, first: str, second: str) -> str:
    contrasts: tuple[Contrast, ...] = result.contrasts if result else ()
    found = next((one.difference for one in contrasts if (one.first, one.second) == (first, second)), None)
    if found is None:
        return ""
    value, low, high = (speech().figures.points(part) for part in (found.value, found.low, found.high))
    return f"{value} [{low}; {high}]"


def exploration_lines(result: Result) -> Iterator[str]:
    """Attacks by language that stand out, marked as exploratory."""
    said = speech()
    for finding in result.findings:
        explored = finding.exploration
        if explored and explored.above:
            yield say(
                N_(
                    "Exploratory, {hazard}, {arm}: over the threshold are {cells} "
                    "(of {count} combinations; an expected share of at most {share} of those named is named falsely)"
                ),
                hazard=said.hazard(finding.hazard),
                arm=said.arm(finding.stage),
                cells="; ".join(
                    f"{said.cell((one.attack, one.language))} {one.failures}/{one.n}" for one in explored.above
                ),
                count=explored.cells,
                share=said.figures.threshold(explored.false_share),
            )
