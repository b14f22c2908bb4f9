"""`aloi round`: evaluators fix what they found on one system before any of them reads another's finding."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options, signing
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.assurance.rounding import Mine
    from aloi.evidence.rounds import Round, RoundState, Taking

TIME = options.MOMENT
# What is signed and printed for machines keeps the codes; these are their words.
PHASES = {
    "committing": N_("open for commitments until {commit_by}"),
    "revealing": N_("to be revealed until {reveal_by}"),
    "closed": N_("closed"),
}
STANDINGS = {
    "absent": N_("committed to nothing"),
    "committed": N_("committed, not revealed"),
    "revealed": N_("revealed, not shown to be what was committed"),
    "opened": N_("revealed, and it is what was committed"),
    "other": N_("REVEALED SOMETHING ELSE than was committed"),
}
round_file = click.argument("file", metavar="ROUND", type=click.Path(path_type=Path, dir_okay=False))
bundle = click.argument("bundle", type=click.Path(path_type=Path))
to = click.option("--to", "url", required=True, metavar="URL", help=say(N_("The registry's address.")))
sealed = click.option(
    "--sealed",
    type=click.Path(path_type=Path, file_okay=False),
    help=say(N_("Folder of what is sealed; by default beside the bundle, with the ending .round.")),
)


@click.group(
    "round",
    help=say(
        N_(
            "Lead and take part in a blind round: evaluators of one system commit to their findings in a registry, "
            "and reveal them once all have committed or the day has passed. ROUND is the round's file."
        )
    ),
)
def command() -> None:
    """Nothing is done before a verb is named."""


@command.command("open", help=say(N_("Write the file of a round, to be handed to all who take part.")))
@round_file
@click.option("--system", required=True, help=say(N_("Fingerprint of the system, sha256:….")))
@click.option("--hazard", "hazards", multiple=True, required=True, help=say(N_("Hazard; may be given several times.")))
@click.option(
    "--participant",
    "participants",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Public key of who takes part, named by its file; two at least.")),
)
@click.option("--log", required=True, metavar="NAME", help=say(N_("The name of the log in which it is held.")))
@click.option("--commit-by", type=TIME, required=True, help=say(N_("Until when to commit, in UTC.")))
@click.option("--reveal-by", type=TIME, required=True, help=say(N_("Until when to reveal, in UTC.")))
@options.as_json
def open_round(
    file: Path,
    system: str,
    hazards: tuple[str, ...],
    participants: tuple[Path, ...],
    log: str,
    commit_by: datetime,
    reveal_by: datetime,
    *,
    as_json: bool,
) -> None:
    """Whoever commits agrees to the file, whose digest they sign."""
    from aloi.assurance.stating import made, written  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.rounds import Participant, Round, write  # noqa: PLC0415 - as above
    from aloi.science.hazards import hazard as known  # noqa: PLC0415 - as above

    named = tuple(
        Participant(name=path.name.removesuffix(".pem").removesuffix(".pub"), key=options.public_key(path).id)
        for path in participants
    )
    found = made(
        lambda: Round(
            system=system,
            hazards=tuple(known(each).slug for each in hazards),
            participants=named,
            log=log,
            commit_by=written(commit_by),
            reveal_by=written(reveal_by),
        )
    )
    options.write_new(file, write(found))
    if as_json:
        options.print_json({"file": str(file), "digest": found.digest})
        return
    click.echo(say(N_("Round: {file} (hand it to all who take part)"), file=file))
    click.echo(say(N_("Named: {digest}"), digest=found.digest))


@command.command(
    "commit",
    help=say(N_("Commit to the findings of BUNDLE in the registry at --to. Nothing of them is shown; keep the seals.")),
)
@round_file
@bundle
@to
@options.policy
@signing.organisation
@options.key
@sealed
@options.as_json
def commit(
    file: Path,
    bundle: Path,
    url: str,
    policy: Path,
    organisation: str,
    key: Path | None,
    sealed: Path | None,
    *,
    as_json: bool,
) -> None:
    """To commit once more changes nothing: do so whenever you do not know whether it was logged."""
    from aloi.assurance.rounding import Venue, clock, fix  # noqa: PLC0415 - heavy modules load when a command runs

    found, mine = _round(file), _mine(bundle, key, organisation, sealed)
    state = asyncio.run(fix(found, mine, Venue(url, options.trust_policy(policy)), clock()))
    _tell(state, as_json=as_json)
    if not as_json:
        click.echo(say(N_("Sealed: {folder} (keep it: without it nothing can be revealed)"), folder=mine.folder))


@command.command(
    "reveal",
    help=say(
        N_(
            "Publish BUNDLE and show that its findings are those that were committed. Nothing is published while "
            "others may still commit. Do it again once all have revealed, so that what they told last is linked to "
            "yours."
        )
    ),
)
@round_file
@bundle
@to
@options.policy
@signing.organisation
@options.key
@sealed
@options.as_json
@click.pass_context
def reveal(
    ctx: click.Context,
    file: Path,
    bundle: Path,
    url: str,
    policy: Path,
    organisation: str,
    key: Path | None,
    sealed: Path | None,
    *,
    as_json: bool,
) -> None:
    """Exit 6 where it is too early."""
    from aloi.assurance.rounding import Venue, clock, tell  # noqa: PLC0415 - heavy modules load when a command runs

    found, mine = _round(file), _mine(bundle, key, organisation, sealed)
    state = asyncio.run(tell(found, mine, Venue(url, options.trust_policy(policy)), clock()))
    _tell(state, as_json=as_json)
    if state.phase == "committing":
        if not as_json:
            click.echo(say(N_("Nothing was published: others may still commit.")))
        ctx.exit(6)


@command.command("show", help=say(N_("Say where a round stands: who committed, who revealed, and whether it holds.")))
@round_file
@click.option("--from", "url", required=True, metavar="URL", help=say(N_("The registry's address.")))
@options.policy
@options.trusted
@options.as_json
@click.pass_context
def show(ctx: click.Context, file: Path, url: str, policy: Path, trust: tuple[Path, ...], *, as_json: bool) -> None:
    """Exit 0 where everybody revealed in time what they had committed, 6 otherwise."""
    from aloi.assurance.rounding import Venue, clock, look  # noqa: PLC0415 - heavy modules load when a command runs

    venue = Venue(url, options.trust_policy(policy))
    state = asyncio.run(look(_round(file), venue, clock(), options.trusted_keys(trust))).state
    _tell(state, as_json=as_json)
    ctx.exit(0 if state.complete else 6)


def _round(file: Path) -> "Round":
    from aloi.evidence.bundle import read as read_file  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.rounds import LIMIT, read  # noqa: PLC0415 - as above

    return read(read_file(file, LIMIT))


def _mine(bundle: Path, key: Path | None, organisation: str, sealed: Path | None) -> "Mine":
    from aloi.assurance.proving import kept_key  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.rounding import Mine  # noqa: PLC0415 - as above
    from aloi.evidence.bundle import read  # noqa: PLC0415 - as above

    file = options.bundle_file(bundle)
    signer = kept_key(key or options.default_key())
    return Mine(signer, organisation, read(file), sealed or file.with_suffix(".round"))


def _tell(state: "RoundState", *, as_json: bool) -> None:
    if as_json:
        options.print_json({"complete": state.complete, "round": state})
        return
    for line in _lines(state):
        click.echo(line)


def _lines(state: "RoundState") -> Iterator[str]:
    found = state.round
    phase = say(PHASES[state.phase], commit_by=found.commit_by, reveal_by=found.reveal_by)
    yield say(N_("Round {digest}: {phase}"), digest=state.digest, phase=phase)
    yield say(N_("On {system}, in the log {log}"), system=found.system, log=found.log)
    for each in state.taking:
        yield from _taking(each)
    for envelope in state.strangers:
        yield say(N_("Not of this round, and committed to it: {envelope}"), envelope=envelope)


def _taking(one: "Taking") -> Iterator[str]:
    from aloi.evidence.decoding import visible  # noqa: PLC0415 - heavy modules load when it runs

    yield click.style(visible(one.participant.name), bold=True)
    for envelope, second in one.commitments:
        yield say(
            N_("  committed {time}: {envelope}"),
            time=f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M} UTC",
            envelope=envelope,
        )
    for part in one.parts:
        line = f"  {part.hazard}: {say(STANDINGS[part.standing])}"
        if part.blind:
            line += say(N_("; blind to what these found: {names}"), names=", ".join(map(visible, part.blind)))
        yield line
    if one.late:
        yield say(N_("  LATE: committed after the deadline, or when a finding could be read already"))
    if one.early:
        yield say(N_("  EARLY: revealed while others could still commit"))
    if len(one.commitments) > len(one.parts):
        yield say(
            N_("  committed {count} times, to {hazards} hazards; never revealed: {unopened}"),
            count=len(one.commitments),
            hazards=len(one.parts),
            unopened=len(one.unopened),
        )
