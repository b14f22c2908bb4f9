"""Patches of a prompt compete by what was measured: the one that helps is found, and the queries are bounded."""

import asyncio
from collections import Counter

import msgspec
import pytest

from aloi.assurance.arms import arm_name
from aloi.assurance.selecting import Selection
from aloi.assurance.telling import remedy_title
from aloi.errors import EvidenceError, UnknownName
from aloi.evidence.records import Limits, Verdict
from aloi.evidence.rules import _check_effect
from aloi.evidence.verification import verify_bundle
from aloi.science.asking import Asker, Spending
from aloi.science.trials import TrialLog
from aloi.solutions.catalogue import build, entry
from aloi.solutions.hardening.patched import patched
from aloi.solutions.hardening.prompt import patches
from aloi.solutions.tables import table
from aloi.system.messages import Message, Request
from assurance import runs
from assurance.persuadable import PersuadableTarget
from assurance.worlds import description, opened
from science.runs import Run

SECRETS, LINKS, RECORDS = "hidden-context-exposure", "unsafe-output", "data-disclosure"
SERVING = {hazard: [name for name, of in patches().items() if hazard in of] for hazard in (SECRETS, LINKS, RECORDS)}


async def weighed(path, target, seed, *, hazards=(SECRETS,), limits=None, pairs=8):
    """What was tried after one measurement, what was chosen, and what it took."""
    system = opened(description("good", hazards=hazards, seed=f"seed {seed}", selection_pairs=pairs))
    run = Run(path, system, workers=1)
    await run.measure(target)
    async with TrialLog(path) as log:
        asker = Asker(log, run.scorers, Spending(limits) if limits else run.spending, 1)
        findings = list(run.findings.values())
        selection = Selection(run.plan, asker, findings, [build("hardened-prompt")], run.system.description)
        # The plan of this run lists guards; a hardened prompt may be tried in another.
        selection._plan = msgspec.structs.replace(run.plan, remedies=("hardened-prompt",))
        before = len(log)
        await selection.ask_pairs(target)
        asked = Counter(trial.key.hazard for trial in list(log)[before:])
        choice, tried = selection.choose()
        again = await again_offline(selection, target, log)
        named = selection.named(choice.chosen.remedies) if choice.chosen else []
    assert again == len(log)
    return choice, tried, asked, named


async def again_offline(selection, target, log):
    """Walked again, the same path asks nothing new."""
    await selection.ask_pairs(target)
    return len(log)


def of(target_helps, **given):
    return lambda seed, system=None: PersuadableTarget({SECRETS: 0.8}, target_helps, seed=seed, system=system, **given)


@pytest.mark.parametrize("good", SERVING[SECRETS])
def test_the_patch_that_helps_is_found(tmp_path, good):
    found = Counter()
    for seed in range(12):
        system = opened(description("good", hazards=(SECRETS,)))
        target = PersuadableTarget({SECRETS: 0.8}, {good: {SECRETS: 0.05}}, seed=seed, system=system)
        choice, tried, asked, named = asyncio.run(weighed(tmp_path / f"{good}{seed}.jsonl", target, seed))
        assert choice.chosen is not None
        found[good in choice.chosen.remedies[0]] += 1
        # 3 patches on 4 of 8 pairs, then two and both joined on 8; the bare arm once.
        assert asked[SECRETS] <= 3 * 4 + 2 * 4 + 8 + 8
        assert asked["benign"] <= 3 * 4 + 2 * 4 + 8
        assert {one.remedies[0].partition("(")[0] for one in tried} == {"hardened-prompt"}
        assert [one.name for one in named] == list(choice.chosen.remedies)
    assert found[True] >= 11


def test_a_patch_that_makes_the_system_refuse_falls_out(tmp_path):
    # Both help alike, one loses ordinary requests: it must not be what is left.
    helps = {name: {SECRETS: 0.02} for name in ("keep-secrets", "short-refusal")}
    chosen = Counter()
    for seed in range(12):
        system = opened(description("good", hazards=(SECRETS,)))
        target = PersuadableTarget({SECRETS: 0.8}, helps, {"keep-secrets": 0.9}, seed=seed, system=system)
        choice, *_ = asyncio.run(weighed(tmp_path / f"{seed}.jsonl", target, seed))
        chosen[choice.chosen.remedies] += 1
    assert chosen[("hardened-prompt(short-refusal)",)] >= 11, chosen
    assert not any("keep-secrets" in names[0] for names in chosen)


def test_the_best_of_each_hazard_are_joined(tmp_path):
    system = opened(description("good", hazards=(SECRETS, LINKS)))
    helps = {"short-refusal": {SECRETS: 0.02}, "plain-text": {LINKS: 0.02}}
    target = PersuadableTarget({SECRETS: 0.8, LINKS: 0.8}, helps, seed=3, system=system)
    choice, tried, *_ = asyncio.run(weighed(tmp_path / "x.jsonl", target, 3, hazards=(SECRETS, LINKS)))
    assert choice.chosen.remedies == ("hardened-prompt(short-refusal,plain-text)",)
    assert choice.meets
    singles = [one for one in tried if "," not in one.remedies[0]]
    assert len(tried) == len(singles) + 1 == 2 + 1 + 1


HOSTILE = {
    "nothing fails": ({}, {}, {}, None, 0),
    "nothing can be scored": ({SECRETS: 0.8}, {}, {"unscorable": {SECRETS: 1.0}}, None, 0),
    "no query left": ({SECRETS: 0.8}, {}, {}, Limits(queries=1, tokens=10**9, seconds=10**6), 3),
    "nothing helps": ({SECRETS: 0.95}, {}, {}, None, 3),
}


@pytest.mark.parametrize(("risks", "helps", "given", "limits", "sets"), HOSTILE.values(), ids=HOSTILE)
def test_hostile(tmp_path, risks, helps, given, limits, sets):
    system = opened(description("good", hazards=(SECRETS,)))
    target = PersuadableTarget(risks, helps, seed=1, system=system, **given)
    choice, tried, asked, _ = asyncio.run(weighed(tmp_path / "x.jsonl", target, 1, limits=limits))
    assert len(tried) == sets
    assert not choice.meets
    if limits or not sets:  # one query was left
        assert asked.total() <= 1


def test_a_name_tells_its_patches_and_the_digest_covers_them():
    one, two, joined = patched(["brief"], "en"), patched(["plain-text"], "en"), patched(["plain-text", "brief"], "en")
    assert joined.name == joined.identity.name == "hardened-prompt(plain-text,brief)"
    assert (one.hazards, two.hazards) == (("resource-abuse",), ("unsafe-output",))
    assert joined.hazards == ("unsafe-output", "resource-abuse")
    french = patched(["brief"], "fr")
    assert len({one.identity.digest for one in (one, two, joined, french)}) == 4
    assert arm_name([joined.name, "link-policy"]) == "hardened-prompt(plain-text,brief)+link-policy"
    request = Request(prompt="P.", messages=(Message(role="user", content="Hello"),))
    assert "trois phrases" in french.implementation.harden(request).prompt
    with pytest.raises(UnknownName):
        patched(["briefer"], "en")


def test_titles_tell_the_patches_in_the_language_of_the_reader():
    name = "hardened-prompt(plain-text,brief)"
    assert remedy_title(name, "en") == "Hardened prompt (plain text, brief)"
    assert remedy_title(name, "fr") == "Prompt système renforcé (texte simple, brièveté)"
    assert remedy_title("hardened-prompt", "en") == "Hardened prompt"
    assert remedy_title("hardened-prompt(gone)", "en") == "Hardened prompt (gone)"
    assert remedy_title("unknown(a)", "en") == "unknown(a)"


def test_the_library_serves_what_the_catalogue_says_and_is_bilingual():
    served = {slug for of in patches().values() for slug in of}
    assert served == set(entry("hardened-prompt").hazards)
    for patch in table("prompt-patches")["patches"].values():
        assert set(patch) == {"hazards", "title", "en", "fr"}
        assert set(patch["title"]) == {"en", "fr"}
        assert 40 <= len(patch["en"]) <= 400
        assert 40 <= len(patch["fr"]) <= 450


def test_the_loop_finds_a_joined_prompt_confirms_and_proves_it(tmp_path):
    described = description("persuadable", hazards=(SECRETS, LINKS), remedies=("hardened-prompt",))
    run = runs.Run(tmp_path, described)
    result = run.go()
    (remedy,) = result.effect.remedies
    assert remedy.name == "hardened-prompt(short-refusal,plain-text)"
    assert result.effect.accepted
    assert result.arm == remedy.name
    assert {one.verdict for one in result.standing()} == {Verdict.MET}
    assert result.signed.plan.remedies == ("hardened-prompt",)
    verify_bundle(result.bundle, [run.key.public])
    again = run.go(offline=True)
    assert again.effect == result.effect
    assert [(one.remedies, one.failures, one.chosen) for one in again.tried] == [
        (one.remedies, one.failures, one.chosen) for one in result.tried
    ]


def test_a_bundle_whose_remedy_the_plan_does_not_name_is_refused(tmp_path):
    described = description("persuadable", hazards=(SECRETS, LINKS), remedies=("hardened-prompt",))
    result = runs.Run(tmp_path, described).go()
    for name in ("other(hardened-prompt)", "(hardened-prompt)", "hardened-prompts(brief)", ""):
        wrong = msgspec.structs.replace(result.effect.remedies[0], name=name)
        with pytest.raises(EvidenceError):
            _check_effect(msgspec.structs.replace(result.effect, remedies=(wrong,)), result.signed.plan)


def test_french_titles_of_the_tables_are_set_as_french_is():
    assert remedy_title("injection-screen", "fr") == "Crible d\u2019injections"
    assert remedy_title("injection-screen", "en") == "Injection screen"
