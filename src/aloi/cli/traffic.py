"""What `aloi measure --traffic` does: no query is made, what a gateway recorded is counted, watched and signed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from aloi.assurance.handing import Handed, hand_over
from aloi.assurance.monitoring.findings import Monitored, monitored
from aloi.assurance.monitoring.labels import read_labels
from aloi.assurance.monitoring.stating import packed, periods
from aloi.assurance.monitoring.traffic import Traffic, read_traffic
from aloi.assurance.proving import signing_key
from aloi.assurance.report.figures import Figures
from aloi.assurance.report.monitoring import facts_of, unsaid_facts
from aloi.assurance.report.monitoring_words import ACTIONS, ROLES, UNSAID, reference_sentence, watch_sentence
from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.evidence.decoding import visible
from aloi.evidence.records import Estimate
from aloi.system.reading import open_description
from aloi.translation import N_


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: the record of which system, what people said, what to compare with, at which error."""

    system: Path
    folder: Path
    labels: Path | None
    against: Path | None
    trust: tuple[Path, ...]
    alpha: float
    runs: Path
    key: Path


def monitor(asked: Asked, *, as_json: bool) -> int:
    """Read, sign, write and tell; 1 where a watch rang."""
    name = open_description(asked.system).name
    words = read_labels(asked.labels) if asked.labels else {}
    earlier = periods(options.held(asked.against, asked.trust)) if asked.against else {}
    traffic = read_traffic(asked.folder, name, words)
    found = monitored(traffic, asked.alpha, earlier)
    key = signing_key(asked.key)
    handed = hand_over(found, packed(found, key), key.public, asked.runs, datetime.now(UTC))
    code = int(any(one.finding.shift is not None and one.finding.shift.rang_at for one in found))
    if as_json:
        options.print_json(_facts(found, traffic, handed, code))
    else:
        for line in _lines(found, traffic, handed):
            click.echo(line)
    return code


def _facts(found: Sequence[Monitored], traffic: Traffic, handed: Handed, code: int) -> dict[str, object]:
    return {
        "run": str(handed.folder),
        "exit_code": code,
        "monitoring": [{"system": one.system, "fingerprint": one.fingerprint, "finding": one.finding} for one in found],
        "others": traffic.others,
        "nameless": traffic.nameless,
        "unknown_labels": traffic.unknown,
        "bundle": str(handed.bundle),
        "bundle_digest": handed.bundle_digest,
        "public_key": str(handed.public_key),
        "reports": {reader: str(path) for reader, path in handed.pages.items()},
    }


def _lines(found: Sequence[Monitored], traffic: Traffic, handed: Handed) -> Iterator[str]:
    figures = Figures(language())
    yield say(N_("The record holds: {count} lines, none changed or missing."), count=figures.whole(traffic.range.lines))
    for one in found:
        yield ""
        yield from _finding(one, figures)
    yield ""
    if traffic.others:
        yield say(
            N_("Left out, since they are of other systems: {names}"), names=", ".join(map(visible, traffic.others))
        )
    if traffic.nameless:
        yield say(N_("Left out, since no line tells by which guards: {count} lines"), count=traffic.nameless)
    if traffic.unknown:
        yield say(N_("Labels of exchanges that this record does not hold: {count}"), count=traffic.unknown)
    yield say(N_("Report:  {file}"), file=handed.pages[language()])
    yield say(N_("Bundle:  {file}"), file=handed.bundle)


def _finding(one: Monitored, figures: Figures) -> Iterator[str]:
    seen = one.finding
    names = ", ".join(f"{visible(remedy.name)} {visible(remedy.version)}" for remedy in seen.remedies) or "-"
    yield click.style(say(N_("{system}, behind {guards}"), system=visible(one.system), guards=names), bold=True)
    began, ended = figures.moment(seen.began), figures.moment(seen.ended)
    told = N_("  {began} to {ended}: {screened} exchanges screened, {errors} ended with an error, {gone} left")
    ends = {"screened": seen.exchanges.screened, "errors": seen.exchanges.error, "gone": seen.exchanges.gone}
    yield say(told, began=began, ended=ended, **{name: figures.whole(count) for name, count in ends.items()})
    yield say(N_("  blocked: {rate}"), rate=_rate(seen.blocked, figures))
    yield say(N_("  changed or in part withheld: {rate}"), rate=_rate(seen.changed, figures))
    for act in seen.acts:
        facts = {"guard": visible(act.guard), "role": say(ROLES[act.role]), "action": say(ACTIONS[act.action])}
        yield say(N_("    {guard}, {role}, {action}: {rate}"), rate=_rate(act.rate, figures), **facts)
    if took := seen.guard_seconds:
        half, most = figures.milliseconds(1000 * took.p50), figures.milliseconds(1000 * took.p95)
        yield say(N_("  guards took {half} for half of the exchanges, {most} for 95 in 100"), half=half, most=most)
    if seen.false_alarms:
        told = N_("  false alarms among labelled blocks, if chosen by chance: {rate}")
        yield say(told, rate=_rate(seen.false_alarms, figures))
    if seen.misses:
        told = N_("  harm among labelled samples, if chosen by chance: {rate}")
        yield say(told, rate=_rate(seen.misses, figures))
    if seen.shift:
        facts = facts_of(seen.shift, figures)
        yield "  " + say(reference_sentence(seen.shift), **facts)
        colour = "red" if seen.shift.rang_at else None
        yield "  " + click.style(say(watch_sentence(seen.shift), **facts), fg=colour)
    yield say(N_("  What this record cannot say:"))
    for code in seen.unsaid:
        yield f"    - {say(UNSAID[code], **unsaid_facts(figures))}"


def _rate(rate: Estimate, figures: Figures) -> str:
    low, high = figures.percent(rate.low), figures.percent(rate.high)
    return say(
        N_("{rate} ({low} to {high}), {k} of {n}"),
        rate=figures.percent(rate.value),
        low=low,
        high=high,
        k=figures.whole(rate.failures),
        n=figures.whole(rate.n),
    )
