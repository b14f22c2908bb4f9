"""What a plan registers of judges: who they are, and what their calibrations allow for."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from msgspec import Struct
from msgspec.structs import replace

from aloi.errors import AskerError
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.records import PERSON, Calibration, Judging, ScorerIdentity, number
from aloi.science.judging.prompting import criteria_for, prompts
from aloi.science.probe import scorer_for
from aloi.statistics.judges import JudgeCalibration, allowance
from aloi.system.reading import System
from aloi.system.target import target_kind
from aloi.translation import N_

SHARE = 0.2
_DIGITS = Decimal("0.000001")


def identity(system: System, name: str, hazard: str) -> ScorerIdentity:
    """Who a judge is when it rates a hazard, without asking anybody: its model, and the digest of how it is asked."""
    if name == PERSON:
        return ScorerIdentity(name=PERSON, kind="judge", version="1")
    judge = system.description.assurance.judges[name]
    if judge.kind == "scorer":
        scorer = scorer_for(judge.scorer).identity
        model, version = f"{scorer.name} {scorer.version}", scorer.version
        return ScorerIdentity(name=name, kind="rule", version=version, model=model, digest=digest(canonical(scorer)))
    assert judge.target is not None
    model = target_kind(judge.target).identity(judge.target)
    if judge.kind == "embeddings":
        exemplars = [[row.label, row.answer] for row in system.exemplars[name]]
        return ScorerIdentity(name=name, kind="judge", version="1", model=model, digest=digest(canonical(exemplars)))
    asked = {
        "prompt": prompts().prompts,
        "criteria": dict(criteria_for(hazard, judge.criteria, name)),
        "shows_prompt": judge.shows_prompt,
        "max_tokens": judge.target.max_tokens,
    }
    return ScorerIdentity(
        name=name, kind="judge", version=prompts().version, model=model, digest=digest(canonical(asked))
    )


def better(system: System, name: str) -> str:
    """The name of who has the last word after a judge; empty where it has it itself."""
    return "" if name == PERSON else system.description.assurance.judges[name].escalate_to


def calibrated_digest(system: System, name: str, hazard: str) -> str:
    """The digest that a calibration of a judge names: the judge, and what it hands on to, since one judges by both."""
    last = better(system, name)
    parts: list[object] = [identity(system, name, hazard)]
    if last and last != PERSON:  # a person is held to be right: then the judge alone is calibrated
        parts += [identity(system, last, hazard), repr(system.description.assurance.judges[name].audit)]
    return digest(canonical(parts))


class Registered(Struct, frozen=True, kw_only=True):
    """The judging of each hazard that has a judge, and the part of `alpha` that their calibrations spend."""

    judging: Mapping[str, Judging]
    alpha: Decimal


def register(system: System, alpha: float, asked: Mapping[str, "Asked"]) -> Registered:
    """What a plan says of the judges of a system's hazards. `alpha` is the error of each direction of the test.

    Raises AskerError where a calibration was made of another judge, or a judge is not told what to look for.
    """
    judges = {slug: goal.judge for slug, goal in system.description.assurance.hazards.items() if goal.judge}
    used = {found.digest for name in judges.values() if (found := system.calibrations.get(name))}
    judging = {}
    for slug in judges:
        with system.at("assurance", "hazards", slug, "judge"):
            judging[slug] = _judging(system, slug, asked[slug], alpha, max(len(used), 1))
    return Registered(judging=judging, alpha=number(SHARE * system.description.assurance.alpha) if used else Decimal(0))


class Asked(Struct, frozen=True, kw_only=True):
    """What a probe asks, against which a calibration is held, and the probe's own scorer."""

    scorer: ScorerIdentity
    attacks: frozenset[str]
    languages: frozenset[str]


def scorer_of(system: System, hazard: str) -> ScorerIdentity:
    """The identity of a hazard's judge, with its calibration told in words."""
    name = system.description.assurance.hazards[hazard].judge
    found = system.calibrations.get(name)
    if found is None:
        return identity(system, name, hazard)
    told = (
        f"{found.digest}: sensitivity {found.tp}/{found.tp + found.fn}, specificity {found.tn}/{found.fp + found.tn}, "
        f"{found.hazard}, {found.labelled_on}"
    )
    return replace(identity(system, name, hazard), calibration=told)


def _judging(system: System, hazard: str, asked: Asked, alpha: float, calibrations: int) -> Judging:
    goal = system.description.assurance.hazards[hazard]
    name, last = goal.judge, better(system, goal.judge)
    if goal.judge_reads == "passed" and asked.scorer.kind != "oracle":
        raise AskerError(
            N_("the scorer {scorer} of {hazard} can err: a judge cannot read only what it passed"),
            remedy=N_("remove judge_reads, so that the judge reads every answer"),
            scorer=asked.scorer.name,
            hazard=hazard,
        )
    base = Judging(
        judge=name,
        after=asked.scorer.name if goal.judge_reads == "passed" else "",
        escalates_to=identity(system, last, hazard) if last else None,
        audit=number(system.description.assurance.judges[name].audit) if last else Decimal(0),
    )
    found = system.calibrations.get(name)
    if name == PERSON:
        return base
    if found is None:
        return replace(base, caveats=("not-calibrated",))
    expected = calibrated_digest(system, name, hazard)
    if found.judge not in {"", expected}:
        raise AskerError(
            N_("the calibration of the judge {judge} was made of another one: another model, prompt or better judge"),
            remedy=N_("make it again: aloi judge calibrate"),
            judge=name,
        )
    counts = JudgeCalibration(found.tp, found.fn, found.fp, found.tn)
    allowed = allowance(counts, alpha, confirmed=base.confirmed, calibrations=calibrations, share=SHARE)
    least, most = allowed.false_alarms
    return replace(
        base,
        calibration=found,
        sensitivity=_down(allowed.sensitivity),
        false_alarms=(_down(least), _up(most)),
        identifiable=allowed.identifiable,
        caveats=tuple(_caveats(found, hazard, asked, identifiable=allowed.identifiable)),
    )


def _caveats(found: Calibration, hazard: str, asked: Asked, *, identifiable: bool) -> Iterator[str]:
    """Where a calibration says less about this run than a reader may think."""
    if not identifiable:
        yield "not-identifiable"
    if found.hazard != hazard:
        yield "calibration-other-hazard"
    if not asked.attacks <= set(found.attacks):
        yield "calibration-other-attacks"
    if not asked.languages <= set(found.languages):
        yield "calibration-other-languages"
    if not found.judge:
        yield "calibration-unbound"


def _down(value: float) -> Decimal:
    """Rounded so that a lower bound stays one. A float is read as the decimal that it is."""
    return _plain(Decimal(value).quantize(_DIGITS, ROUND_FLOOR))


def _up(value: float) -> Decimal:
    return _plain(Decimal(value).quantize(_DIGITS, ROUND_CEILING))


def _plain(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
