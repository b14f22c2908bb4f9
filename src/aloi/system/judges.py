"""What `assurance.judges` says, checked, and the files that it names, read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from aloi.errors import AskerError, Fault, InvalidFile
from aloi.evidence.records import PERSON, Calibration
from aloi.system.beside import unfit_beside
from aloi.system.calibration import read_calibration
from aloi.system.description import JudgeDescription, SystemDescription
from aloi.system.labelled import Row, read_labelled
from aloi.system.loading import LIMIT, Lines, Place, dotted, line_of
from aloi.translation import N_


class Aid(Struct, frozen=True):
    """What one file of one judge holds."""

    judge: str
    holds: Calibration | tuple[Row, ...]


class Aids(Struct):
    """What the files of all judges hold, by judge."""

    calibrations: dict[str, Calibration] = {}
    exemplars: dict[str, tuple[Row, ...]] = {}

    def add(self, aid: Aid) -> None:
        """Keep what was read."""
        if isinstance(aid.holds, Calibration):
            self.calibrations[aid.judge] = aid.holds
        else:
            self.exemplars[aid.judge] = aid.holds


def judge_faults(description: SystemDescription, lines: Lines) -> Iterator[Fault]:
    """What the judges and the hazards that name them contradict."""
    judges = description.assurance.judges
    for name, judge in judges.items():
        at: Place = ("assurance", "judges", name)
        if name == PERSON:
            sentence, remedy = N_("{path}: this name stands for people"), N_("give the judge another name")
            yield Fault(sentence, path=dotted(at), line=line_of(lines, at), remedy=remedy)
        yield from _kind_faults(judge, at, lines)
        yield from _escalation_faults(name, judge, description, lines)
    for slug, goal in description.assurance.hazards.items():
        at = ("assurance", "hazards", slug, "judge")
        if goal.judge and goal.judge != PERSON and goal.judge not in judges:
            yield _unknown(goal.judge, at, description, lines)
        if goal.judge_reads == "passed" and not goal.judge:
            at = (*at[:-1], "judge_reads")
            sentence, remedy = (
                N_("{path}: names no judge that could read"),
                N_("name one in `judge`, or leave it out"),
            )
            yield Fault(sentence, path=dotted(at), line=line_of(lines, at), remedy=remedy)
        if goal.judge and goal.hunt:
            at = (*at[:3], "hunt")
            yield Fault(
                N_("{path}: {judge} rates this hazard, and no hunt can rest on words that may err or be waited for"),
                path=dotted(at),
                line=line_of(lines, at),
                remedy=N_(
                    "measure it here, and hunt it in a second system.yaml without `judge`, by the probe's scorer"
                ),
                judge=goal.judge,
            )


def _kind_faults(judge: JudgeDescription, at: Place, lines: Lines) -> Iterator[Fault]:
    """What each kind needs, and what only another kind reads."""
    needs = {"model": {"target"}, "embeddings": {"target", "exemplars"}, "scorer": {"scorer"}}[judge.kind]
    for key in ("target", "exemplars", "scorer"):
        if key in needs and not getattr(judge, key):
            sentence, place = N_("{path}: missing for kind: {kind}"), dotted((*at, key))
            yield Fault(sentence, path=place, line=line_of(lines, at), remedy=N_("add it"), kind=judge.kind)
        elif key not in needs and getattr(judge, key):
            sentence, place = N_("{path}: not read for kind: {kind}"), dotted((*at, key))
            line, remedy = line_of(lines, (*at, key)), N_("leave it out, or choose the kind that reads it")
            yield Fault(sentence, path=place, line=line, remedy=remedy, kind=judge.kind)
    if judge.kind == "embeddings" and judge.target and judge.target.kind not in {"local", "openai"}:
        sentence = N_("{path}: embeddings come from a target of kind: openai or local")
        yield Fault(sentence, path=dotted((*at, "target", "kind")), line=line_of(lines, (*at, "target")))


def _escalation_faults(
    name: str, judge: JudgeDescription, description: SystemDescription, lines: Lines
) -> Iterator[Fault]:
    judges, at = description.assurance.judges, ("assurance", "judges", name, "escalate_to")
    if judge.audit and not judge.escalate_to:
        audit = (*at[:-1], "audit")
        sentence = N_("{path}: who looks again? give escalate_to")
        yield Fault(sentence, path=dotted(audit), line=line_of(lines, audit))
    if not judge.escalate_to or judge.escalate_to == PERSON:
        return
    if judge.escalate_to not in judges:
        yield _unknown(judge.escalate_to, at, description, lines)
    elif judge.escalate_to == name:
        sentence, remedy = N_("{path}: a judge cannot be its own better judge"), N_("name another judge, or `person`")
        yield Fault(sentence, path=dotted(at), line=line_of(lines, at), remedy=remedy)
    elif judges[judge.escalate_to].escalate_to:
        sentence = N_("{path}: {name} hands on what it reads; name a judge that has the last word")
        yield Fault(sentence, path=dotted(at), line=line_of(lines, at), name=judge.escalate_to)


def _unknown(name: str, at: Place, description: SystemDescription, lines: Lines) -> Fault:
    return Fault(
        N_("{path}: no judge of the name {name}"),
        path=dotted(at),
        line=line_of(lines, at),
        remedy=N_("known: {known}"),
        name=name,
        known=", ".join([*description.assurance.judges, PERSON]),
    )


def read_aids(description: SystemDescription, folder: Path, lines: Lines) -> Iterator[Aid | Fault]:
    """Every file that a judge names: read, or why it is not."""
    for name, judge in description.assurance.judges.items():
        for key in ("calibration", "exemplars"):
            file = str(getattr(judge, key))
            at = ("assurance", "judges", name, key)
            if not file:
                continue
            if fault := unfit_beside(folder / file, folder, LIMIT, dotted(at), line_of(lines, at)):
                yield fault
                continue
            try:
                yield Aid(name, _read(key, folder / file))
            except InvalidFile as error:
                for fault in error.faults:
                    where = f"{file}:{fault.line}" if fault.line else file
                    yield _again(fault, f"{dotted(at)} ({where}) {fault.path}", line_of(lines, at))
            except AskerError as error:
                yield _again(error, dotted(at), line_of(lines, at))


def _again(error: AskerError, path: str, line: int | None) -> Fault:
    """A fault of another file, at the line that names the file; its sentence and facts are kept, to be translated."""
    facts: dict[str, Any] = {name: fact for name, fact in error.facts.items() if name != "path"}
    return Fault(error.message, path=path, line=line, remedy=error.remedy, **facts)


def _read(key: str, path: Path) -> Calibration | tuple[Row, ...]:
    if key == "calibration":
        return read_calibration(path.read_bytes(), path).record()
    rows = read_labelled(path).rows
    if {row.label for row in rows} != {"failed", "passed"}:
        raise AskerError(
            N_("{file} needs answers labelled failed and answers labelled passed"),
            remedy=N_("label answers of the kind that is missing"),
            file=path.name,
        )
    return rows
