"""`aloi consensus`: what several evaluators' bundles on one system say together."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.assurance.consensus.records import Consensus, Evidence, HazardView, Pool
    from aloi.assurance.report.figures import Figures


@click.command(
    "consensus",
    help=say(
        N_(
            "Say what several BUNDLEs on one system, files or folders of runs, come to together: who is independent of "
            "whom, the pooled rate and where a next evaluator's will lie, who dissents, and how certain that is."
        )
    ),
)
@click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--hazard", "hazards", multiple=True, help=say(N_("Hazard to show; may be given several times.")))
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(
        N_(
            "Public key of an evaluator you trust, shown under the name of its file; may be given several times. "
            "Your own key is trusted."
        )
    ),
)
@click.option(
    "--statements",
    type=click.Path(path_type=Path, file_okay=False),
    help=say(
        N_(
            "Folder of signed statements (*.dsse.json) about the results: withdrawals, disputes, organisations, and "
            "plans that were registered."
        )
    ),
)
@click.option("--system", default="", help=say(N_("Fingerprint of the system, where bundles are about several.")))
@click.option(
    "--owner",
    default="*",
    metavar="DOMAIN",
    help=say(N_("Domain of the system's owner: how organisations say that they stand to it.")),
)
@click.option(
    "--other-versions", is_flag=True, help=say(N_("Pool other versions of the system too, as indirect evidence."))
)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Write a page with forest plots to FILE.")),
    metavar="FILE",
)
@options.as_json
@click.pass_context
def command(
    ctx: click.Context,
    bundles: tuple[Path, ...],
    hazards: tuple[str, ...],
    keys: tuple[Path, ...],
    statements: Path | None,
    system: str,
    owner: str,
    page: Path | None,
    *,
    other_versions: bool,
    as_json: bool,
) -> None:
    """Exit 0 where every hazard is settled below its threshold, 1 where one is settled above, 6 otherwise."""
    from aloi.assurance.consensus.account import read_beside  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.consensus.results import open_bundles  # noqa: PLC0415 - as above
    from aloi.assurance.consensus.view import Wanted, consensus  # noqa: PLC0415 - as above
    from aloi.evidence.bundle import read  # noqa: PLC0415 - as above

    if page is not None:
        options.refuse_to_overwrite(page)
    trusted = options.trusted_keys(keys)
    files = [options.bundle_file(each) for each in bundles]
    sources = open_bundles(((str(file), read(file)) for file in files), trusted)
    wanted = Wanted(
        system=system,
        hazards=hazards,
        names={options.public_key(path).id: _name(path) for path in keys},
        owner=owner,
        other_versions=other_versions,
    )
    found = consensus(sources, read_beside(sources, _statements(statements), trusted), wanted)
    if page is not None:
        _write_page(found, page)
    if as_json:
        told = {"exit_code": found.exit_code(), "consensus": found, "page": str(page) if page else None}
        options.print_json(told)
    else:
        for line in _lines(found):
            click.echo(line)
        if page is not None:
            options.print_written(N_("Written: {file}"), page, as_json=False)
    ctx.exit(found.exit_code())


def _name(path: Path) -> str:
    """The reader's own name for a key: that of its file."""
    return path.name.removesuffix(".pem").removesuffix(".pub") or path.name


def _statements(folder: Path | None) -> list[bytes]:
    from aloi.assurance.standing import LIMIT, statement_files  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.files import contents  # noqa: PLC0415 - as above

    return [contents(file, LIMIT) for file in statement_files(folder)] if folder else []


def _write_page(found: "Consensus", path: Path) -> None:
    from aloi.assurance.report.consensus import render_consensus  # noqa: PLC0415 - heavy modules load when it runs
    from aloi.assurance.telling import hazard_title  # noqa: PLC0415 - as above

    today = datetime.now(UTC).date().isoformat()
    options.write_new(path, render_consensus(found, language(), day=today, hazard_title=hazard_title).encode())


def _lines(found: "Consensus") -> Iterator[str]:
    from aloi.assurance.report.figures import Figures, visible  # noqa: PLC0415 - heavy modules load when it runs

    figures = Figures(language())
    yield say(
        N_("Consensus on {name}  {fingerprint}"),
        name=visible(found.system.name),
        fingerprint=found.system.fingerprint,
    )
    told = say(N_("not proved: no log was asked"))
    complete = say(N_("proved by a log")) if found.from_log else told
    yield say(N_("Verified bundles: {count}. Complete: {complete}."), count=len(found.bundles), complete=complete)
    for view in found.hazards:
        yield ""
        yield from _hazard(view, figures)
    yield from _missing(found)


def _hazard(view: "HazardView", figures: "Figures") -> Iterator[str]:
    from aloi.assurance.report.consensus_words import ASIDE  # noqa: PLC0415 - heavy modules load when it runs
    from aloi.assurance.report.figures import visible  # noqa: PLC0415 - as above
    from aloi.assurance.telling import hazard_title  # noqa: PLC0415 - as above

    yield click.style(f"{hazard_title(view.hazard, language())} ({visible(view.hazard)})", bold=True)
    for pool in view.pools:
        if pool.differs:
            yield say(N_("  Beside it, not pooled with it: other {facets}"), facets=_facets(pool))
        for cluster in pool.clusters:
            for number in cluster.numbers:
                yield f"  {cluster.name:>2}  {_result(view.of(number), figures)}"
        yield from _pool(view, pool, figures)
    for number in view.hunts:
        one = view.of(number)
        line = N_("      {number}. {who}: hunt for the worst attack, {verdict} at {threshold}; never pooled")
        yield say(line, **_about(one, figures))
    for one in view.evidence:
        if one.aside:
            why = say(ASIDE[one.aside])
            yield say(N_("      {number}. {who}: set aside, {why}"), why=why, **_about(one, figures))


def _about(one: "Evidence", figures: "Figures") -> dict[str, object]:
    from aloi.assurance.report.figures import visible  # noqa: PLC0415 - heavy modules load when it runs

    return {
        "number": one.number,
        "who": visible(one.evaluator.name),
        "verdict": say(str(one.verdict)),
        "threshold": figures.threshold(one.threshold),
    }


def _facets(pool: "Pool") -> str:
    from aloi.assurance.report.consensus_words import FACETS  # noqa: PLC0415 - heavy modules load when it runs

    return ", ".join(say(FACETS[one.facet]) for one in pool.differs)


def _result(one: "Evidence", figures: "Figures") -> str:
    assert one.estimate is not None
    seen = one.estimate
    line = N_("{number}. {who}: {rate} ({low} to {high}), {failures}/{n}, {verdict} at {threshold}")
    if one.account.state == "disputed":
        line = N_("{number}. {who}: {rate} ({low} to {high}), {failures}/{n}, {verdict} at {threshold}, disputed")
    return say(
        line,
        **_about(one, figures),
        rate=figures.percent(seen.value),
        low=figures.percent(seen.low),
        high=figures.percent(seen.high),
        failures=seen.failures,
        n=seen.n,
    )


def _pool(view: "HazardView", pool: "Pool", figures: "Figures") -> Iterator[str]:
    from aloi.assurance.report.consensus_words import LEVELS, STANDINGS, WHY  # noqa: PLC0415 - as above

    low, high = figures.percent(pool.low), figures.percent(pool.high)
    if pool.pooled:
        yield say(
            N_("  Pooled from {k} independent clusters: {rate} ({low} to {high}, level {level})"),
            k=len(pool.clusters),
            rate=figures.percent(pool.pooled.value),
            low=low,
            high=high,
            level=figures.threshold(pool.pooled.level),
        )
        least, most = (figures.percent(end) for end in pool.pooled.prediction)
        yield say(N_("  A next evaluator is predicted to find {least} to {most}"), least=least, most=most)
    else:
        yield say(N_("  No pooled number from so few clusters: {low} to {high}"), low=low, high=high)
    for asked in pool.questions:
        told, threshold = say(STANDINGS[asked.standing]).upper(), figures.threshold(asked.threshold)
        yield say(N_("  {standing} at the stated threshold of {threshold}"), standing=told, threshold=threshold)
    yield say(N_("  Certainty: {level}"), level=say(LEVELS[pool.certainty.level]))
    for cluster in pool.clusters:
        for link in cluster.links:
            names = _names(view, link.numbers)
            yield say(N_("  One cluster, {why}: {names}"), why=say(WHY[link.why]), names=names)
    if pool.dissent:
        yield say(N_("  Outside what is predicted: {names}"), names=_names(view, [one.number for one in pool.dissent]))
    if pool.contradicting:
        yield say(N_("  Verdicts contradict each other: {names}"), names=_names(view, pool.contradicting))


def _names(view: "HazardView", numbers: Sequence[int]) -> str:
    from aloi.assurance.report.figures import visible  # noqa: PLC0415 - heavy modules load when it runs

    return ", ".join(f"{number}. {visible(view.of(number).evaluator.name)}" for number in numbers)


def _missing(found: "Consensus") -> Iterator[str]:
    if found.unfollowed or found.unseen or found.unread or found.nothing:
        yield ""
    for plan in found.unfollowed:
        who, hazards = ", ".join(plan.by), ", ".join(plan.hazards)
        yield say(N_("Registered, and never followed by a finding: {hazards}, by {who}"), hazards=hazards, who=who)
    for one in found.unseen:
        who = ", ".join(one.by)
        yield say(N_("Known, and in none of the bundles given: {hazard}, by {who}"), hazard=one.hazard, who=who)
    for envelope, why in (*found.unread, *((one.envelope, one.why) for one in found.nothing)):
        yield say(N_("Not counted ({why}): {envelope}"), why=why, envelope=envelope)
