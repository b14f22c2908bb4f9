"""Make the plan: what will be measured, registered and signed before the first query."""

from collections.abc import Sequence

from msgspec.structs import replace

from aloi import plugins
from aloi.errors import AskerError, UnknownName
from aloi.evidence.records import BenignPlan, HazardPlan, Judging, Limits, Plan, number
from aloi.science.chance import chance_of, check_thresholds
from aloi.science.corpora import CORPUS, identity
from aloi.science.estimands import estimand_of
from aloi.science.hazards import Hazard
from aloi.science.hazards import hazard as known_hazard
from aloi.science.hunt_plans import planned_hunts
from aloi.science.judging.registering import Asked, Registered, register, scorer_of
from aloi.science.measuring import design_of
from aloi.science.probe import probe_for, scorer_for
from aloi.science.sampling import Sampler
from aloi.statistics.design import default_cap, scored_cap
from aloi.statistics.hazard import HazardDesign
from aloi.system.reading import System
from aloi.translation import N_

INDIFFERENCE = (0.5, 2.0)
BENIGN = "benign"
# What a judge says is shown all the same, and this many answers show it.
UNDECIDABLE_CAP = 100


def probes_of(system: System) -> dict[str, str]:
    """The probe of every hazard that the system wants measured, and of the benign requests.

    Raises UnknownName for a hazard that is not in the catalogue, or that no installed probe can measure.
    """
    goals, chosen = system.description.assurance, {}
    for slug, goal in goals.hazards.items():
        with system.at("assurance", "hazards", slug, "probe"):
            hazard = known_hazard(slug)
            chosen[slug] = _corpus_of(hazard) if slug in system.corpora else _probe_of(slug, goal.probe)
    with system.at("assurance", "benign", "probe"):
        return {**chosen, BENIGN: _probe_of(BENIGN, goals.benign.probe)}


def _corpus_of(hazard: Hazard) -> str:
    """The name of a corpus among probes. Raises for a hazard that is looked up in records and never asked for."""
    if not _is_asked(hazard):
        raise _never_asked(hazard.slug)
    return CORPUS


def _probe_of(slug: str, wanted: str) -> str:
    """The probe that was wanted for a hazard, or its own. Raises where there is none, or it measures something else."""
    known = plugins.names("aloi.probes")
    name = wanted or slug
    if name not in known:
        raise UnknownName(N_("probe"), name, known) if wanted else _no_probe(slug, known)
    if (measured := probe_for(name).hazard) != slug:
        raise AskerError(
            N_("the probe {probe} measures {got}, not {expected}"),
            remedy=N_("`aloi catalog probes` lists the probes and their hazards"),
            probe=name,
            got=measured,
            expected=slug,
        )
    return name


def _no_probe(slug: str, known: Sequence[str]) -> AskerError:
    """Why a hazard has no probe of its own name: others must be named, it is never asked, or none is installed."""
    if others := [name for name in known if probe_for(name).hazard == slug]:
        return AskerError(
            N_("the hazard {hazard} has no probe of its own name"),
            remedy=N_("name one under it, as `probe: …`: {probes}"),
            hazard=slug,
            probes=", ".join(others),
        )
    if not _is_asked(known_hazard(slug)):
        return _never_asked(slug)
    return AskerError(
        N_("no installed probe measures the hazard {hazard}"),
        remedy=N_("remove it from `assurance.hazards`; `aloi catalog hazards` says which have a probe"),
        hazard=slug,
    )


def _is_asked(hazard: Hazard) -> bool:
    return not {"endpoint", "agent", "predictive"}.isdisjoint(hazard.surfaces)


def _never_asked(slug: str) -> AskerError:
    return AskerError(
        N_("{hazard} is never asked of a system: it shows in files and records"),
        remedy=N_("remove it from `assurance.hazards`"),
        hazard=slug,
    )


def make_plan(
    system: System, fingerprint: str, sampler: Sampler, remedies: Sequence[str], *, registered_at: str, software: str
) -> Plan:
    """The plan for a system. `registered_at` is RFC 3339; `software` names this version of Aloi.

    Raises InvalidFile where chance alone can exceed a threshold.
    """
    check_thresholds(system, sampler)
    goal = system.description.assurance
    registered = judges_of(system, sampler)
    error = (goal.alpha - float(registered.alpha)) / (2 if goal.joint else 1)
    hazards_planned = []
    for slug, wanted in goal.hazards.items():
        judging, corpus = registered.judging.get(slug), identity(system, slug, sampler.probes[slug])
        entry = HazardPlan(
            hazard=slug,
            probe=sampler.names[slug],
            scorer=scorer_of(system, slug) if judging else scorer_for(sampler.probes[slug].scorer).identity,
            estimand=estimand_of(system, slug, sampler.probes[slug], corpus),
            scope="suite" if corpus else "declared",
            threshold=number(wanted.threshold),
            chance=number(chance_of(system, sampler, slug)),
            indifference=(number(INDIFFERENCE[0]), number(INDIFFERENCE[1])),
            cap=wanted.cap or default_cap(wanted.threshold, error, len(goal.hazards), INDIFFERENCE),
            languages={name: number(share) for name, share in sampler.languages[slug].items()},
            attacks={name: number(share) for name, share in sampler.mix(slug).items()},
            judging=judging,
            corpus=corpus,
        )
        if judging and not wanted.cap:
            entry = replace(entry, cap=_judged_cap(judging, design_of(entry), error, len(goal.hazards)))
        hazards_planned.append(entry)
    benign = BenignPlan(
        probe=sampler.names[BENIGN],
        scorer=scorer_for(sampler.probes[BENIGN].scorer).identity,
        selection_trials=goal.benign.selection_trials,
        confirmation_trials=goal.benign.trials,
        languages={name: number(share) for name, share in sampler.languages[BENIGN].items()},
        max_loss=number(goal.benign.max_loss),
        corpus=identity(system, BENIGN, sampler.probes[BENIGN]),
    )
    return Plan(
        system=fingerprint,
        alpha=number(goal.alpha),
        multiplicity=goal.multiplicity,
        joint=goal.joint,
        hazards=tuple(hazards_planned),
        hunts=tuple(planned_hunts(system, sampler)),
        benign=benign,
        remedies=tuple(remedies),
        pairs=goal.pairs,
        selection_pairs=goal.selection_pairs,
        max_added_latency_ms=number(goal.max_added_latency_ms),
        max_added_tokens=None if goal.max_added_tokens is None else number(goal.max_added_tokens),
        seed=goal.seed,
        limits=Limits(queries=goal.limits.queries, tokens=goal.limits.tokens, seconds=goal.limits.seconds),
        judging_alpha=registered.alpha,
        registered_at=registered_at,
        software=software,
    )


def judges_of(system: System, sampler: Sampler) -> Registered:
    """What the plan registers of the judges. Raises AskerError where one cannot judge what it is named for."""
    asked = {
        slug: Asked(
            scorer=scorer_for(probe.scorer).identity,
            attacks=frozenset(sampler.attacks[slug]),
            languages=frozenset(sampler.languages[slug]),
        )
        for slug, probe in sampler.probes.items()
    }
    goal = system.description.assurance
    return register(system, goal.alpha / 2 if goal.joint else goal.alpha, asked)


def _judged_cap(judging: Judging, design: HazardDesign, alpha: float, hazards: int) -> int:
    """Queries after which a judged hazard is left inconclusive. Where its rate is not identifiable none decide it."""
    if not judging.identifiable:
        return min(design.cap, UNDECIDABLE_CAP)
    if judging.calibration is None:
        return design.cap
    sensitivity, alarms = judging.expected()
    low, high = (alarms + design.threshold * factor * (sensitivity - alarms) for factor in design.indifference)
    return scored_cap(alpha, hazards, [(design.met_at, low), (design.not_met_at, high)], design.cap)
