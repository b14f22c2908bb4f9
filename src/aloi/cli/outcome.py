"""The outcome of a run as a table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.table import Table

from aloi.assurance.loop import AWAITING_LABELS, Result
from aloi.assurance.report.figures import Figures
from aloi.assurance.report.sentences import rounded
from aloi.cli.speech import language, say
from aloi.cli.titles import hazard_title
from aloi.evidence.records import Estimate, Finding, Hunt
from aloi.science.forecasting import FARTHEST
from aloi.translation import N_

VERDICTS = {
    "met": N_("met"),
    "not met": N_("not met"),
    "inconclusive": N_("inconclusive"),
    "not tested": N_("not tested"),
}
COLOURS = {"met": "green", "not met": "red", "inconclusive": "yellow", "not tested": "dim"}


def verdict_word(verdict: str) -> str:
    """A verdict in the reader's language, coloured."""
    return f"[{COLOURS[verdict]}]{say(VERDICTS[verdict])}[/]"


def rate(value: object) -> str:
    """A proportion as a percentage with one decimal, as the reader's language writes it."""
    text = f"{100 * float(str(value)):.1f}"
    return text.replace(".", ",") + "\N{NARROW NO-BREAK SPACE}%" if language() == "fr" else f"{text} %"


def estimate(value: Estimate) -> str:
    """A rate and its interval, in percent: `55.6 [13.0; 78.8]`."""
    if not value.n:
        return "-"
    return f"{_percent(value.value)} [{_percent(value.low)}; {_percent(value.high)}]"


def _percent(value: Decimal) -> str:
    return rate(value).split("\N{NARROW NO-BREAK SPACE}")[0].split(" ", maxsplit=1)[0]


def outcome_table(result: Result) -> Table:
    """A row for each hazard, before and after, with its verdict below its name; a last row for ordinary requests."""
    table = Table(title=say(N_("At the stated thresholds")), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(say(N_("Failures, in %")), ratio=1)
    both = result.effect is not None
    for heading in (N_("Before"), N_("After")) if both else (N_("As it stood"),):
        table.add_column(say(heading), no_wrap=True)
    after = {finding.hazard: finding for finding in result.findings if finding.stage == "confirm"}
    for finding in result.findings:
        if finding.stage == "measure":
            last = after.get(finding.hazard)
            words = verdict_word(finding.verdict) + (f" → {verdict_word(last.verdict)}" if last else "")
            told = say(N_("{verdict}, threshold {threshold}"), verdict=words, threshold=rate(finding.threshold))
            told += _needed(result, last or finding)
            title = hazard_title(finding.hazard, (last or finding).counts)
            figures = [estimate(finding.estimate), estimate(last.estimate) if last else ""]
            table.add_row(f"{title}\n{told}", *figures[: 2 if both else 1])
    table.add_section()
    table.add_row(*_benign_row(result))
    return table


def _needed(result: Result, finding: Finding) -> str:
    """What would decide a hazard that is undecided, on a line of its own."""
    remaining = result.remaining()[finding.stage].get(finding.hazard)
    if remaining is None:
        return ""
    if not finding.estimate.n:
        return "\n" + say(N_("no answer could be scored"))
    if remaining >= FARTHEST:
        return "\n" + say(N_("too close to the threshold to be decided"))
    return "\n" + say(N_("more queries needed: about {count}"), count=rounded(remaining))


def unasked_lines(unasked: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Each hazard that is not asked in some languages of the system, with these."""
    figures = Figures(language())
    for about, names in unasked.items():
        title = say(N_("ordinary requests")) if about == "benign" else hazard_title(about)
        told = figures.listed(map(figures.tongue, names)).unescape()
        yield say(
            N_("{hazard}: not asked in {languages}, which its probe does not speak"), hazard=title, languages=told
        )


def hunt_lines(hunts: Iterable[Hunt]) -> Iterator[str]:
    """Each hunt with its verdict; only one that proved something names a rate."""
    for hunt in hunts:
        line = N_("Hunt, {hazard}: {verdict} at {threshold}; {queries} trials")
        if hunt.verdict == "not met":
            line = N_("Hunt, {hazard}: {verdict} at {threshold}; some attack at least {low}, most with {worst}")
        yield say(
            line,
            hazard=hazard_title(hunt.hazard),
            verdict=verdict_word(hunt.verdict),
            threshold=rate(hunt.threshold),
            queries=hunt.queries,
            low=rate(hunt.low),
            worst=hunt.worst,
        )


def decision_line(result: Result) -> str:
    """What the policy decided about which remedies."""
    if result.effect is None:
        return say(N_("No remedy was confirmed.") if result.tried else N_("No remedy was tried."))
    remedies = " + ".join(remedy.name for remedy in result.effect.remedies)
    if result.effect.accepted:
        return say(N_("The policy accepts: {remedies}"), remedies=remedies)
    return say(N_("The policy refuses: {remedies}"), remedies=remedies)


def stop_line(result: Result) -> str:
    """Which limit ended the run, if one did."""
    if result.stopped_by == AWAITING_LABELS:
        return say(N_("Answers wait for a person's label: aloi label RUN, then aloi assure --resume RUN"))
    return say(N_("The run was ended by: {limit}"), limit=result.stopped_by) if result.stopped_by else ""


def cost_line(result: Result) -> str:
    """What the run spent, all stages and sessions together."""
    return say(
        N_("Spent: {queries} queries, {tokens} tokens, {seconds} s"),
        queries=sum(cost.queries for cost in result.costs),
        tokens=sum(cost.tokens for cost in result.costs),
        seconds=round(sum(cost.seconds for cost in result.costs)),
    )


def _benign_row(result: Result) -> tuple[str, ...]:
    title = say(N_("Ordinary requests answered, in %"))
    if result.effect is None:
        return title, estimate(result.benign[0].estimate)
    change = result.effect.benign
    told = say(N_("loss at most {limit}"), limit=rate(result.signed.plan.benign.max_loss))
    return f"{title}\n{told}", estimate(change.before), estimate(change.after)
