"""The registry's pages, asked of a server: what they tell, in both languages, and that nothing foreign is markup."""

import re
from html import unescape
from pathlib import Path

import pytest
from log_room import OTHER, SUBMITTER, SYSTEM
from server_room import SETTINGS, serving, settle

from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.keys import load
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import STATEMENT, Commitment, Dispute, Endorsement, Withdrawal
from aloi.registry.log import Log
from aloi.science.hazards import hazard_title
from evidence.evidence_world import HAZARDS, finding, plan
from evidence.vouching_world import KEY, beside

HOSTILE = "<img src=x onerror=alert(1)>\u202e\u0007'\"&{{ 7*7 }}</pre>"
AT = "2026-11-26T10:00:00Z"
BROWSER = {"Accept": "text/html,application/xhtml+xml"}
REPORT_CSS = Path(__file__).parents[2] / "src/aloi/assurance/report/templates/report.css"
STYLE = Path(__file__).parents[2] / "src/aloi/registry/server/pages/style.css"


def said(record, *subjects, by=SUBMITTER, under=None):
    return dsse.write(dsse.sign(state(record, subjects or (SYSTEM,), plan=under), by))


def of(envelope):
    return Subject.of(STATEMENT, digest(envelope))


PLAN = said(plan())
FINDING = said(finding(HAZARDS[0]), under=digest(state(plan(), [SYSTEM])))
DISPUTE = said(Dispute(organisation="Company", at=AT, reason=HOSTILE), of(FINDING), by=OTHER)
REPLY = said(Dispute(organisation="Institute", at=AT, reason="They were drawn afresh."), of(DISPUTE))
ENDORSED = said(Endorsement(organisation="Company", at=AT), of(PLAN), by=OTHER)
WRONG = said(finding(HAZARDS[1]), under=digest(state(plan(), [SYSTEM])))
TAKEN = said(
    Withdrawal(organisation="Institute", at=AT, reason="error-in-data", text="A third was asked twice."), of(WRONG)
)
STRANGE = said(
    Withdrawal(organisation="Company", at=AT, reason="other", text="We do not like it."), of(FINDING), by=OTHER
)
ODD = Subject.of(HOSTILE, "sha256:" + "b2" * 32)
NAMED = said(Commitment(organisation=HOSTILE, at=AT, commitment=bytes(32)), ODD)
EVERY = (PLAN, FINDING, DISPUTE, REPLY, ENDORSED, WRONG, TAKEN, STRANGE, NAMED)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return settle(tmp_path_factory.mktemp("pages"), SETTINGS.replace("    per_hour: 6\n", ""))


@pytest.fixture(scope="module")
def served(file):
    with serving(file) as registry:
        assert registry.publish(*EVERY).status == 200
        yield registry


def text(page):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def page(served, path, **headers):
    answer = served.get(path, **headers)
    return answer.status, answer.body.decode()


def test_a_browser_sees_the_front_page_and_a_program_its_json(served):
    assert served.get("/").json()["name"] == "registry.example.org/log"
    assert served.get("/", Accept="*/*").headers["content-type"].startswith("application/json")
    shown = served.get("/", **BROWSER)
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "accept" in shown.headers["vary"]
    assert shown.body == served.get("/pages").body
    told = text(shown.body.decode())
    for each in ("registry.example.org/log", f"Entries {len(EVERY)}", "Institute · 1", "Recent entries", "Finding"):
        assert each.replace(" · 1", "") in told
    assert load(served.folder / "log.pem").public is not None
    assert "None is asked: that everybody sees the same log is its own word." in told


def test_a_subject_with_both_sides_of_its_disputes(served):
    status, shown = page(served, f"/pages/subject/{SYSTEM.fingerprint}")
    assert status == 200
    told = text(shown)
    assert f"Of {len(EVERY)} entries of this log, {len(EVERY) - 1} are about it" in told
    assert "WITHDRAWN by Institute" in told
    assert "Taken back for an error in the data: A third was asked twice." in told
    assert "DISPUTED by Company" in told
    assert "Reply by Institute" in told
    assert told.index("onerror=alert(1)") < told.index("They were drawn afresh.")
    assert "Endorsed by" in told
    assert "Its plan was logged before it." in told
    assert "who speaks did not make the statement that they speak of" in told
    assert f'href="../../lookup/{SYSTEM.fingerprint}"' in shown
    assert f"aloi lookup {SYSTEM.fingerprint}" in told


def test_a_withdrawn_finding_counts_for_its_plan_and_is_marked(served):
    _, shown = page(served, f"/pages/subject/{SYSTEM.fingerprint}")
    [article] = re.findall(r'<article class="statement withdrawn">.*?</article>', shown, re.DOTALL)
    assert hazard_title(HAZARDS[1], "en") in unescape(article)
    [disputed] = re.findall(r'<article class="statement disputed">.*?</article>', shown, re.DOTALL)
    assert hazard_title(HAZARDS[0], "en") in unescape(disputed)


def test_an_entry_with_what_was_signed(served):
    status, shown = page(served, "/pages/entry/1")
    assert status == 200
    told = text(shown)
    assert "Entry 1 Finding" in told
    assert '"predicateType": "https://aloi.dev/predicate/finding/v2"' in told
    for link in ("envelope/1", "entry/1", "proof/1", "pages/entry/0", "pages/entry/2"):
        assert f'href="../../{link}"' in shown
    assert digest(FINDING) in shown


def test_every_link_of_every_page_leads_somewhere(served):
    seen, open_ = set(), ["/pages", "/pages?lang=fr"]
    while open_:
        path = open_.pop()
        seen.add(path)
        status, shown = page(served, path)
        assert status == 200, path
        base = path.split("?")[0].rsplit("/", 1)[0]
        for link in re.findall(r'(?:href|action)="([^"#]+)"', shown):
            if link.startswith("?"):
                target = path.split("?")[0] + link.replace("&amp;", "&")
            else:
                parts = [*base.split("/"), *link.split("/")]
                where = []
                for part in parts:
                    if part == "..":
                        where.pop()
                    elif part not in {".", ""}:
                        where.append(part)
                target = "/" + "/".join(where)
            if target.startswith("/pages/subject") and "sha256" not in target:
                continue
            answer = served.get(target)
            assert answer.status == 200, (path, link)
            if target not in seen and target not in open_ and answer.headers["content-type"].startswith("text/html"):
                open_.append(target)
    assert len(seen) > 2 * len(EVERY)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_foreign_is_markup(served, language):
    paths = ["/pages", f"/pages/subject/{SYSTEM.fingerprint}", f"/pages/subject/{ODD.fingerprint}"]
    paths += [f"/pages/entry/{index}" for index in range(len(EVERY))]
    for path in paths:
        _, shown = page(served, f"{path}?lang={language}")
        assert "<img" not in shown, path
        assert "\u202e" not in shown
        assert "\u0007" not in shown
        assert "49" not in re.findall(r"&#34;&amp;(\d*)", shown)
    _, shown = page(served, f"/pages/subject/{ODD.fingerprint}")
    assert "&lt;img src=x" in shown
    assert "⟨U+202E⟩" in shown


HOSTILE_PATHS = {
    "/pages/subject/sha256:" + "0" * 63: 400,
    "/pages/subject/%3Cscript%3E": 400,
    "/pages/subject/..%2f..%2fetc%2fpasswd": 404,
    "/pages/subject?digest=%3Cimg%20src=x%3E%E2%80%AE": 400,
    "/pages/subject": 400,
    "/pages/entry/-1": 400,
    "/pages/entry/1e3": 400,
    "/pages/entry/99999999999999999999": 400,
    "/pages/entry/999999": 404,
    "/pages/style.css/": 404,
    "/pages/templates/page.html": 404,
    "/pages/../registry.yaml": 404,
    "/pages/nothing?lang=%22%3E%3Cscript%3E": 404,
}


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_hostile_addresses(served, path):
    answer = served.get(path, Accept_Language="fr")
    assert answer.status == HOSTILE_PATHS[path]
    shown = answer.body.decode()
    assert "<img" not in shown
    assert "<script" not in shown
    assert "\u202e" not in shown
    if answer.headers["content-type"].startswith("text/html"):
        assert '<html lang="fr">' in shown


def test_headers_allow_one_sheet_and_nothing_else(served):
    for path in ("/pages", f"/pages/subject/{SYSTEM.fingerprint}", "/pages/entry/0", "/pages/entry/99"):
        answer = served.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy == (
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        shown = answer.body.decode()
        assert "<script" not in shown
        assert " style=" not in shown
        assert "<style" not in shown
    sheet = served.get("/pages/style.css")
    assert sheet.headers["content-type"].startswith("text/css")
    assert "url(" not in sheet.body.decode()


def test_the_language_is_the_readers_or_the_one_that_is_asked_for(served):
    _, shown = page(served, "/pages", Accept_Language="fr-FR,fr;q=0.9,en;q=0.8")
    assert '<html lang="fr">' in shown
    assert "Entrées récentes" in text(shown)
    _, shown = page(served, "/pages?lang=en", Accept_Language="fr")
    assert '<html lang="en">' in shown
    assert 'href="./pages/entry/0?lang=en"' in shown
    _, shown = page(served, f"/pages/subject/{SYSTEM.fingerprint}?lang=fr")
    assert "RETIRÉ" in shown
    assert "qui parle n\N{RIGHT SINGLE QUOTATION MARK}a pas fait la déclaration dont il parle" in text(shown)


def test_that_nothing_is_known_is_told(served):
    status, shown = page(served, "/pages/subject?digest=sha256:" + "0" * 64)
    assert status == 200
    assert f"None of the {len(EVERY)} entries of this log is about it." in text(shown)


def test_what_was_erased_is_told_where_it_was(tmp_path):
    file = settle(tmp_path / "registry", SETTINGS.replace("    per_hour: 6\n", ""))
    with serving(file) as served:
        assert served.publish(PLAN, FINDING).status == 200
        log = Log.open(
            f"sqlite:///{file.parent / 'registry.db'}", load(file.parent / "log.pem"), "registry.example.org/log"
        )
        log.erase(1, HOSTILE)
        log.close()
        for path in ("/pages/entry/1", f"/pages/subject/{SYSTEM.fingerprint}", "/pages"):
            status, shown = page(served, path)
            assert status == 200
            assert "erased" in text(shown)
            assert "<img" not in shown


def test_every_kind_of_statement_has_a_page(tmp_path):
    settings = SETTINGS.replace("    per_hour: 6\n", "")
    file = settle(tmp_path / "registry", settings)
    (file.parent / "other.pub.pem").write_bytes(KEY.public.pem())
    every = [dsse.write(each) for each in beside().values()]
    with serving(file) as served:
        assert served.publish(*every).status == 200
        for index, name in enumerate(beside()):
            for language in ("en", "fr"):
                status, shown = page(served, f"/pages/entry/{index}?lang={language}")
                assert status == 200, name
                assert "{" not in text(shown.split("<pre")[0]), name


def test_the_sheet_has_the_colours_and_letters_of_the_report():
    def tokens(path):
        return re.findall(r"--[a-z]+: [^;]+;", path.read_text(encoding="utf-8"))

    assert tokens(STYLE) == tokens(REPORT_CSS)


def test_a_page_that_would_be_too_long_says_so(tmp_path):
    from log_room import KEYS, ORIGIN, WRITER, envelopes

    from aloi.registry.server.pages.subject import MOST, read_subject
    from aloi.registry.server.requests import Refused
    from aloi.registry.server.submitters import Speaking

    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}", WRITER, ORIGIN)
    log.append(envelopes(0, MOST), KEYS)
    speaking = (Speaking("Institute", "", KEYS, ()),)
    assert len(read_subject(log, SYSTEM.fingerprint, speaking).entries) == MOST
    log.append(envelopes(MOST, MOST + 1), KEYS)
    with pytest.raises(Refused) as caught:
        read_subject(log, SYSTEM.fingerprint, speaking)
    assert (caught.value.status, caught.value.reason) == (413, "answer-too-large")
    log.close()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_hazards_have_their_names(served, language):
    for entry in (0, 1):
        told = text(page(served, f"/pages/entry/{entry}?lang={language}")[1].partition("<pre")[0])
        assert hazard_title(HAZARDS[0], language) in told
        assert HAZARDS[0] not in told
