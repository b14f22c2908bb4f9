"""Tell a run to people: gather the story, and write the report in each language."""

import os
import platform
import re
from pathlib import Path

import msgspec

from aloi.assurance.arms import BASE
from aloi.assurance.confirming import bare
from aloi.assurance.folder import RunFolder, write_whole
from aloi.assurance.loop import Result, now
from aloi.assurance.report.page import render
from aloi.assurance.story import Story, TighterThreshold, Transcript
from aloi.evidence.canonical import digest
from aloi.evidence.publickeys import PublicKey
from aloi.science.asking import rescoring
from aloi.science.hazards import hazard_title
from aloi.science.items import Failed, NotScored, Outcome
from aloi.science.probe import Scorer
from aloi.science.trials import LogStage, Trial, TrialLog
from aloi.solutions.catalogue import entries
from aloi.solutions.hardening.prompt import patch_title
from aloi.standards.frameworks import framework
from aloi.statistics.design import expected_queries
from aloi.system.messages import Message, Response
from aloi.translation import LANGUAGES, typeset

TIGHTER = (0.05, 0.02, 0.01, 0.001)
TRANSCRIPTS_EACH = 6
TRAIL = 600  # characters of one step
# The whole digest stands in the fingerprint; a person reads its first figures.
DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


def tell_story(result: Result, folder: RunFolder, signer: PublicKey, log: TrialLog) -> Story:
    """All that a run found, for a person. `log` is the run's open log of trials."""
    description = result.system.description
    plan = result.signed.plan
    thresholds = {float(entry.threshold) for entry in plan.hazards}
    return Story(
        title=description.title,
        name=description.name,
        owner=description.owner,
        purpose=description.purpose,
        model=DIGEST.sub(r"\1…", result.system.model),
        languages=description.languages,
        before=result.before,
        after=result.after,
        run=folder.path.name,
        finished_at=now(),
        software=plan.software,
        machine=machine(),
        plan=plan,
        plan_digest=result.signed.digest,
        findings=result.findings,
        remaining=result.remaining(),
        benign=result.benign,
        hunts=result.hunts,
        tried=result.tried,
        effect=result.effect,
        coverage=result.coverage,
        costs=result.costs,
        transcripts=tuple(transcripts(result, log)),
        tighter=tuple(
            TighterThreshold(
                threshold=t, queries=expected_queries(t, 0.0, float(plan.error_each_way), len(plan.hazards))
            )
            for t in TIGHTER
            if t < min(thresholds)
        ),
        stopped_by=result.stopped_by,
        bundle=folder.bundle.name,
        bundle_digest=digest(result.bundle),
        signer=signer.id,
        verify_command=f"aloi verify {folder.bundle.name} --key {folder.public_key.name}",
    )


def machine() -> str:
    """The size of this machine, for the figures of time."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB"


def transcripts(result: Result, log: TrialLog) -> list[Transcript]:
    """A few trials of each hazard and of the ordinary requests, in the order drawn: failures first, then the rest."""
    told = []
    stages: list[tuple[LogStage, str]] = [("measure", BASE), ("hunt", BASE)]
    if result.effect:
        stages.append(("confirm", result.arm))
    plan = result.signed.plan
    names = [*(entry.hazard for entry in plan.hazards), "benign"]
    log.rescored = rescoring(result.scorers)
    for name in names:
        scorer = result.scorers[name]
        for stage, arm in stages:
            trials = sorted(log.trials(stage, name, arm), key=lambda trial: not isinstance(trial.outcome, Failed))
            told += [_transcript(trial, log, scorer) for trial in trials[:TRANSCRIPTS_EACH]]
    return told


def _transcript(trial: Trial, log: TrialLog, scorer: Scorer) -> Transcript:
    answer, before, remedied = trial.response, trial.outcome, None
    if trial.key.arm != BASE:
        remedied = trial.response
        answer, before = bare(trial, log, scorer)
    return Transcript(
        hazard=trial.key.hazard,
        stage=trial.key.stage,
        language=trial.item.language,
        attack=trial.item.attack,
        question=_asked(trial),
        documents=tuple(document.text for document in trial.item.request.documents),
        before=answer.text if answer else None,
        before_failed=_failed(before),
        after=remedied.text if remedied else None,
        after_failed=_failed(trial.outcome) if trial.key.arm != BASE else None,
        before_trail=_trail(answer),
        after_trail=_trail(remedied),
        decisions=remedied.decisions if remedied else (),
    )


def _asked(trial: Trial) -> str:
    """What the user first said, or what a model that plays attacker was after; later turns stand in the trail."""
    messages = trial.item.request.messages
    return messages[-1].content if messages else trial.item.goal


def _trail(response: Response | None) -> tuple[Message, ...]:
    """What was said and done before the last answer, long texts cut: the log holds them whole."""
    earlier = response.earlier if response else ()
    return tuple(
        msgspec.structs.replace(
            message,
            content=_cut(message.content),
            tool_calls=tuple(msgspec.structs.replace(c, arguments=_cut(c.arguments)) for c in message.tool_calls),
        )
        for message in earlier
    )


def _cut(text: str) -> str:
    return text if len(text) <= TRAIL else text[:TRAIL] + "…"


def _failed(outcome: Outcome) -> bool | None:
    return None if isinstance(outcome, NotScored) else isinstance(outcome, Failed)


def write_reports(story: Story, folder: RunFolder) -> dict[str, Path]:
    """The report in each language, in the run's folder."""
    for language in LANGUAGES:
        page = render(
            story,
            language,
            titles=_requirement_title,
            framework_title=lambda key, reader: framework(key).pack.title.said(reader),
            hazard_title=hazard_title,
            remedy_title=remedy_title,
            unconfirmed=lambda key, reader: tuple(one.said(reader) for one in framework(key).pack.doubts()),
            doubtful=lambda key: framework(key).pack.doubtful(),
        )
        write_whole(folder.report(language), page.encode())
    return {language: folder.report(language) for language in LANGUAGES}


def remedy_title(name: str, language: str) -> str:
    """A remedy's title, with its patches where they were chosen by measuring; the name itself where it is unknown."""
    family, _, chosen = name.partition("(")
    known = entries()
    if family not in known:
        return name
    title = typeset(known[family].title[language], language)
    told = ", ".join(
        typeset(patch_title(one, language), language) for one in chosen.removesuffix(")").split(",") if one
    )
    return f"{title} ({told})" if told else title


def _requirement_title(key: str, requirement: str, language: str) -> str:
    pack = framework(key).pack
    found = {entry.id: pack.told(entry, language) for entry in pack.requirements}
    return found.get(requirement, requirement)
