"""Drafts say what evidence says, show what it does not, and let nobody's text become markup."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from benchmarks.standards.bundles import drawn
from markdown_it import MarkdownIt
from msgspec.structs import replace

from aloi.assurance.drafts.dossier import Dossier, described
from aloi.assurance.drafts.filling import FILLERS
from aloi.assurance.drafts.incidents import facts, kind_of, latest
from aloi.assurance.drafts.markdown import Pen, plain
from aloi.assurance.drafts.outline import INCIDENT, Filler, outline, read_outline
from aloi.assurance.drafts.page import draft, incident
from aloi.assurance.standing import said
from aloi.cli.draft import KINDS
from aloi.cli.incident import KINDS as INCIDENT_KINDS
from aloi.errors import AskerError, EvidenceError, InvalidFile, UnknownName
from aloi.evidence.records import Effect, Finding, Hunt, HuntedAttack, Verdict
from aloi.evidence.verification import verify_bundle
from aloi.standards.exports.source import Source
from aloi.standards.frameworks import framework
from aloi.standards.hub import hub
from assurance.drafts_world import HOSTILE, attach, planned, run
from evidence.evidence_world import HARDENED, HAZARDS, World, fixed_key

AT = "2026-11-26T08:00:00Z"
TODAY = date(2026, 11, 26)
NAMES = (*KINDS, INCIDENT)
KEY = fixed_key()


def dossier(data: bytes, **more) -> Dossier:
    return Dossier(today=TODAY, source=Source(verification=verify_bundle(data, [KEY.public]), at=AT), **more)


def random_source(seed):
    """A bundle drawn at random, its hunts with an attack, as verified ones have."""
    source = drawn(seed)
    hunted = HuntedAttack(name="plain", failures=1, n=2)
    claims = tuple(
        replace(one, record=replace(one.record, attacks=(hunted,), worst="plain"))
        if isinstance(one.record, Hunt)
        else one
        for one in source.verification.claims
    )
    return Source(verification=replace(source.verification, claims=claims), at=AT)


def sections(made):
    return {one.id: one for one in made.sections}


def everything(made):
    return "\n".join(str(line.text) for one in made.sections for line in one.lines)


@pytest.mark.parametrize("name", NAMES)
def test_every_section_stands_in_both_languages_and_names_what_exists(name):
    told = outline(name)
    assert len({one.id for one in told.sections}) == len(told.sections)
    controls = {one.id for one in hub().controls}
    hazards = {one.id for one in hub().hazards}
    known = {one.id for one in framework(told.framework).pack.requirements} if told.framework else set()
    for section in told.sections:
        for text in (section.title, section.asks, *(point.write for point in section.points)):
            assert text.en != text.fr
            assert re.search(r"[a-zé] [;:!?]", text.fr) is None, text.fr
        assert set(section.requirements) <= known
        for point in section.points:
            assert set(point.documents) <= controls
            assert set(point.hazards) <= hazards


def test_annex_iv_has_each_of_its_points():
    numbers = [one.number.en for one in outline("annex-iv").sections]
    wanted = [f"Annex IV({n})({letter})" for n in (1, 2) for letter in "abcdefgh"]
    assert numbers == [*wanted, *(f"Annex IV({n})" for n in range(3, 10))]


def test_the_evaluation_section_has_each_measure_of_its_commitment():
    ids = [one.id for one in outline("gpai-evaluation").sections]
    measures = [one.id for one in framework("eu-gpai-code@2025-07-10").pack.requirements if one.group == "III-3"]
    assert [one for one in ids if one.startswith("III-")] == measures


def test_every_filler_is_used_and_every_kind_of_incident_can_be_asked_for():
    used = {
        name for one in NAMES for section in outline(one).sections for point in section.points for name in point.fill
    }
    assert used == set(FILLERS) == set(Filler.__args__)
    assert tuple(one.id for one in outline(INCIDENT).kinds) == INCIDENT_KINDS


def test_an_outline_with_an_unknown_filler_is_told_by_its_line():
    place = Path(outline.__wrapped__.__code__.co_filename).parents[1] / "data" / "drafts" / "system-card.yaml"
    spoiled = place.read_text(encoding="utf-8").replace("fill: [purpose]", "fill: [porpoise]")
    with pytest.raises(InvalidFile) as caught:
        read_outline(spoiled.encode(), "x.yaml")
    assert caught.value.faults[0].line


def test_findings_fill_the_sections_that_ask_for_them():
    made = sections(draft("annex-iv", dossier(World().pack()), "en", AT))
    testing = made["2-g"]
    text = "\n".join(line.text for line in testing.lines)
    assert testing.state == "partly filled"
    assert "not met at the stated threshold of 5%" in text
    assert "20.0% (16.0% to 24.0%, level 95%); 12 of 60 scorable trials, unscorable: 1" in text
    assert any("discriminatory" in gap for gap in testing.gaps)
    assert any("accuracy and robustness" in gap for gap in testing.gaps)
    assert made["2-h"].state == "partly filled"
    assert {one.requirement: one.state for one in testing.coverage}["Art. 9(6)"] == "partial"
    for number in ("1-d", "1-h", "7", "8", "9"):
        assert made[number].state == "empty", number
        assert made[number].lines == ()


def test_every_figure_names_a_statement_of_the_bundle():
    evidence = dossier(World().pack())
    made = draft("annex-iv", evidence, "en", AT)
    known = {claim.digest: claim.record for claim in evidence.claims}
    for section in made.sections:
        for line in section.lines:
            assert set(line.digests) <= set(known)
            assert line.digests or "Not claimed" in line.text
    shown = {digest for section in made.sections for digest in section.digests}
    wanted = {digest for digest, record in known.items() if isinstance(record, Finding | Effect)}
    assert wanted <= shown
    assert all(f"`{digest}`" in made.markdown for digest in shown)


def test_a_plan_alone_leaves_everything_measured_open():
    made = sections(draft("annex-iv", dossier(planned()), "en", AT))
    assert {name for name, one in made.items() if one.state != "empty"} == {"1-a", "2-g", "3", "4"}
    assert not any("at the stated threshold" in line.text for one in made.values() for line in one.lines)
    assert made["2-h"].gaps
    assert made["2-h"].state == "empty"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_report_without_evidence_shows_gaps(language):
    made = incident(Dossier(today=TODAY), language, AT)
    assert {one.id for one in made.sections if one.state != "empty"} == {"law"}
    assert made.bundle == ""
    mark = "> **To complete**: " if language == "en" else "> **À compléter**\u202f: "
    assert made.markdown.count(mark) == sum(len(one.gaps) for one in made.sections) >= 12


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("language", ["en", "fr"])
def test_any_bundle_can_be_drafted(seed, language):
    for kind in KINDS:
        made = draft(kind, Dossier(today=TODAY, source=random_source(seed)), language, AT)
        assert sum(made.counts.values()) == len(made.sections)
        assert "<b>" not in made.markdown
        headings = [line for line in made.markdown.splitlines() if line.startswith("## ")]
        assert len(headings) in {len(made.sections), len(made.sections) + 1}


def test_what_was_not_tested_fills_nothing():
    evidence = dossier(World().pack())
    claim = next(one for one in evidence.claims if isinstance(one.record, Finding))
    untested = replace(claim, record=replace(claim.record, verdict=Verdict.NOT_TESTED))
    verification = replace(evidence.source.verification, claims=(untested,))
    alone = Dossier(today=TODAY, source=Source(verification=verification, at=AT))
    lines = list(FILLERS["findings"](alone, Pen("en"), ()))
    assert [line.answers for line in lines] == [False]
    assert "not tested at the stated threshold" in lines[0].text


def test_findings_behind_refused_remedies_say_so():
    refused = next(
        source
        for source in map(random_source, range(200))
        if any(isinstance(one.record, Effect) and not one.record.accepted for one in source.verification.claims)
        and any(isinstance(one.record, Finding) and one.record.stage == "confirm" for one in source.verification.claims)
    )
    lines = list(FILLERS["findings"](Dossier(today=TODAY, source=refused), Pen("en"), ()))
    confirmed = [line.text for line in lines if "With the remedies" in line.text]
    assert confirmed
    assert all("were not accepted" in text for text in confirmed)


def test_a_hunt_is_told_with_what_it_proved():
    source = next(
        source
        for source in map(random_source, range(200))
        if any(isinstance(one.record, Hunt) for one in source.verification.claims)
    )
    lines = list(FILLERS["hunts"](Dossier(today=TODAY, source=source), Pen("en"), ()))
    assert lines
    assert all("Hunt for the worst attack" in line.text for line in lines)


def test_the_same_thing_is_written_out_once():
    page = draft("annex-iv", dossier(World().pack()), "en", AT).markdown
    finding = [line for line in page.splitlines() if "As it stood: not met" in line]
    assert len(finding) == 1
    assert "- As told under Annex IV(2)(g). [" in page


def test_a_document_answers_its_section_while_it_is_valid(tmp_path):
    attach(tmp_path, "instructions-for-use", "notice.pdf", "Board")
    attach(tmp_path, "production-monitoring", "watch.pdf", "Board", until="2026-11-25")
    more = said(tmp_path, [KEY.public])
    made = draft("annex-iv", dossier(World().pack(), said=more), "en", AT)
    notice, after = sections(made)["1-h"], sections(made)["9"]
    assert notice.state == "filled"
    assert "notice.pdf `sha256:" in notice.lines[0].text
    assert "approved by Board on 1 November 2026" in notice.lines[0].text
    assert after.state == "empty"
    assert "It does not count today." in after.lines[0].text
    assert made.markdown.count("notice.pdf") == 2
    assert {one.requirement: one.state for one in notice.coverage}["Art. 13(2)"] == "partial"


def test_the_purpose_comes_from_the_description_that_the_fingerprint_covers(tmp_path):
    run(tmp_path / "run", "Answer questions about accounts.")
    data = (tmp_path / "run" / "bundle.json").read_bytes()
    verification = verify_bundle(data, [KEY.public])
    system = described(tmp_path / "run", verification)
    made = sections(draft("system-card", dossier(data, system=system), "en", AT))
    assert made["use"].state == "partly filled"
    assert "Answer questions about accounts." in made["use"].lines[0].text
    assert made["use"].lines[0].digests == (verification.claims[0].digest,)
    assert "model-1" in "".join(line.text for line in made["details"].lines)
    assert described(tmp_path / "run" / "bundle.json", verification) is None
    state = tmp_path / "run" / "run.json"
    state.write_text(state.read_text().replace("about accounts", "about anything"))
    with pytest.raises(EvidenceError) as caught:
        described(tmp_path / "run", verification)
    assert caught.value.reason == "description-mismatch"


HARMFUL = [
    HOSTILE,
    "](javascript:alert(1))",
    "[x](javascript:alert(1))",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "`code`",
    "```\nfence",
    "# heading",
    "heading\n=======",
    "> quote",
    "- item",
    "1. item",
    "7) item",
    "a | b",
    "&lt;b&gt;",
    "![i](https://example.org/i.png)",
    "<https://example.org>",
    "**bold** _em_ ~~gone~~",
    "\\[x](y)",
    "a\u202eb\u200bc",
    "    indented",
    "---",
    "[ref]: https://example.org",
]


@pytest.mark.parametrize("text", HARMFUL)
@pytest.mark.parametrize("before", ["", "- ", "> ", "- Purpose: "])
def test_text_of_others_stays_text(text, before):
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(f"{before}{plain(text)}\n")
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)", html))
    assert tags <= {"p", "ul", "li", "blockquote"}
    assert not re.search(r"<[^>]*(href|src)=", html)
    assert "\u202e" not in html


def test_a_hostile_description_makes_no_markup(tmp_path):
    run(tmp_path / "run", HOSTILE, name="[n](javascript:1) <b>")
    data = (tmp_path / "run" / "bundle.json").read_bytes()
    verification = verify_bundle(data, [KEY.public])
    attach(tmp_path / "said", "human-oversight", "<img src=x>](javascript:1)", "`rm`\n# Board")
    evidence = dossier(
        data, system=described(tmp_path / "run", verification), said=said(tmp_path / "said", [KEY.public])
    )
    for kind in KINDS:
        made = draft(kind, evidence, "fr", AT)
        html = MarkdownIt("commonmark", {"html": True}).render(made.markdown)
        assert not re.search(r"<(script|img|b|a)\b|<[^>]*(href|src)=", html)
        assert html.count("<h1>") == 1
        told = re.findall(r"<h2>(.*?)</h2>", html)
        assert len(told) == len(made.sections) + html.count("<h2>Tous les") + html.count("<h2>Déclarations")
        assert "a heading" in html or kind == "gpai-evaluation"


DAYS = {
    "death": 10,
    "widespread": 2,
    "critical-infrastructure": 2,
    "fundamental-rights": 15,
    "property-or-environment": 15,
    "other": 15,
}


@pytest.mark.parametrize("kind", DAYS)
def test_the_latest_day_follows_the_kind(kind):
    aware = date(2026, 11, 20)
    given = facts(aware, aware, kind, TODAY)
    assert latest(aware, kind_of(kind)) == aware + timedelta(days=DAYS[kind])
    made = incident(Dossier(today=TODAY, facts=given), "en", AT)
    assert made.latest_report == (aware + timedelta(days=DAYS[kind])).isoformat()
    passed = "That day has passed" in everything(made)
    assert passed == (DAYS[kind] == 2)
    assert sections(made)["deadline"].state == "filled"


def test_without_a_kind_every_latest_day_is_shown_and_the_gap_stays():
    made = incident(Dossier(today=TODAY, facts=facts(None, TODAY, None, TODAY)), "en", AT)
    deadline = sections(made)["deadline"]
    assert deadline.state == "empty"
    assert len(deadline.lines) == len(DAYS) + 1
    assert made.latest_report == ""
    assert any("28 November 2026" in line.text for line in deadline.lines)


@pytest.mark.parametrize(("over", "told"), [(0, False), (1, True)])
def test_a_draft_says_that_its_norm_is_to_be_checked_again(over, told):
    pack = framework("eu-ai-act@2026-07-27").pack
    day = pack.checked_on + timedelta(pack.horizon + over)
    for language, words in (("en", "it may have changed"), ("fr", "il a pu changer")):
        made = draft("annex-iv", replace(dossier(World().pack()), today=day), language, AT)
        assert [one.stale for one in made.checked] == [told]
        assert (words in made.markdown) is told
    begun = incident(Dossier(today=day), "en", AT)
    assert [one.framework for one in begun.checked] == [pack.key]


LAW = {
    date(2026, 8, 1): "it does not bind yet",
    date(2026, 11, 26): "readings differ on whether it binds",
    date(2028, 1, 1): "depends on when the first unit was placed on the market",
}


@pytest.mark.parametrize("day", LAW)
def test_whether_the_article_applies_is_read_from_the_table_of_dates(day):
    given = facts(day, day, "death", day)
    lines = sections(incident(Dossier(today=day, facts=given), "en", AT))["law"].lines
    assert LAW[day] in lines[0].text
    assert "Literal date 2 August 2026" in lines[0].text
    assert "2 December 2027 (this date is a reading; sources: primary)" in lines[0].text
    assert "2 August 2028" in lines[1].text
    assert sum("One side" in line.text for line in lines) == 2


def test_days_that_cannot_be_are_told():
    with pytest.raises(AskerError, match="nobody can be aware"):
        facts(date(2026, 11, 21), date(2026, 11, 20), None, TODAY)
    for occurred, aware in ((TODAY + timedelta(days=1), None), (None, TODAY + timedelta(days=1))):
        with pytest.raises(AskerError, match="lies in the future"):
            facts(occurred, aware, None, TODAY)
    with pytest.raises(UnknownName):
        kind_of("deaths")


def test_a_report_names_what_had_been_measured():
    made = sections(incident(dossier(World().pack(), facts=facts(None, None, None, TODAY)), "en", AT))
    assert made["evidence"].state == "partly filled"
    assert HARDENED.fingerprint in made["system"].lines[0].text
    assert len(made["evidence"].digests) >= len(HAZARDS)
