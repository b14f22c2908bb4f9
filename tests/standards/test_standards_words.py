"""What organisations say of mapping rows, what people attach, and that neither says more than it does."""

from datetime import date

import msgspec
import pytest
from standards_world import finding, shipped

from aloi.errors import AskerError, EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical
from aloi.evidence.keys import PrivateKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Dispute, Endorsement
from aloi.standards.attaching import LIMIT, attach, read_attachment
from aloi.standards.coverage import cover
from aloi.standards.endorsing import read_word, row_words, sign_word, standing
from aloi.standards.hub import hub
from aloi.standards.judging import judge
from aloi.standards.mapping import row_digest

OWASP, EU = shipped("owasp-llm@2026"), shipped("eu-ai-act@2026-07-27")
KEY, OTHER = PrivateKey.generate(), PrivateKey.generate()
ROW = OWASP.row("hidden-context", "LLM08:2026")
DAY = date(2026, 11, 1)


def word(kind="endorse", key=KEY, at="2026-11-25T10:00:00Z", row=ROW):
    record = (
        Endorsement(organisation="Institute", at=at)
        if kind == "endorse"
        else Dispute(organisation="Institute", at=at, reason="too wide")
    )
    envelope = sign_word(record, OWASP.pack.key, row, key)
    return read_word(canonical(envelope), [KEY.public, OTHER.public])


def test_a_word_names_the_row_its_signer_and_what_it_says():
    said = word("dispute")
    assert (said.says, said.organisation, said.reason, said.signer) == (
        "disputed",
        "Institute",
        "too wide",
        KEY.public.id,
    )
    assert said.row == row_digest(OWASP.pack.key, ROW)
    assert said.about == "hidden-context equal owasp-llm@2026 LLM08:2026"


STANDING = {
    "one endorses": ([("endorse", KEY, "10")], True),
    "one disputes": ([("dispute", KEY, "10")], False),
    "one changes its mind": ([("dispute", KEY, "10"), ("endorse", KEY, "11")], True),
    "in whatever order they are read": ([("endorse", KEY, "11"), ("dispute", KEY, "10")], True),
    "at one moment, the dispute": ([("endorse", KEY, "10"), ("dispute", KEY, "10")], False),
    "another disputes": ([("endorse", KEY, "11"), ("dispute", OTHER, "10")], False),
    "two endorse": ([("endorse", KEY, "10"), ("endorse", OTHER, "10")], True),
    "nobody": ([], False),
}


@pytest.mark.parametrize("case", STANDING, ids=list(STANDING))
def test_who_stands(case):
    said, expected = STANDING[case]
    words = [word(kind, key, f"2026-11-25T{hour}:00:00Z") for kind, key, hour in said]
    assert (row_words(words).get(row_digest(OWASP.pack.key, ROW)) == "endorsed") is expected
    assert len(standing(words)) == len({(one.signer, one.row) for one in words})


def test_a_row_that_changed_has_to_be_endorsed_again():
    changed = msgspec.structs.replace(ROW, relation="subset")
    framework = OWASP._replace(rows=tuple(changed if row == ROW else row for row in OWASP.rows))
    evidence = [finding("hidden-context-exposure", "met")]
    found = cover(framework, evidence, words=row_words([word()]))
    assert next(item.mapping for item in found.requirements if item.requirement == "LLM08:2026") == "proposed"
    found = cover(OWASP, evidence, words=row_words([word()]))
    assert next(item.mapping for item in found.requirements if item.requirement == "LLM08:2026") == "endorsed"


def test_every_byte_of_a_word_is_signed():
    data = canonical(sign_word(Endorsement(organisation="I", at="2026"), OWASP.pack.key, ROW, KEY))
    for at in range(0, len(data), 7):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(EvidenceError):
            read_word(changed, [KEY.public])


def test_a_stranger_and_another_statement_are_refused():
    data = canonical(sign_word(Endorsement(organisation="I", at="2026"), OWASP.pack.key, ROW, OTHER))
    with pytest.raises(EvidenceError) as caught:
        read_word(data, [KEY.public])
    assert caught.value.reason == "unknown-signer"
    with pytest.raises(EvidenceError) as caught:
        read_attachment(canonical(sign_word(Endorsement(organisation="I", at="2026"), "x@1", ROW, KEY)), [KEY.public])
    assert caught.value.reason == "no-attachment"
    payload = state(Endorsement(organisation="I", at="2026"), [Subject.of("a", "sha256:" + "0" * 64)] * 2)
    with pytest.raises(EvidenceError) as caught:
        read_word(canonical(dsse.sign(payload, KEY)), [KEY.public])
    assert caught.value.reason == "no-word"


def attached(tmp_path, control="human-oversight", text="how people step in", until=None):
    file = tmp_path / "oversight.txt"
    file.write_text(text, encoding="utf-8")
    envelope = attach(file, hub(), control, approved_by="Board", approved_on=DAY, valid_until=until, today=DAY, key=KEY)
    return read_attachment(canonical(envelope), [KEY.public])


def test_an_approved_document_supports_its_control_and_no_other(tmp_path):
    item = attached(tmp_path)
    assert judge(hub(), [item])["human-oversight"].state == "partial"
    assert judge(hub(), [item])["human-oversight"].evidence == (item.digest,)
    others = {name for name, found in judge(hub(), [item]).items() if found.state != "untested"}
    assert others == {"human-oversight"}
    found = cover(EU, [item])
    assert next(one.state for one in found.requirements if one.requirement == "Art. 14(1)") == "partial"


def test_a_document_that_expired_supports_nothing(tmp_path):
    item = attached(tmp_path, until=date(2026, 12, 31))
    assert judge(hub(), [item], today=date(2026, 12, 31))["human-oversight"].state == "partial"
    assert judge(hub(), [item], today=date(2027, 1, 1))["human-oversight"].state == "untested"


def test_a_document_that_is_approved_later_supports_nothing_yet(tmp_path):
    item = attached(tmp_path)
    assert judge(hub(), [item], today=date(2026, 10, 31))["human-oversight"].state == "untested"
    assert judge(hub(), [item], today=DAY)["human-oversight"].state == "partial"


def test_a_file_cannot_stand_for_a_measurement(tmp_path):
    with pytest.raises(AskerError) as caught:
        attached(tmp_path, control="prompt-injection")
    assert "human-oversight" in str(caught.value.facts["written"])


FAULTS = {
    "empty": ("", None, "is empty"),
    "expires before it was approved": ("x", date(2026, 10, 31), "cannot expire"),
}


@pytest.mark.parametrize("case", FAULTS, ids=list(FAULTS))
def test_faults_of_an_attachment(case, tmp_path):
    text, until, told = FAULTS[case]
    with pytest.raises(AskerError, match=told):
        attached(tmp_path, text=text, until=until)


def test_a_huge_or_missing_file_is_told(tmp_path):
    said = {"approved_by": "Board", "approved_on": DAY, "valid_until": None, "today": DAY, "key": KEY}
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(LIMIT + 1)
    with pytest.raises(AskerError, match="at most 67108864 are read"):
        attach(huge, hub(), "human-oversight", **said)
    with pytest.raises(AskerError, match="cannot read"):
        attach(tmp_path / "none", hub(), "human-oversight", **said)
