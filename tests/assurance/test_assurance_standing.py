"""Where a bundle stands: who vouches for the rows it is seen through, and what its reader is warned of."""

from datetime import date, timedelta

import pytest
from benchmarks.standards.bundles import drawn
from msgspec.structs import replace

from aloi.assurance.report.matrix import render_matrix
from aloi.assurance.standing import Said, doubts, lapsed, said, stand
from aloi.errors import AskerError, EvidenceError
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical
from aloi.evidence.keys import PrivateKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.verification import Signer
from aloi.evidence.vouching import Dispute, Endorsement, Withdrawal
from aloi.standards.attaching import attach, speaks_of
from aloi.standards.endorsing import sign_word
from aloi.standards.frameworks import framework
from aloi.standards.hub import hub

OWASP = framework("owasp-llm@2026")
ROW = OWASP.row("hidden-context", "LLM08:2026")
OWN, OTHER = PrivateKey.generate(), PrivateKey.generate()
KEYS = [OWN.public, OTHER.public]
DAY = OWASP.pack.checked_on


OURS, THEIRS = Subject.of("ours", "sha256:" + "1" * 64), Subject.of("theirs", "sha256:" + "2" * 64)


def bundle(*systems):
    """A bundle of our own key about these systems, as verification tells it."""
    told = drawn(1).verification
    signed = tuple(replace(claim, signers=(Signer(key_id=OWN.public.id, trusted=True),)) for claim in told.claims)
    return replace(told, subject=systems, claims=signed)


def word(folder, kind, key):
    record = (
        Endorsement(organisation="Institute", at="2026-11-25T10:00:00Z")
        if kind == "endorse"
        else Dispute(organisation="Institute", at="2026-11-25T10:00:00Z", reason="too wide")
    )
    name = f"{kind}-{key.public.id[-8:]}.dsse.json"
    (folder / name).write_bytes(canonical(sign_word(record, OWASP.pack.key, ROW, key)))


def attached(folder, until, name="oversight", systems=()):
    (folder / "oversight.txt").write_text("who steps in", encoding="utf-8")
    envelope = attach(
        folder / "oversight.txt",
        hub(),
        "human-oversight",
        approved_by="Board",
        approved_on=DAY,
        valid_until=until,
        today=DAY,
        key=OTHER,
        systems=systems,
    )
    (folder / f"{name}.dsse.json").write_bytes(canonical(envelope))


# Who says what, whether the reader named the signer's own key, and what then stands.
WHO = {
    "another endorses": ([("endorse", OTHER)], False, "endorsed", []),
    "the signer endorses": ([("endorse", OWN)], False, "proposed", [False]),
    "the signer endorses, and is named": ([("endorse", OWN)], True, "endorsed", [True]),
    "both endorse": ([("endorse", OWN), ("endorse", OTHER)], False, "endorsed", [False]),
    "the signer disputes": ([("dispute", OWN)], False, "disputed", [True]),
    "another disputes what the signer endorses": ([("endorse", OWN), ("dispute", OTHER)], True, "disputed", [True]),
    "the signer disputes what another endorses": ([("dispute", OWN), ("endorse", OTHER)], False, "disputed", [True]),
    "nobody": ([], False, "proposed", []),
}


@pytest.mark.parametrize("case", WHO, ids=list(WHO))
def test_nobody_vouches_for_oneself_unless_the_reader_says_so(case, tmp_path):
    words, named, mapping, counted = WHO[case]
    for kind, key in words:
        word(tmp_path, kind, key)
    more = said(tmp_path, KEYS, bundle(OURS), [OWN.public.id] if named else [])
    found = stand(OWASP, [], more, today=DAY)
    assert next(one.mapping for one in found.coverage.requirements if one.requirement == "LLM08:2026") == mapping
    assert [one.counted for one in found.own] == counted
    assert all((one.control, one.requirement) == ("hidden-context", "LLM08:2026") for one in found.own)


# The day on which it is read, and whether the attachment, valid to the tenth day, counts.
DAYS = {
    "the day before its approval": (-1, False),
    "its first day": (0, None),
    "its last": (10, None),
    "past": (11, True),
}


@pytest.mark.parametrize("case", DAYS, ids=list(DAYS))
def test_what_does_not_count_is_named_with_its_file(case, tmp_path):
    after, expired = DAYS[case]
    attached(tmp_path, DAY + timedelta(10))
    found = tuple(lapsed(said(tmp_path, KEYS), DAY + timedelta(after)))
    assert [one.expired for one in found] == ([] if expired is None else [expired])
    told = [message.format(**facts) for message, facts in doubts([], found)]
    assert all(str(tmp_path / "oversight.dsse.json") in one and "human-oversight" in one for one in told)


@pytest.mark.parametrize("over", [0, 1])
def test_a_text_past_its_horizon_is_told_on_the_standing_and_on_the_matrix(over):
    day = OWASP.pack.checked_on + timedelta(OWASP.pack.horizon + over)
    found = stand(OWASP, [], Said(), today=day)
    assert found.checked.stale is bool(over)
    for language, mark in (("en", "it may have changed"), ("fr", "il a pu changer")):
        page = render_matrix([OWASP], hub(), None, language, day=day)
        assert (mark in page) is bool(over)


def test_an_expired_file_is_told_on_the_matrix_with_its_name_made_visible(tmp_path):
    folder = tmp_path / "a<b\u202e"
    folder.mkdir()
    attached(folder, DAY)
    late = tuple(lapsed(said(folder, KEYS), date(2036, 1, 1)))
    page = render_matrix([OWASP], hub(), None, "en", day=DAY, lapsed=late)
    assert "a&lt;b⟨U+202E⟩/oversight.dsse.json" in page


@pytest.fixture
def folder(tmp_path):
    """A file attached for anybody, for us, and for others."""
    for name, systems in (("any", ()), ("ours", (OURS,)), ("theirs", (THEIRS,)), ("both", (THEIRS, OURS))):
        attached(tmp_path, None, name, systems)
    return tmp_path


def test_what_is_bound_to_another_system_is_left_out_and_named(folder):
    found = said(folder, KEYS, bundle(OURS))
    assert [len(item.subject) for item in found.attached] == [1, 3, 2]
    assert all(speaks_of(item, (OURS,)) for item in found.attached)
    assert found.left_out == ("theirs.dsse.json",)


def test_without_a_bundle_nothing_is_left_out(folder):
    found = said(folder, KEYS).attached
    assert len(found) == 4
    assert {item.subject[0].name for item in found} == {"oversight.txt"}
    assert len({item.subject[0].fingerprint for item in found}) == 1


STRANGER = PrivateKey.generate()


def mapping_of(more):
    found = stand(OWASP, [], more, today=DAY)
    return next(one.mapping for one in found.coverage.requirements if one.requirement == "LLM08:2026")


@pytest.mark.parametrize("kind", ["endorse", "dispute"])
def test_what_a_stranger_says_neither_counts_nor_stops_the_rest(kind, tmp_path):
    word(tmp_path, kind, STRANGER)
    assert mapping_of(said(tmp_path, KEYS, bundle(OURS))) == "proposed"
    word(tmp_path, "endorse", OTHER)
    found = said(tmp_path, KEYS, bundle(OURS))
    assert (found.strangers, mapping_of(found)) == ((f"{kind}-{STRANGER.public.id[-8:]}.dsse.json",), "endorsed")
    trusting = said(tmp_path, [*KEYS, STRANGER.public], bundle(OURS))
    assert trusting.strangers == ()
    assert mapping_of(trusting) == ("endorsed" if kind == "endorse" else "disputed")


def spoiled(envelope, how):
    """A dispute of a key that the reader trusts, after somebody had it in hand."""
    match how:
        case "another payload":
            return replace(envelope, payload=sign_word(DISPUTE, OWASP.pack.key, OWASP.rows[0], OTHER).payload)
        case "another signature":
            return replace(envelope, signatures=(replace(envelope.signatures[0], sig="AA=="),))
        case "a stranger signs beside":
            beside = sign_word(DISPUTE, OWASP.pack.key, ROW, STRANGER).signatures
            return replace(envelope, signatures=(*beside, *envelope.signatures))
        case "another kind of payload":
            return replace(envelope, payload_type="text/plain")


DISPUTE = Dispute(organisation="Institute", at="2026-11-25T10:00:00Z", reason="too wide")


@pytest.mark.parametrize(
    "how", ["another payload", "another signature", "a stranger signs beside", "another kind of payload"]
)
def test_a_dispute_of_a_trusted_key_does_not_vanish_by_being_spoiled(how, tmp_path):
    word(tmp_path, "endorse", OWN)
    envelope = spoiled(sign_word(DISPUTE, OWASP.pack.key, ROW, OTHER), how)
    (tmp_path / "spoiled.dsse.json").write_bytes(canonical(envelope))
    with pytest.raises(EvidenceError) as caught:
        said(tmp_path, KEYS, bundle(OURS))
    assert caught.value.where.endswith("spoiled.dsse.json")


def test_a_file_that_is_no_envelope_is_named(folder):
    (folder / "broken.dsse.json").write_text("{", encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        said(folder, KEYS, bundle(OURS))
    assert caught.value.where.endswith("broken.dsse.json")
    with pytest.raises(AskerError):
        said(folder / "nowhere", KEYS)


def test_strangers_files_are_not_read_at_all(folder):
    found = said(folder, [OWN.public], bundle(OURS))
    assert found.strangers == ("any.dsse.json", "both.dsse.json", "ours.dsse.json", "theirs.dsse.json")
    assert (found.attached, found.left_out) == ((), ())


def test_what_is_said_to_other_readers_does_not_stop_the_rest(tmp_path):
    record = Withdrawal(organisation="Institute", at="2026-11-26T10:00:00Z", reason="legal", text="asked")
    envelope = dsse.sign(state(record, [Subject.of("statement", "sha256:" + "3" * 64)]), OTHER)
    (tmp_path / "withdrawal.dsse.json").write_bytes(dsse.write(envelope))
    word(tmp_path, "endorse", OTHER)
    found = said(tmp_path, KEYS)
    assert [each.says for each in found.words] == ["endorsed"]
    assert not found.attached
    assert not found.strangers
