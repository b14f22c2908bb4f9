"""A blind round by what a log holds of it: who fixed what, who told it, and who did not play fair."""

import pytest
from msgspec.structs import replace

from aloi.errors import EvidenceError
from aloi.evidence.commitments import commit
from aloi.evidence.fields import moment
from aloi.evidence.rounds import ROUND, Participant, Round, read, read_round, write
from aloi.evidence.statement import Subject
from aloi.evidence.vouching import Commitment, Replication, Sealed, Withdrawal
from consensus.laboratory import AT, HAZARD, OTHER, Log, about

SALTS = {"north": b"n" * 32, "south": b"s" * 32, "east": b"e" * 32}
START = 1_790_000_000
COMMIT_BY, REVEAL_BY = "2026-09-30T00:00:00Z", "2026-10-30T00:00:00Z"


class Held:
    """A round of three, held in a log an hour an entry."""

    def __init__(self, evaluators):
        self.evaluators = evaluators
        self.system = evaluators[0].source.plan.subject[0]
        self.round = Round(
            system=self.system.fingerprint,
            hazards=(HAZARD,),
            participants=tuple(Participant(name=one.name, key=one.key.public.id) for one in evaluators),
            log="log.example.org",
            commit_by=COMMIT_BY,
            reveal_by=REVEAL_BY,
        )
        self.log = Log(*evaluators)
        self.fixed = {}

    def commit(self, one, what=None, salt=None):
        salt = salt or SALTS[one.name]
        record = Commitment(organisation=one.name, at=AT, commitment=commit(what or one.envelope(), salt, "statement"))
        self.fixed[one.name] = self.log.put(one.says(record, self.system, Subject.of(ROUND, self.round.digest)))

    def tell(self, one):
        self.log.plan(one)
        self.log.results(one)

    def repeat(self, one, other):
        seal = Sealed(commitment=self.fixed[one.name], salt=SALTS[one.name])
        record = Replication(organisation=one.name, at=AT, of=other.envelope(), kind="exact", sealed=seal)
        return self.log.put(one.says(record, about(one.envelope()), about(other.envelope())))

    def state(self, at=COMMIT_BY):
        return read_round(self.round, self.log.said().statuses, moment(at))

    def standings(self, at=COMMIT_BY):
        return {each.participant.name: each.parts[0].standing for each in self.state(at).taking}


@pytest.fixture
def held(four):
    return Held(four[:3])


def everything(held):
    north, south, east = held.evaluators
    for one in held.evaluators:
        held.commit(one)
    for one in held.evaluators:
        held.tell(one)
    for one, other in ((north, south), (north, east), (south, north), (east, north)):
        held.repeat(one, other)


def test_a_round_from_its_beginning_to_its_end(held):
    north, south, east = held.evaluators
    before = "2026-09-22T00:00:00Z"
    assert held.state(before).phase == "committing"
    for one in held.evaluators:
        held.commit(one)
    assert held.state(before).phase == "revealing"
    assert set(held.standings().values()) == {"committed"}
    held.tell(north)
    assert held.standings() == {"north": "revealed", "south": "committed", "east": "committed"}
    held.tell(south)
    held.tell(east)
    held.repeat(north, south)
    assert held.standings()["north"] == "opened"
    assert not held.state(before).complete
    held.repeat(south, north)
    held.repeat(east, north)
    done = held.state(before)
    assert (done.phase, done.complete) == ("closed", True)
    assert [each.parts[0].blind for each in done.taking] == [("south",), ("north",), ("north",)]
    assert not any(each.late or each.early for each in done.taking)


def test_who_committed_and_never_revealed_is_told(held):
    north, south, _ = held.evaluators
    for one in held.evaluators:
        held.commit(one)
    for one in (north, south):
        held.tell(one)
    held.repeat(north, south)
    held.repeat(south, north)
    ended = held.state(REVEAL_BY)
    assert ended.phase == "closed"
    assert not ended.complete
    assert held.standings(REVEAL_BY) == {"north": "opened", "south": "opened", "east": "committed"}
    assert ended.taking[2].unopened == (held.fixed["east"],)


def test_who_never_committed_is_told(held):
    for one in held.evaluators[:2]:
        held.commit(one)
    assert held.standings()["east"] == "absent"
    assert held.state("2026-09-22T00:00:00Z").phase == "committing"
    assert held.state().phase == "revealing"


def test_who_fixes_twice_and_tells_once_is_told(held):
    everything(held)
    held.commit(held.evaluators[0], "sha256:" + "0" * 64, b"x" * 32)
    north = held.state().taking[0]
    assert (len(north.commitments), len(north.unopened)) == (2, 1)
    assert not held.state().complete


def test_a_commitment_that_is_taken_back_still_counts(held):
    everything(held)
    north = held.evaluators[0]
    held.commit(north, "sha256:" + "0" * 64, b"x" * 32)
    record = Withdrawal(organisation="north", at=AT, reason="other", text="I would rather not.")
    held.log.put(north.says(record, about(held.fixed["north"])))
    assert len(held.state().taking[0].unopened) == 1


def test_what_was_told_is_not_what_was_fixed(held):
    north, south, _ = held.evaluators
    held.commit(north, south.envelope())
    held.commit(south)
    held.tell(north)
    held.tell(south)
    held.repeat(north, south)
    assert held.standings()["north"] == "other"
    assert not held.state().complete


def test_who_tells_before_all_have_fixed_is_early_and_who_fixes_then_is_late(held):
    north, south, east = held.evaluators
    held.commit(north)
    held.commit(south)
    held.tell(north)
    held.commit(east)
    north, south, east = held.state().taking
    assert (north.early, north.late) == (True, False)
    assert (south.early, south.late) == (False, False)
    assert (east.early, east.late) == (False, True)


def test_after_the_deadline_is_late(held):
    held.round = replace(held.round, commit_by="2026-09-21T16:00:00Z")
    assert moment(held.round.commit_by) > START
    for one in held.evaluators:
        held.commit(one)
    late = [each.late for each in held.state().taking]
    times = [each.commitments[0][1] > moment(held.round.commit_by) for each in held.state().taking]
    assert late == times
    assert any(late)


def test_a_stranger_who_commits_is_told_apart(held, four):
    held.commit(held.evaluators[0])
    held.log = held.log
    stranger = four[3]
    log = Log(*four)
    record = Commitment(organisation="x", at=AT, commitment=b"0" * 32)
    put = log.put(stranger.says(record, held.system, Subject.of(ROUND, held.round.digest)))
    state = read_round(held.round, log.said().statuses, 0)
    assert state.strangers == (put,)
    assert all(not each.commitments for each in state.taking)


def test_a_finding_from_before_the_round_is_not_of_it(held):
    north = held.evaluators[0]
    held.tell(north)
    assert held.standings()["north"] == "absent"
    held.commit(north, "sha256:" + "1" * 64)
    assert held.standings()["north"] == "committed"


def test_another_rounds_commitments_do_not_count(held):
    for one in held.evaluators:
        held.commit(one)
    held.round = replace(held.round, reveal_by="2026-12-30T00:00:00Z")
    assert set(held.standings().values()) == {"absent"}


def test_a_round_is_its_bytes(held):
    data = write(held.round)
    assert read(data) == held.round
    with pytest.raises(EvidenceError) as caught:
        read(data + b"\n")
    assert caught.value.reason == "not-canonical"


BAD = {
    "one participant": lambda one: replace(one, participants=one.participants[:1]),
    "one key twice": lambda one: replace(one, participants=(one.participants[0], one.participants[0])),
    "a hazard twice": lambda one: replace(one, hazards=(HAZARD, HAZARD)),
    "no hazard": lambda one: replace(one, hazards=()),
    "ends before it begins": lambda one: replace(one, reveal_by=one.commit_by),
    "no day": lambda one: replace(one, commit_by="2026-13-40T00:00:00Z"),
    "another format": lambda one: replace(one, format="https://aloi.dev/round/v2"),
    "no system": lambda one: replace(one, system="sha256:" + "g" * 64),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_what_is_no_round_is_refused(held, change):
    with pytest.raises((EvidenceError, ValueError)):
        read(write(change(held.round)))


def test_every_hazard_needs_a_commitment(held):
    held.round = replace(held.round, hazards=(HAZARD, OTHER))
    held.commit(held.evaluators[0])
    [first, second] = held.state().taking[0].parts
    assert (first.standing, second.standing) == ("committed", "absent")
    assert not held.state().taking[0].committed
