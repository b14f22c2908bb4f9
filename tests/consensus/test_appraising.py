"""An organisation's appraisal stands beside the certainty that was derived, and never in its place."""

import pytest
from markupsafe import escape

from aloi.evidence.canonical import digest
from aloi.evidence.vouching import Appraisal, Dispute, Withdrawal
from cli.command import aloi
from consensus.laboratory import AT, HAZARD, about, main_pool, together
from consensus.test_consensus_page import HOSTILE
from consensus.test_consensus_page import page as page_text


def appraisal(by, step="indirectness", change=-1, reason="It serves people who speak Breton.", **more):
    record = Appraisal(
        organisation=by.name, at=AT, hazard=more.get("hazard", HAZARD), step=step, change=change, reason=reason
    )
    return by.says(record, more.get("system", by.source.plan.subject[0]))


@pytest.fixture
def institute(failing):
    """A party that has no result in the pool."""
    return failing


def said(*appraisals, by):
    return [by.organisation("institute.example.org"), *appraisals]


def test_what_was_derived_stays_and_what_is_said_stands_beside_it(four, institute):
    derived = main_pool(together(*four)).certainty
    found = main_pool(together(*four, statements=said(appraisal(institute), by=institute))).certainty
    # no key is trusted that nobody named: the roster lists it
    assert (found.level, found.steps) == (derived.level, derived.steps)
    [one] = found.appraised
    assert (one.by, one.name) == ("institute.example.org", "failing of institute.example.org")
    assert (derived.level, one.level) == ("low", "very low")
    [step] = one.overrides
    assert (step.code, step.change, step.own, step.disputed) == ("indirectness", -1, False, False)


def test_it_takes_the_place_of_the_derived_step_only_in_its_own_reckoning(four, institute):
    up = appraisal(institute, "replication", 1, "We repeated it, and had seen nothing.")
    none = appraisal(institute, "imprecision", 0, "The interval is narrow enough for what is at stake.")
    found = main_pool(together(*four, statements=said(up, none, by=institute))).certainty
    derived = {step.code: step.change for step in found.steps}
    assert (derived["replication"], derived["imprecision"]) == (0, 0)
    assert found.appraised[0].level == "moderate"


def test_who_has_a_result_in_the_pool_is_said_to(four):
    word = [four[0].organisation("north.example.org"), appraisal(four[0], "replication", 1, "We are sure.")]
    [one] = main_pool(together(*four, statements=word)).certainty.appraised
    assert one.overrides[0].own


def test_a_dispute_stands_beside_it_and_a_withdrawal_ends_it(four, institute):
    word = appraisal(institute)
    dispute = four[1].says(Dispute(organisation="x", at=AT, reason="It serves nobody there."), about(digest(word)))
    [one] = main_pool(together(*four, statements=said(word, dispute, by=institute))).certainty.appraised
    assert one.overrides[0].disputed
    gone = institute.says(
        Withdrawal(organisation="x", at=AT, reason="other", text="We were wrong."), about(digest(word))
    )
    assert main_pool(together(*four, statements=said(word, gone, by=institute))).certainty.appraised == ()


def test_about_another_hazard_or_system_it_says_nothing_here(four, institute, other_version):
    other = appraisal(institute, hazard="data-disclosure")
    elsewhere = appraisal(institute, system=other_version.source.plan.subject[0])
    found = together(*four, statements=said(other, elsewhere, by=institute))
    assert main_pool(found).certainty.appraised == ()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_tells_both_and_escapes_what_others_wrote(four, institute, language):
    words = said(appraisal(institute, reason=HOSTILE), by=institute)
    made = page_text(together(*four, statements=words), language)
    assert "institute.example.org" in made
    assert "<img" not in made
    assert str(escape("<img")) in made
    assert {"en": "Appraised otherwise", "fr": "Apprécié autrement"}[language] in made


def test_signed_from_a_shell_and_told_in_the_terminal(tmp_path, four, institute):
    for one in (*four, institute):
        (tmp_path / f"{one.name}.json").write_bytes(one.bundle)
        (tmp_path / f"{one.name}.pub.pem").write_bytes(one.key.public.pem())
    (tmp_path / "institute.pem").write_bytes(institute.key.pem())
    (tmp_path / "institute.pem").chmod(0o600)
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / "organisation.dsse.json").write_bytes(institute.organisation("institute.example.org"))
    words = ("--hazard", HAZARD, "--step", "bias", "--organisation", "Institute", "--key", "institute.pem")
    appraised = aloi(
        "state",
        *("appraise", "north.json", *words, "--change", -1, "--reason", "Its canaries are known."),
        *("--output", "said/appraisal.dsse.json"),
        home=tmp_path,
    )
    assert appraised.code == 0, appraised.err
    system = four[0].source.plan.subject[0].fingerprint
    again = aloi("state", "appraise", system, *words, "--change", 0, "--reason", "x", "--json", home=tmp_path)
    assert again.code == 0, again.err
    told = aloi("verify", "said/appraisal.dsse.json", "--key", f"{institute.name}.pub.pem", home=tmp_path)
    assert "Risk of bias: down 1, says Institute: Its canaries are known." in told.out
    keys = [each for one in four for each in ("--key", f"{one.name}.pub.pem")]
    found = aloi("consensus", *(f"{one.name}.json" for one in four), *keys, "--statements", "said", home=tmp_path)
    assert found.code == 0, found.err
    assert "Certainty: low" in found.out
    line = "Certainty as failing of institute.example.org (institute.example.org) appraises it: very low"
    assert line in found.out
    assert "Risk of bias: down 1. Its canaries are known." in found.out
    for bad in (("--change", 2), ("--change", "x"), ("--change", -1, "--hazard", "nothing")):
        refused = aloi("state", "appraise", system, *words, "--reason", "x", *bad, home=tmp_path)
        assert refused.code == 2
