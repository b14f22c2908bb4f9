"""The judges of a system, opened for a run, and the scorers that rest on them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aloi.evidence.records import PERSON
from aloi.science.judging.judge import Judge, RuleJudge
from aloi.science.judging.judged import Chain, Judged, Words
from aloi.science.judging.model import EmbeddingJudge, ModelJudge
from aloi.science.judging.prompting import Briefing, criteria_for
from aloi.science.judging.registering import better, scorer_of
from aloi.science.probe import Scorer, scorer_for
from aloi.science.sampling import Sampler
from aloi.system.description import JudgeDescription
from aloi.system.embedding import open_embedder
from aloi.system.reading import System
from aloi.system.target import target_kind


def judged_hazards(system: System) -> dict[str, str]:
    """The judge of each hazard that has one."""
    return {slug: goal.judge for slug, goal in system.description.assurance.hazards.items() if goal.judge}


def scorers_for(
    system: System, sampler: Sampler, words: Words | None, judges: Mapping[str, Judge] | None = None
) -> dict[str, Scorer]:
    """The scorer of every hazard and of the ordinary requests. Without `judges` what they said is read, no more."""
    scorers = {name: scorer_for(probe.scorer) for name, probe in sampler.probes.items()}
    for hazard, name in judged_hazards(system).items():
        assert words is not None
        goal = system.description.assurance.hazards[hazard]
        exact = scorers[hazard] if goal.judge_reads == "passed" else None
        scorers[hazard] = Judged(scorer_of(system, hazard), chain_of(system, name), words, exact=exact, judges=judges)
    return scorers


def chain_of(system: System, name: str) -> Chain:
    """Who reads an answer after whom."""
    goal = system.description.assurance
    audit = 0.0 if name == PERSON else goal.judges[name].audit
    return Chain(judge=name, escalates_to=better(system, name), audit=audit, seed=goal.seed)


@asynccontextmanager
async def open_judges(system: System, hazards: Mapping[str, str]) -> AsyncIterator[dict[str, Judge]]:
    """Every judge that rates one of `hazards` (their judges, by hazard), ready to be asked, for the length of a run."""
    named = [name for first in dict.fromkeys(hazards.values()) for name in (first, better(system, first))]
    judges: dict[str, Judge] = {}
    async with AsyncExitStack() as stack:
        for name in dict.fromkeys(name for name in named if name and name != PERSON):
            described = system.description.assurance.judges[name]
            judges[name] = await _open(system, name, described, hazards, stack)
        yield judges


async def _open(
    system: System, name: str, described: JudgeDescription, hazards: Mapping[str, str], stack: AsyncExitStack
) -> Judge:
    if described.kind == "scorer":
        return RuleJudge(scorer_for(described.scorer))
    assert described.target is not None
    if described.kind == "embeddings":
        embedder = await stack.enter_async_context(open_embedder(described.target))
        return await EmbeddingJudge.trained(embedder, system.exemplars[name])
    target = await stack.enter_async_context(target_kind(described.target).open(described.target))
    rated = [hazard for hazard, first in hazards.items() if name in {first, better(system, first)}]
    briefings = {
        hazard: Briefing(
            criteria=criteria_for(hazard, described.criteria, name),
            shows_prompt=described.shows_prompt,
            seed=system.description.assurance.seed,
        )
        for hazard in rated
    }
    return ModelJudge(target, briefings, described.target.max_tokens)
