"""`aloi consensus`: what several evaluators' bundles, and registries, say together of one system."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.assurance.consensus.logged import AskedLog
    from aloi.assurance.consensus.records import Consensus, Evidence, HazardView, Pool
    from aloi.assurance.consensus.view import Wanted
    from aloi.assurance.report.figures import Figures
    from aloi.evidence.publickeys import PublicKey
    from aloi.evidence.trustpolicy import Policy


@click.command(
    "consensus",
    help=say(
        N_(
            "Say what several evaluators' evidence on one system comes to together: who is independent of whom, the "
            "pooled rate and where a next evaluator's will lie, who dissents, and how certain that is. EVIDENCE is a "
            "bundle or a run's folder; with --registry all that registries hold counts, and the system's digest "
            "sha256:… is enough."
        )
    ),
)
@click.argument("evidence", metavar="EVIDENCE...", nargs=-1, required=True)
@click.option(
    "--registry",
    "registries",
    multiple=True,
    metavar="URL",
    help=say(
        N_(
            "Registry to ask for all that it holds about the system, proved to be all; may be given several times. "
            "Goes with --policy."
        )
    ),
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Trust policy: the logs and witnesses that you believe; `aloi registry trust` begins one.")),
)
@click.option(
    "--organisation",
    "organisations",
    multiple=True,
    metavar="DOMAIN",
    help=say(N_("Look up what an organisation says of its keys, too; may be given several times.")),
)
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
    evidence: tuple[str, ...],
    registries: tuple[str, ...],
    policy: Path | None,
    organisations: tuple[str, ...],
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
    from aloi.assurance.consensus.view import Wanted  # noqa: PLC0415 - heavy modules load when a command runs

    if page is not None:
        options.refuse_to_overwrite(page)
    wanted = Wanted(
        system=_meant(evidence, system),
        hazards=hazards,
        names={options.public_key(path).id: _name(path) for path in keys},
        owner=owner,
        other_versions=other_versions,
    )
    asked = _Asked(registries, options.registries_policy(registries, policy), organisations)
    bundles = [Path(each) for each in evidence if not options.is_digest(each)]
    found = _found(bundles, options.trusted_keys(keys), _statements(statements), asked, wanted)
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


class _Asked(NamedTuple):
    """Which registries are asked, whom the reader believes, and which organisations are looked up."""

    registries: tuple[str, ...]
    policy: "Policy | None"
    organisations: tuple[str, ...]


def _meant(evidence: Sequence[str], system: str) -> str:
    """The system that the digests among the arguments name, '' for none. Raises AskerError where they differ."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    named = {each for each in (*evidence, system) if options.is_digest(each)}
    if len(named) > 1:
        raise AskerError(
            N_("several systems are named: {systems}"),
            remedy=N_("name one; a consensus is about one system"),
            systems=", ".join(sorted(named)),
        )
    return next(iter(named), system)


def _found(
    bundles: Sequence[Path],
    trusted: "list[PublicKey]",
    statements: Sequence[bytes],
    asked: _Asked,
    wanted: "Wanted",
) -> "Consensus":
    from msgspec.structs import replace  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.assurance.consensus.account import read_beside  # noqa: PLC0415 - as above
    from aloi.assurance.consensus.results import open_bundles  # noqa: PLC0415 - as above
    from aloi.assurance.consensus.view import consensus, meant  # noqa: PLC0415 - as above
    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.evidence.bundle import read  # noqa: PLC0415 - as above

    files = [options.bundle_file(each) for each in bundles]
    sources = open_bundles(((str(file), read(file)) for file in files), trusted)
    if asked.policy is None:
        if not sources:
            raise AskerError(
                N_("a digest names a system, and no evidence on it is given"),
                remedy=N_("give bundles, or registries to ask with --registry and --policy"),
            )
        return consensus(sources, read_beside(sources, statements, trusted), wanted)
    from aloi.assurance.consensus.logged import logged_results  # noqa: PLC0415 - the registry's client loads here only
    from aloi.assurance.consensus.logs import ask_all, read_logs  # noqa: PLC0415 - as above

    system = wanted.system or meant(sources).fingerprint
    answered = asyncio.run(ask_all(asked.registries, system, asked.organisations, asked.policy))
    said = read_logs(answered, sources, statements, trusted)
    logged = logged_results(answered, said)
    return consensus(sources, said, replace(wanted, system=system), logged)


def _name(path: Path) -> str:
    """The reader's own name for a key: that of its file."""
    return path.name.removesuffix(".pem").removesuffix(".pub") or path.name


def _statements(folder: Path | None) -> list[bytes]:
    from aloi.assurance.standing import LIMIT, statement_files  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.files import contents  # noqa: PLC0415 - as above

    return [contents(file, LIMIT) for file in statement_files(folder)] if folder else []


def _write_page(found: "Consensus", path: Path) -> None:
    from aloi.assurance.report.consensus import render_consensus  # noqa: PLC0415 - heavy modules load when it runs
    from aloi.science.hazards import hazard_title  # noqa: PLC0415 - as above

    today = datetime.now(UTC).date().isoformat()
    options.write_new(path, render_consensus(found, language(), day=today, hazard_title=hazard_title).encode())


def _lines(found: "Consensus") -> Iterator[str]:
    from aloi.assurance.report.figures import Figures  # noqa: PLC0415 - heavy modules load when it runs
    from aloi.evidence.decoding import visible  # noqa: PLC0415 - heavy modules load when it runs

    figures = Figures(language())
    yield say(
        N_("Consensus on {name}  {fingerprint}"),
        name=visible(found.system.name),
        fingerprint=found.system.fingerprint,
    )
    told = say(N_("not proved: no log was asked"))
    complete = say(N_("proved by each log, for what it holds")) if found.from_log else told
    yield say(N_("Verified bundles: {count}. Complete: {complete}."), count=len(found.bundles), complete=complete)
    for log in found.logs:
        yield _log_line(log)
    if not found.hazards:
        yield say(N_("No result on this system is known."))
    for view in found.hazards:
        yield ""
        yield from _hazard(view, figures)
    yield from _missing(found)


def _log_line(log: "AskedLog") -> str:
    from aloi.evidence.decoding import visible  # noqa: PLC0415 - heavy modules load when it runs

    name = visible(log.log)
    line = N_("  {log} proves that of its {size} entries {count} are about the system, and no others")
    told = say(line, log=name, size=log.size, count=log.entries)
    if log.witnesses:
        witnesses = ", ".join(f"{each.name} ({each.operator})" for each in log.witnesses)
        told += say(N_("; seen there by {witnesses}"), witnesses=witnesses)
    else:
        told += say(N_("; the log's word alone, your policy asks for no witness"))
    return told + (say(N_("; erased: {count}"), count=log.erased) if log.erased else "") + "."


def _hazard(view: "HazardView", figures: "Figures") -> Iterator[str]:
    from aloi.assurance.report.consensus_words import ASIDE  # noqa: PLC0415 - heavy modules load when it runs
    from aloi.evidence.decoding import visible  # noqa: PLC0415 - as above
    from aloi.science.hazards import hazard_title  # noqa: PLC0415 - as above

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
    from aloi.evidence.decoding import visible  # noqa: PLC0415 - heavy modules load when it runs

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
    yield from _appraised(pool)
    for cluster in pool.clusters:
        for link in cluster.links:
            names = _names(view, link.numbers)
            yield say(N_("  One cluster, {why}: {names}"), why=say(WHY[link.why]), names=names)
    if pool.dissent:
        yield say(N_("  Outside what is predicted: {names}"), names=_names(view, [one.number for one in pool.dissent]))
    if pool.contradicting:
        yield say(N_("  Verdicts contradict each other: {names}"), names=_names(view, pool.contradicting))


def _appraised(pool: "Pool") -> Iterator[str]:
    from aloi.assurance.report.consensus_words import LEVELS  # noqa: PLC0415 - as above
    from aloi.evidence.decoding import visible  # noqa: PLC0415 - as above
    from aloi.evidence.reasons import STEPS, change_words  # noqa: PLC0415 - as above

    for one in pool.certainty.appraised:
        line = N_("  Certainty as {name} ({domain}) appraises it: {level}")
        yield say(line, name=visible(one.name), domain=one.by, level=say(LEVELS[one.level]))
        for step in one.overrides:
            told = say(
                N_("{step}: {change}. {reason}"),
                step=say(STEPS[step.code]),
                change=change_words(step.change, say),
                reason=visible(step.reason),
            )
            marks = [say(N_("disputed"))] if step.disputed else []
            marks += [say(N_("a result pooled here is its own"))] if step.own else []
            yield f"    {told}" + (f" ({', '.join(marks)})" if marks else "")


def _names(view: "HazardView", numbers: Sequence[int]) -> str:
    from aloi.evidence.decoding import visible  # noqa: PLC0415 - heavy modules load when it runs

    return ", ".join(f"{number}. {visible(view.of(number).evaluator.name)}" for number in numbers)


def _missing(found: "Consensus") -> Iterator[str]:
    from aloi.evidence.reasons import UNCOUNTED  # noqa: PLC0415 - heavy modules load when it runs

    if found.unfollowed or found.unopened or found.unseen or found.unread or found.nothing:
        yield ""
    for plan in found.unfollowed:
        who, hazards = ", ".join(plan.by), ", ".join(plan.hazards)
        yield say(N_("Registered, and never followed by a finding: {hazards}, by {who}"), hazards=hazards, who=who)
    for fixed in found.unopened:
        yield say(
            N_("Committed, and never shown: {envelope}, by {who}"), envelope=fixed.envelope, who=", ".join(fixed.by)
        )
    for one in found.unseen:
        who = ", ".join(one.by)
        yield say(N_("Known, and not counted here: {hazard}, by {who}"), hazard=one.hazard, who=who)
    for envelope, why in (*found.unread, *((one.envelope, one.why) for one in found.nothing)):
        told = say(UNCOUNTED[why]) if why in UNCOUNTED else why
        yield say(N_("Not counted ({why}): {envelope}"), why=told, envelope=envelope)
