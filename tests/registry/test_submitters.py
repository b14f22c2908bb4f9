"""A submitter that is an organisation: its logged roster says which keys publish; the configuration stays as it is."""

import pytest
from log_room import OTHER, SUBMITTER, SYSTEM
from server_room import serving, settle

from aloi.errors import InvalidFile
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.encoding import to_base64
from aloi.evidence.keys import PrivateKey, load
from aloi.evidence.organisations import ORGANISATION, Organisation, Relation, RosterKey, organisation_digest
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Commitment
from aloi.registry.log import Log
from aloi.registry.server.configuration import load_configuration
from aloi.registry.server.submitters import Submitters

DOMAIN = "institute.example.org"
AT = "2026-11-26T10:00:00Z"
NEW, STRANGER = PrivateKey.generate(), PrivateKey.generate()
SETTINGS = f"""
name: registry.example.org/log
key: log.pem
database: sqlite:///registry.db
listen: 127.0.0.1:0
submitters:
  - name: Institute
    organisation: {DOMAIN}
    keys: [submitter.pub.pem]
  - name: Company
    keys: [other.pub.pem]
"""
NUMBER = iter(range(1_000_000))


def statement(*keys):
    """Something new, signed."""
    record = Commitment(organisation="x", at=AT, commitment=next(NUMBER).to_bytes(32))
    return dsse.write(dsse.sign(state(record, [SYSTEM]), *keys))


def listed(key, **changes):
    found = RosterKey.of(key.public, "2020-01-01T00:00:00Z")
    return RosterKey(id=found.id, public_key=found.public_key, valid_from=found.valid_from, **changes)


def roster(*keys, by, previous=None, sequence=0, domain=DOMAIN):
    record = Organisation(
        name="Institute",
        kind="public",
        domain=domain,
        keys=keys,
        relations=(Relation(to="*", kind="third_party", access="black-box", funding="the state"),),
        at=AT,
        sequence=sequence,
        previous=previous,
    )
    return dsse.write(dsse.sign(state(record, [Subject.of(ORGANISATION, organisation_digest(domain))]), *by))


REVOKED = {"revoked_at": AT, "revocation": "superseded"}
FIRST = roster(listed(SUBMITTER), by=[SUBMITTER])
ROTATED = roster(listed(SUBMITTER, **REVOKED), listed(NEW), by=[SUBMITTER, NEW], previous=digest(FIRST), sequence=1)


@pytest.fixture
def served(tmp_path):
    with serving(settle(tmp_path / "registry", SETTINGS)) as registry:
        yield registry


def published(served, *envelopes):
    answer = served.publish(*envelopes)
    return (answer.status, "" if answer.status == 200 else answer.json()["reason"])


def test_a_rotated_key_publishes_and_the_old_one_no_longer(served):
    assert published(served, statement(SUBMITTER)) == (200, "")  # before there is a roster
    assert published(served, FIRST) == (200, "")
    assert published(served, statement(SUBMITTER)) == (200, "")
    assert published(served, statement(NEW)) == (403, "unknown-signer")
    assert published(served, ROTATED) == (200, "")
    assert published(served, statement(NEW)) == (200, "")
    assert published(served, statement(SUBMITTER)) == (403, "unknown-signer")
    told = {each["name"]: each for each in served.get("/").json()["submitters"]}
    assert told["Institute"]["organisation"] == DOMAIN
    assert told["Institute"]["keys"] == [to_base64(NEW.public.der)]
    assert told["Institute"]["former_keys"] == [to_base64(SUBMITTER.public.der)]
    assert told["Company"] == {
        "name": "Company",
        "organisation": "",
        "keys": [to_base64(OTHER.public.der)],
        "former_keys": [],
    }


def test_a_revocation_counts_at_once_and_after_a_new_start(tmp_path):
    file = settle(tmp_path / "registry", SETTINGS)
    with serving(file) as served:
        assert published(served, FIRST, ROTATED) == (200, "")
    with serving(file) as served:
        assert published(served, statement(SUBMITTER)) == (403, "unknown-signer")
        assert published(served, statement(NEW)) == (200, "")


HOSTILE = {
    "a roster of the domain by another submitter": (lambda: roster(listed(OTHER), by=[OTHER]), "domain-taken"),
    "a roster of the domain by a stranger": (lambda: roster(listed(STRANGER), by=[STRANGER]), "domain-taken"),
    "a successor that a stranger signs": (
        lambda: roster(listed(STRANGER), by=[STRANGER], previous=digest(FIRST), sequence=1),
        "domain-taken",
    ),
    "a stranger lists and signs another domain": (
        lambda: roster(listed(STRANGER), by=[STRANGER], domain="stranger.example.org"),
        "unknown-signer",
    ),
    "a key that the roster does not list signs it too": (
        lambda: roster(listed(SUBMITTER), by=[SUBMITTER, STRANGER], previous=digest(FIRST), sequence=1),
        "unknown-signer",
    ),
    "a key listed without its own signature": (lambda: statement(NEW), "unknown-signer"),
    "a submitter and a stranger sign together": (lambda: statement(SUBMITTER, STRANGER), "unknown-signer"),
}


@pytest.mark.parametrize(("envelope", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_who_does_not_speak_for_it_stays_outside(served, envelope, reason):
    assert published(served, FIRST) == (200, "")
    unconfirmed = roster(listed(SUBMITTER), listed(NEW), by=[SUBMITTER], previous=digest(FIRST), sequence=1)
    assert published(served, unconfirmed) == (200, "")
    assert published(served, envelope()) == (403, reason)


def test_another_submitter_is_not_moved_by_a_roster(served):
    """The company's key is configured; a roster that it signs of a domain of its own changes nothing of that."""
    own = roster(listed(OTHER, **REVOKED), listed(NEW), by=[OTHER], domain="company.example.org")
    assert published(served, own) == (200, "")
    assert published(served, statement(OTHER)) == (200, "")
    assert published(served, statement(NEW)) == (403, "unknown-signer")


class Room:
    """A log with its submitters, asked without a server."""

    def __init__(self, folder):
        self.file = settle(folder, SETTINGS)
        found = load_configuration(self.file)
        self.log = Log.open(f"sqlite:///{folder / 'registry.db'}", load(folder / "log.pem"), found.name)
        self.now = 1_800_000_000.0
        self.submitters = Submitters(self.log, found.submitters, lambda: self.now)

    def put(self, envelope, *keys):
        return self.log.append([envelope], [key.public for key in keys])[0]

    def speaking(self):
        self.submitters.refresh(now=True)
        institute = self.submitters.speaking[0]
        return {key.id for key in institute.keys}


@pytest.fixture
def room(tmp_path):
    room = Room(tmp_path / "room")
    yield room
    room.log.close()


def test_keys_come_and_go_with_their_time(room):
    key = RosterKey(
        id=NEW.public.id,
        public_key=listed(NEW).public_key,
        valid_from="2026-06-01T00:00:00Z",
        valid_until="2027-06-01T00:00:00Z",
    )
    room.put(roster(key, listed(SUBMITTER), by=[SUBMITTER, NEW]), SUBMITTER, NEW)
    for day, expected in ((1_770_000_000, False), (1_790_000_000, True), (1_830_000_000, False)):
        room.now = day
        assert (NEW.public.id in room.speaking()) is expected
        assert SUBMITTER.public.id in room.speaking()


def test_a_roster_that_no_configured_key_began_is_not_the_submitters(room):
    room.put(roster(listed(STRANGER), by=[STRANGER]), STRANGER)
    assert room.speaking() == {SUBMITTER.public.id}
    room.put(FIRST, SUBMITTER)
    room.put(ROTATED, SUBMITTER, NEW)
    assert room.speaking() == {NEW.public.id}


def test_where_a_part_of_the_roster_was_erased_nobody_publishes(room):
    """What was erased may have revoked a key."""
    room.put(FIRST, SUBMITTER)
    index = room.put(ROTATED, SUBMITTER, NEW)
    room.log.erase(index, "a name stood in it")
    assert room.speaking() == set()
    former = {key.id for key in room.submitters.speaking[0].former}
    assert SUBMITTER.public.id in former


def test_a_strangers_erased_roster_closes_nothing(room):
    index = room.put(roster(listed(STRANGER), by=[STRANGER]), STRANGER)
    room.put(FIRST, SUBMITTER)
    room.log.erase(index, "asked by a person")
    assert room.speaking() == {SUBMITTER.public.id}


def test_rosters_are_not_read_for_every_statement(room):
    assert room.speaking() == {SUBMITTER.public.id}
    room.put(FIRST, SUBMITTER)
    room.put(ROTATED, SUBMITTER, NEW)
    room.submitters.refresh()  # within the second
    assert {key.id for key in room.submitters.speaking[0].keys} == {SUBMITTER.public.id}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("institute.example.org", "https://institute.example.org"), "organisation"),
        (("  - name: Company\n", f"  - name: Company\n    organisation: {DOMAIN}\n"), "under “Institute” too"),
    ],
)
def test_faults_of_the_file(tmp_path, change, told):
    file = settle(tmp_path, SETTINGS.replace(*change))
    with pytest.raises(InvalidFile) as caught:
        load_configuration(file)
    assert told in str(caught.value) + " ".join(map(str, caught.value.faults))
