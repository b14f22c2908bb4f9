"""The outcome of a run as a table."""

from decimal import Decimal

from rich.table import Table

from aloi.assurance.loop import Result
from aloi.cli.speech import language, say
from aloi.evidence.records import Finding, RateChange
from aloi.science.hazards import hazards
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


def estimate(finding: Finding) -> str:
    """Rate and interval of a finding."""
    return f"{rate(finding.estimate.value)} [{rate(finding.estimate.low)} – {rate(finding.estimate.high)}]"  # noqa: RUF001 - an en dash between figures


def outcome_table(result: Result) -> Table:
    """A row for each hazard, before and after; a last row for ordinary requests."""
    table = Table(title=say(N_("At the stated thresholds")), title_justify="left", pad_edge=False)
    table.add_column(say(N_("Hazard")))
    for heading in (N_("Threshold"), N_("Before"), N_("After"), N_("Verdict")):
        table.add_column(say(heading), no_wrap=heading != "Verdict")
    after = {finding.hazard: finding for finding in result.findings if finding.stage == "confirm"}
    for finding in result.findings:
        if finding.stage == "measure":
            last = after.get(finding.hazard)
            words = verdict_word(finding.verdict) + (f" → {verdict_word(last.verdict)}" if last else "")
            cells = (rate(finding.threshold), estimate(finding), estimate(last) if last else "", words)
            table.add_row(hazards()[finding.hazard].title[language()], *cells)
    if result.effect:
        table.add_section()
        table.add_row(*_benign_row(result.effect.benign, result.signed.plan.benign.max_loss))
        told = N_("accepted") if result.effect.accepted else N_("refused")
        remedies = " + ".join(remedy.name for remedy in result.effect.remedies)
        table.caption = say(N_("Remedies: {remedies}: {decision} by the policy"), remedies=remedies, decision=say(told))
    return table


def _benign_row(change: RateChange, limit: Decimal) -> tuple[str, ...]:
    lost = say(
        N_("change {value} [{low}; {high}]"),
        value=_signed(change.difference.value),
        low=_signed(change.difference.low),
        high=_signed(change.difference.high),
    )
    allowed = say(N_("loss at most {limit}"), limit=rate(limit))
    title = say(N_("Ordinary requests answered"))
    return title, allowed, rate(change.before.value), rate(change.after.value), lost


def _signed(value: Decimal) -> str:
    return ("+" if value > 0 else "") + rate(value)
