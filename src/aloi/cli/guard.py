"""`aloi guard`: set a guard's threshold on ordinary texts of one's own, watch whether it holds, and update it."""

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from aloi.cli import guards, guardupdate, options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.solutions.screening.calibration import GuardCalibration, Kept, Watch
    from aloi.system.messages import Role

    K = TypeVar("K", bound=Kept)

LEVEL = 0.95


@click.group(
    "guard",
    help=say(N_("Calibrate a guard on ordinary texts of yours, watch whether it holds, teach it attacks that passed.")),
)
def command() -> None:
    """Nothing is done before a verb is named."""


@command.command(
    "calibrate",
    help=say(
        N_(
            "Set the threshold of GUARD so that it stops few of the ordinary texts of FILE.jsonl (a JSON object a "
            "line, with `text`): they should be drawn from the traffic to come. Texts labelled as attacks are left out."
        )
    ),
)
@click.argument("guard")
@guards.corpus
@click.option(
    "--false-alarms",
    "most",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.01,
    show_default=True,
    help=say(N_("Share of ordinary texts that may be stopped, shown at 95 %.")),
)
@guards.role
@guards.deadline
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("File to write; GUARD.calibration.json where none is named.")),
)
@options.as_json
def calibrate(
    guard: str,
    corpus: Path,
    most: float,
    role: "Role | None",
    deadline: float,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """The file is never overwritten; it holds scores and digests, no text."""
    from datetime import UTC, datetime  # noqa: PLC0415 - beside its one use
    from hashlib import sha256  # noqa: PLC0415 - as above

    from aloi.solutions.screening.calibration import calibrate as made_of  # noqa: PLC0415 - heavy modules load late
    from aloi.solutions.screening.calibration import scoring  # noqa: PLC0415 - as above
    from aloi.solutions.screening.running import role_for  # noqa: PLC0415 - as above

    remedy, path = scoring(guard), output or Path(f"{guard}.calibration.json")
    options.refuse_to_overwrite(path)
    rulings = guards.run([remedy], guards.read(corpus), role, deadline)
    made = made_of(
        remedy,
        rulings,
        role_for(remedy, role),
        most=most,
        level=LEVEL,
        today=f"{datetime.now(UTC):%Y-%m-%d}",
        corpus=f"sha256:{sha256(corpus.read_bytes()).hexdigest()}",
    )
    _write(path, made)
    if as_json:
        options.print_json({"file": str(path), "calibration": _without_scores(made)})
        return
    told = N_("{k} of {n} ordinary texts would be stopped; on others like them, at most {bound} (95 %).")
    click.echo(say(N_("Threshold: {threshold}"), threshold=made.threshold))
    click.echo(say(told, k=made.false_alarms, n=made.texts, bound=_rate(made.bound)))
    click.echo(say(N_("Written: {file}"), file=path))


@command.command(
    "watch",
    help=say(
        N_(
            "Watch whether the texts of FILE.jsonl, in their order, still score as those of CALIBRATION did. Exit 1 "
            "where drift is shown: calibrate anew, or look for an attack."
        )
    ),
)
@click.argument("calibration", type=click.Path(path_type=Path, dir_okay=False))
@guards.corpus
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("File that keeps the watch from one call to the next; without one, each call begins anew.")),
)
@click.option(
    "--error",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.01,
    show_default=True,
    help=say(N_("Probability of a false alarm over the whole watch, however long it lasts.")),
)
@guards.deadline
@options.as_json
@click.pass_context
def watch(
    ctx: click.Context,
    calibration: Path,
    corpus: Path,
    state: Path | None,
    error: float,
    deadline: float,
    *,
    as_json: bool,
) -> None:
    """Exit 0 while no drift is shown."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.solutions.screening.calibration import (  # noqa: PLC0415 - as above
        GuardCalibration,
        Watch,
        begin,
        go_on,
        scoring,
    )

    made = _read(calibration, GuardCalibration)
    remedy = scoring(made.guard)
    if remedy.identity.digest != made.digest:
        raise AskerError(
            N_("{guard} is another edition than the one that was calibrated"),
            remedy=N_("calibrate it again: aloi guard calibrate"),
            guard=made.guard,
        )
    so_far = _read(state, Watch) if state and state.exists() else begin(made)
    found = go_on(so_far, made, guards.run([remedy], guards.read(corpus), made.role, deadline))
    if state:
        _write(state, found)
    drifted = found.drifted(error)
    if as_json:
        options.print_json(_facts(found, made, drifted=drifted))
    else:
        for line in _told(found, made, drifted=drifted):
            click.echo(line)
    ctx.exit(1 if drifted else 0)


for one in (guardupdate.learn, guardupdate.accept):
    command.add_command(one)


def _facts(found: "Watch", made: "GuardCalibration", *, drifted: bool) -> dict[str, object]:
    state = found.state
    return {
        "guard": found.guard,
        "seen": state.seen,
        "stopped": found.share,
        "bound": made.bound,
        "log_e": state.log_capital,
        "peak_log_e": state.peak,
        "drifted": drifted,
    }


def _told(found: "Watch", made: "GuardCalibration", *, drifted: bool) -> list[str]:
    stopped = N_("Texts watched: {n}; stopped, in %: {share} (calibrated: at most {bound})")
    if drifted:
        verdict = N_(
            "Drift is shown: these texts score otherwise than the calibrated ones. Calibrate anew, or look for an "
            "attack."
        )
    else:
        verdict = N_("No drift is shown. That is no proof that there is none.")
    share = guards.share(found.share)
    return [say(stopped, n=found.state.seen, share=share, bound=_rate(made.bound)), say(verdict)]


def _rate(value: float) -> str:
    from aloi.cli.outcome import rate  # noqa: PLC0415 - heavy modules load when a command runs

    return rate(value)


def _without_scores(made: "GuardCalibration") -> dict[str, object]:
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    return {name: value for name, value in msgspec.structs.asdict(made).items() if name != "scores"}


def _write(path: Path, kept: "Kept") -> None:
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.assurance.folder import write_whole  # noqa: PLC0415 - as above

    write_whole(path, msgspec.json.encode(kept) + b"\n", mode=0o644)


def _read(path: Path, kind: "type[K]") -> "K":
    """Raises AskerError where the file cannot be read or holds something else."""
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.errors import AskerError  # noqa: PLC0415 - as above

    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        problem = error.strerror or str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error)
    raise AskerError(
        N_("cannot read {file}: {problem}"),
        remedy=N_("give a file that aloi guard wrote"),
        file=path,
        problem=problem,
    )
