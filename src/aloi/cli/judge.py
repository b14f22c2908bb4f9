"""`aloi judge`: calibrate a judge on labelled answers."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.system.calibration import CalibrationFile
    from aloi.system.labelled import Labelled
    from aloi.system.reading import System

LEVEL = 0.95


@click.group("judge", help=say(N_("Calibrate a judge on answers whose labels are known.")))
def command() -> None:
    """Nothing is done before a verb is named."""


@command.command(
    "calibrate",
    help=say(
        N_(
            "Ask JUDGE of SYSTEM about every labelled answer of LABELS (CSV or JSONL: question, answer, label, and "
            "language, attack where known) and write how often it agrees."
        )
    ),
)
@click.argument("system", type=click.Path(path_type=Path))
@click.argument("judge")
@click.argument("labels", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--hazard", help=say(N_("Hazard that the labels are about; needed where the judge rates several.")))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("File to write; JUDGE.calibration.json beside system.yaml where none is named.")),
)
@click.option("--by", "labelled_by", help=say(N_("Who labelled; the column `by` where it is not given.")))
@options.as_json
def calibrate(
    system: Path,
    judge: str,
    labels: Path,
    hazard: str | None,
    output: Path | None,
    labelled_by: str | None,
    *,
    as_json: bool,
) -> None:
    """The file is named in `assurance.judges.JUDGE.calibration`; it is never overwritten."""
    from datetime import UTC, datetime  # noqa: PLC0415 - beside its one use

    from aloi.system.labelled import read_labelled  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.system.reading import open_system  # noqa: PLC0415 - as above

    opened = open_system(system)
    about = _hazard(opened, judge, hazard)
    folder = system if system.is_dir() else system.parent
    path = output or folder / f"{judge}.calibration.json"
    options.refuse_to_overwrite(path)
    found = read_labelled(labels)
    who = labelled_by or ", ".join(sorted({row.by for row in found.rows if row.by})) or "-"
    made = asyncio.run(_made(opened, judge, about, found, who, f"{datetime.now(UTC):%Y-%m-%d}"))
    _write(path, made)
    if as_json:
        left_out = {"missing": found.missing, "tied": found.tied, "repeated": found.repeated}
        options.print_json({"file": str(path), "calibration": made.record(), "left_out": left_out})
        return
    for line in _told(path, judge, made, found):
        click.echo(line)


def _hazard(system: "System", judge: str, hazard: str | None) -> str:
    """The hazard that a judge is calibrated for. Raises UnknownName, or AskerError where it is not clear."""
    from aloi.errors import AskerError, UnknownName  # noqa: PLC0415 - heavy modules load when a command runs

    goal = system.description.assurance
    if judge not in goal.judges:
        raise UnknownName(N_("judge"), judge, goal.judges)
    rated = [slug for slug, wanted in goal.hazards.items() if wanted.judge == judge]
    if hazard or len(rated) == 1:
        return hazard or rated[0]
    raise AskerError(
        N_("the judge {judge} rates {count} hazards of this system: which one are the labels about?"),
        remedy=N_("name it with --hazard"),
        judge=judge,
        count=len(rated),
    )


async def _made(
    system: "System", judge: str, hazard: str, found: "Labelled", who: str, today: str
) -> "CalibrationFile":
    from aloi.science.judging.bench import open_judges  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.science.judging.calibrating import calibrate as made  # noqa: PLC0415 - as above

    async with open_judges(system, {hazard: judge}) as judges:
        return await made(system, judge, hazard, found.rows, judges, labelled_by=who, labelled_on=today)


def _write(path: Path, made: "CalibrationFile") -> None:
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.assurance.folder import write_whole  # noqa: PLC0415 - as above

    write_whole(path, msgspec.json.format(msgspec.json.encode(made)) + b"\n", mode=0o644)


def _told(path: Path, judge: str, made: "CalibrationFile", found: "Labelled") -> list[str]:
    from aloi.statistics.exact import clopper_pearson  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.statistics.judges import JudgeCalibration, allowance  # noqa: PLC0415 - as above

    counts = made.counted()
    lines = [
        say(
            line,
            k=k,
            n=n,
            rate=_percent(k / n),
            low=_percent(clopper_pearson(k, n, LEVEL)[0]),
            high=_percent(clopper_pearson(k, n, LEVEL)[1]),
        )
        for line, k, n in (
            (N_("Failures seen:  {k} of {n}, {rate} (95 %: {low} to {high})"), counts.tp, counts.tp + counts.fn),
            (N_("Passes passed:  {k} of {n}, {rate} (95 %: {low} to {high})"), counts.tn, counts.fp + counts.tn),
        )
    ]
    if counts.unclear:
        told = N_("No clear word:  {count}; they count as not called failures")
        lines.append(say(told, count=counts.unclear))
    if found.missing or found.tied or found.repeated:
        told = N_("Left out:       {missing} without a label, {tied} with two labels, {repeated} that repeat another")
        lines.append(say(told, missing=found.missing, tied=found.tied, repeated=found.repeated))
    judged = allowance(JudgeCalibration(counts.tp, counts.fn, counts.fp, counts.tn), 1 - LEVEL, confirmed=False)
    if not judged.identifiable:
        lines.append(say(N_("This judge tells failures from passes too poorly: no rate can be read from its words.")))
    lines.append(say(N_("Written: {file}"), file=path))
    lines.append(say(N_("Name it in system.yaml: assurance.judges.{judge}.calibration"), judge=judge))
    return lines


def _percent(value: float) -> str:
    from aloi.cli.outcome import rate  # noqa: PLC0415 - heavy modules load when a command runs

    return rate(value)
