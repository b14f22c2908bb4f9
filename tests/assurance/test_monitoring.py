"""What a gateway recorded, read and stated: counts that are exact, alarms at known truths, and what is not said."""

import numpy as np
import pytest
from msgspec.structs import replace

from aloi.assurance.monitoring.findings import FIRST_BLOCKS, monitored
from aloi.assurance.monitoring.labels import read_labels
from aloi.assurance.monitoring.stating import packed, periods
from aloi.assurance.monitoring.traffic import read_traffic
from aloi.errors import AskerError, EvidenceError, InvalidFile
from aloi.errors import told as lines_of
from aloi.evidence.records import RemedyIdentity
from aloi.evidence.verification import verify_bundle
from aloi.solutions.gateway.journal import files_of
from assurance.served import (
    BEGAN,
    FINGERPRINT,
    REMEDIES,
    SET,
    decided,
    guards,
    minute,
    sampled,
    simulated,
    write,
)
from evidence.evidence_world import fixed_key
from solutions.traffic import entry, recorder

KEY = fixed_key(5)
OTHER = (RemedyIdentity(name="link-policy", version="9", digest="sha256:" + "9" * 64),)


def found(folder, alpha=0.05, labels=None, earlier=None):
    return monitored(read_traffic(folder, "banque-azur", labels or {}), alpha, earlier or {})


def finding(folder, **given):
    (one,) = found(folder, **given)
    return one.finding


def test_what_was_counted_is_told_exactly(tmp_path):
    act = decided("b", BEGAN).decisions[0]
    twice = decided("d", BEGAN, decisions=(act, act))
    first = [decided("a", BEGAN), twice, decided("c", BEGAN, "changed"), sampled("s", BEGAN)]
    first.append(
        minute(0, {"answered": 20, "blocked": 2, "changed": 1, "error": 3, "gone": 4}, took={"70": 10, "90": 10})
    )
    write(tmp_path, first, [minute(2, {"answered": 10}, took={"100": 1})])
    seen = finding(tmp_path)
    ends = seen.exchanges
    assert (ends.answered, ends.changed, ends.blocked, ends.error, ends.gone) == (30, 1, 2, 3, 4)
    assert (ends.screened, ends.total) == (33, 40)
    assert [(one.guard, one.action, one.rate.failures, one.rate.n) for one in seen.acts] == [
        ("link-policy", "rewrite", 1, 33),
        ("secret-filter", "block", 2, 33),
    ]
    assert (seen.began, seen.ended) == ("2026-10-26T07:33:20Z", "2026-10-26T07:36:20Z")
    assert (seen.errors.failures, seen.errors.n) == (3, 40)
    assert seen.guard_seconds.n == 21
    assert 0.0050 < seen.guard_seconds.p50 < 0.0056  # class 90: 1.1^90 microseconds
    assert (seen.remedies, seen.guard_set) == (REMEDIES, SET)
    assert (seen.record.lines, seen.record.whole) == (7, True)
    assert seen.shift is None
    assert seen.unsaid == ("hazard-rates", "texts", "false-alarms", "misses", "shift")


def test_decisions_that_their_process_could_not_count_are_told_and_in_no_rate(tmp_path):
    lost = [decided(f"lost-{number}", BEGAN) for number in range(3)]
    counted = [decided("kept", BEGAN + 100, decisions=decided("c", 0, "changed").decisions), minute(2, {"blocked": 1})]
    write(tmp_path, lost, counted, [decided("after", BEGAN + 200)])
    seen = finding(tmp_path)
    assert (seen.exchanges.blocked, seen.uncounted) == (1, 4)
    assert [(one.guard, one.rate.failures) for one in seen.acts] == [("link-policy", 1)]
    assert "uncounted" in seen.unsaid


def test_where_the_oldest_lines_are_gone_counts_of_them_are_not_used(tmp_path):
    rng = np.random.default_rng(1)
    parts = [simulated([0.2] * 20, rng, volume=300, first=20 * part) for part in range(12)]
    write(tmp_path, *parts, megabytes=1)
    assert files_of(tmp_path)[0].name != "record-00000001.jsonl"
    seen = finding(tmp_path)
    assert not seen.record.whole
    assert "removed" in seen.unsaid
    assert seen.uncounted == 0
    blocks = sum(one.rate.failures for one in seen.acts if one.action == "block")
    assert blocks == seen.exchanges.blocked > 1_000


def test_each_set_of_guards_is_stated_by_itself_and_other_systems_are_left_out(tmp_path):
    second, stranger = guards(remedies=OTHER, at=BEGAN + 60), guards("another", remedies=())
    lines = [minute(0, {"answered": 5}), minute(1, {"answered": 7}, of=second.guard_set)]
    lines.append(minute(1, {"answered": 9}, of=stranger.guard_set))
    lines.append(minute(2, {"answered": 1}, of="sha256:" + "0" * 64))
    write(tmp_path, lines, guards_of=(guards(), second, stranger))
    read = read_traffic(tmp_path, "banque-azur", {})
    assert (read.others, read.nameless) == (("another",), 1)
    told = monitored(read, 0.05)
    assert [(one.finding.exchanges.answered, one.finding.remedies) for one in told] == [(5, REMEDIES), (7, OTHER)]
    result = verify_bundle(packed(told, KEY), [KEY.public])
    assert [claim.name for claim in result.claims] == ["monitoring", "monitoring"]
    assert [one.fingerprint for one in result.subject] == [FINGERPRINT]
    assert not result.planned


def test_the_same_guards_before_another_edition_of_the_system_are_stated_by_themselves(tmp_path):
    changed = replace(guards(), at=BEGAN + 60, fingerprint="sha256:" + "6" * 64)
    write(tmp_path, [decided("a", BEGAN), minute(0, {"blocked": 1, "answered": 5})])
    write(tmp_path, [decided("b", BEGAN + 60), minute(1, {"blocked": 1, "answered": 8})], guards_of=(changed,))
    write(tmp_path, [minute(2, {"answered": 3})])
    told = found(tmp_path)
    assert [(one.fingerprint[7], one.finding.exchanges.answered) for one in told] == [("5", 8), ("6", 8)]
    assert [one.finding.acts[0].rate.failures for one in told] == [1, 1]
    assert len(verify_bundle(packed(told, KEY), [KEY.public]).subject) == 2


def test_a_record_of_other_systems_alone_is_refused(tmp_path):
    write(tmp_path, [minute(0, {"answered": 5})])
    with pytest.raises(AskerError, match=r"no exchange of bureau.*banque-azur"):
        read_traffic(tmp_path, "bureau", {})


def test_a_record_in_which_nothing_was_counted_yet_says_so(tmp_path):
    write(tmp_path, [decided("a", BEGAN), decided("b", BEGAN + 0.5)])
    with pytest.raises(AskerError, match="counts none: 2 decisions") as caught:
        read_traffic(tmp_path, "banque-azur", {})
    assert "killed" in caught.value.remedy


def test_a_record_that_was_edited_is_refused(tmp_path):
    write(tmp_path, [decided("a", BEGAN), minute(0, {"blocked": 1})])
    file = files_of(tmp_path)[0]
    file.write_bytes(file.read_bytes().replace(b'"outcome":"blocked"', b'"outcome":"changed"'))
    with pytest.raises(EvidenceError) as caught:
        finding(tmp_path)
    assert caught.value.reason == "damaged-log"


def rang(folder):
    shift = finding(folder).shift
    return shift.rang_at, shift.towards


def test_a_doubled_share_of_blocks_rings_after_it_began_and_not_before(tmp_path):
    rng = np.random.default_rng(11)
    write(tmp_path, simulated([0.03] * 300 + [0.06] * 200, rng))
    at, towards = rang(tmp_path)
    assert towards == "higher"
    assert at > "2026-10-26T12:33:20Z"  # after the 300th minute
    shift = finding(tmp_path).shift
    assert shift.reference.blocked >= FIRST_BLOCKS
    assert shift.reference.screened + shift.screened == finding(tmp_path).exchanges.screened
    result = verify_bundle(packed(found(tmp_path), KEY), [KEY.public])
    assert result.claims[0].record.shift.rang_at == at


def test_guards_that_no_longer_act_ring_too(tmp_path):
    write(tmp_path, simulated([0.1] * 60 + [0.0] * 60, np.random.default_rng(12)))
    assert rang(tmp_path)[1] == "lower"


def test_looking_again_and_again_changes_no_alarm(tmp_path):
    """The record is read after every part that is added: the alarm comes once, and its time stays."""
    lines = simulated([0.05] * 100 + [0.15] * 30, np.random.default_rng(13))
    seen, step = [], len(lines) // 10
    for start in range(0, len(lines), step):
        write(tmp_path, lines[start : start + step])
        shift = finding(tmp_path).shift
        seen.append(shift and shift.rang_at)
    rung = [one for one in seen if one]
    assert seen[0] is None
    assert len(rung) > 1
    assert len(set(rung)) == 1
    assert seen[-len(rung) :] == rung


def test_false_alarms_of_whole_records_are_as_rare_as_said(tmp_path):
    """60 records of 8 hours at one rate, watched at alpha = 0.2."""
    rng, runs, alpha, rung = np.random.default_rng(14), 60, 0.2, 0
    for run in range(runs):
        folder = tmp_path / str(run)
        lines = [one for one in simulated([0.05] * 480, rng) if hasattr(one, "counts")]
        write(folder, lines)
        rung += finding(folder, alpha=alpha).shift.rang_at is not None
    assert rung / runs <= alpha + 2 * (alpha * (1 - alpha) / runs) ** 0.5


def test_an_earlier_statement_is_what_later_traffic_is_compared_with(tmp_path):
    rng = np.random.default_rng(15)
    early = simulated([0.05] * 200, rng)
    write(tmp_path, early)
    bundle = packed(found(tmp_path), KEY)
    earlier = verify_bundle(bundle, [KEY.public])
    write(tmp_path, simulated([0.12] * 60, rng, first=200))
    shift = finding(tmp_path, earlier=periods(earlier)).shift
    assert shift.reference.statement == earlier.claims[0].envelope
    assert shift.reference.screened == earlier.claims[0].record.exchanges.screened
    assert shift.looks in {59, 60}  # nothing that the earlier statement counted is counted again
    assert shift.towards == "higher"
    verify_bundle(packed(found(tmp_path, earlier=periods(earlier)), KEY), [KEY.public])


def test_a_bundle_without_traffic_is_nothing_to_compare_with(tmp_path):
    write(tmp_path, [minute(0, {"error": 3})])
    with pytest.raises(AskerError, match="tells of no traffic"):
        periods(verify_bundle(packed(found(tmp_path), KEY), [KEY.public]))


LABELS = """id,label,by
b1,ordinary,Ada
b2,H,Ada
b3,unclear,Ada
b4,,
s1,harmful,Ada
s2,o,Ada
s3,o,Ada
c1,ordinary,Ada
never,ordinary,Ada
b1,ordinary,Bo
"""


def test_what_people_say_becomes_rates_of_false_alarms_and_misses(tmp_path):
    (tmp_path / "labels.csv").write_text(LABELS, encoding="utf-8")
    words = read_labels(tmp_path / "labels.csv")
    blocks = [decided(f"b{number}", BEGAN) for number in range(5)]
    lines = [*blocks, decided("c1", BEGAN, "changed"), *(sampled(f"s{number}", BEGAN) for number in range(5))]
    write(tmp_path / "t", [*lines, minute(0, {"blocked": 5, "changed": 1, "answered": 90})])
    seen = finding(tmp_path / "t", labels=words)
    assert (seen.false_alarms.failures, seen.false_alarms.n, seen.false_alarms.unscorable) == (1, 2, 1)
    assert seen.false_alarms.low < 0.1
    assert seen.false_alarms.high > 0.9
    assert (seen.misses.failures, seen.misses.n) == (1, 3)
    assert read_traffic(tmp_path / "t", "banque-azur", words).unknown == 1
    assert not {"false-alarms", "misses"} & set(seen.unsaid)


BAD = {
    "another word": ("id,label\na,fine\n", "'fine'"),
    "two words for one": ("id,label\na,ordinary\na,harmful\n", "otherwise above"),
    "no label": ("id\na\n", "label: missing"),
    "a cell too many": ("id,label\na,ordinary,x\n", "number of cells"),
}


@pytest.mark.parametrize("name", BAD)
def test_labels_that_cannot_be_read(tmp_path, name):
    text, told = BAD[name]
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFile) as caught:
        read_labels(path)
    assert told in " ".join(lines_of(caught.value, "en"))


@pytest.mark.parametrize(("events", "n"), [(0, 1), (1, 1), (0, 100_000), (99_999, 100_000), (1, 3)])
def test_every_rate_can_be_signed(tmp_path, events, n):
    write(tmp_path, [minute(0, {"answered": n - events, "blocked": events}), minute(1, {"answered": 1, "blocked": 0})])
    verify_bundle(packed(found(tmp_path), KEY), [KEY.public])


async def test_the_gateway_s_own_record_is_what_is_read(tmp_path):
    async with recorder(tmp_path, benign=1.0, texts=True) as record:
        for number in range(40):
            await record.keep(entry(f"{number}", "answered" if number % 4 else "blocked"))
    seen = finding(tmp_path)
    assert (seen.exchanges.answered, seen.exchanges.blocked, seen.uncounted) == (30, 10, 0)
    assert [(one.guard, one.rate.failures) for one in seen.acts] == [("secret-filter", 10)]
    assert "texts" not in seen.unsaid
