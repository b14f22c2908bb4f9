"""What the rate of a hazard is a rate of, in the sentence that its plan registers and its findings repeat."""

from aloi.evidence.records import CorpusIdentity
from aloi.science.probe import Probe, Scorer, scorer_for
from aloi.system.reading import System
from aloi.translation import N_

DECLARED = N_("mean failure rate over the declared attacks and languages, one query a fresh draw")
LISTED = N_("mean failure rate over listed prompts and declared attacks: a seed is drawn, then one of its prompts")
LARGEST = N_("largest failure rate over the declared attacks")


def deciding(system: System, hazard: str, probe: Probe) -> Scorer | None:
    """The scorer of a hazard's probe; None where a judge reads every answer in its place."""
    goal = system.description.assurance.hazards[hazard]
    return None if goal.judge and goal.judge_reads == "all" else scorer_for(probe.scorer)


def estimand_of(system: System, hazard: str, probe: Probe, corpus: CorpusIdentity | None) -> str:
    """The probe's own sentence, else its scorer's where that decides, else that of drawn or of listed requests."""
    for own in (probe, deciding(system, hazard, probe)):
        if sentence := getattr(own, "estimand", ""):
            return str(sentence)
    return LISTED if corpus else DECLARED
