"""`aloi state`, `aloi keys rotate` and `revoke`, as a person types them; what they sign is read as a log's."""

import json
import stat
from pathlib import Path

import pytest

from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.canonical import digest
from aloi.evidence.keys import load, save
from aloi.evidence.loggedstatements import Held, read_logged
from aloi.evidence.roster import read_rosters
from aloi.evidence.status import read_statuses
from cli.command import aloi
from evidence.evidence_world import HAZARDS, SYSTEM, finding, fixed_key
from evidence.vouching_world import beside, signed

ME = ("--organisation", "Institute")
FIRST = (
    *("organisation", "--name", "Institute", "--kind", "public", "--domain", "institute.example.org"),
    *("--relation", "everybody", "third_party", "black-box", "the state's budget"),
)
START = 1_900_000_000


@pytest.fixture
def home(tmp_path):
    for number in (70, 71, 72):
        save(fixed_key(number), tmp_path / f"{number}.pem")
        (tmp_path / f"{number}.pub.pem").write_bytes(fixed_key(number).public.pem())
    for number, queries in ((70, 121), (71, 122)):
        envelope = signed(finding(HAZARDS[0], queries=queries), SYSTEM, key=number)
        (tmp_path / f"finding{number}.dsse.json").write_bytes(dsse.write(envelope))
    return tmp_path


def state(home, *arguments, key=70):
    return aloi("state", *arguments, "--key", f"{key}.pem", home=home)


def file_of(said):
    assert said.code == 0, said.err
    return Path(said.out.splitlines()[0].removeprefix("Signed: "))


def account(home, *files):
    """The files as a log would hold them, in that order."""
    held = []
    for index, name in enumerate(files):
        data = (home / name).read_bytes()
        held.append(Held(index=index, time=START + index, entry=logentry.of(dsse.read(data)), envelope=data))
    read, unread = read_logged(held, [fixed_key(number).public for number in (70, 71, 72)])
    assert unread == ()
    rosters = read_rosters(read)
    found = read_statuses(read, rosters)
    return rosters, [found.statements[each.envelope] for each in read], found.nothing


def test_a_finding_is_withdrawn_disputed_and_endorsed(home):
    dispute = file_of(state(home, "dispute", "finding70.dsse.json", *ME, "--reason", "not so", key=71))
    reply = file_of(state(home, "reply", dispute, *ME, "--reason", "it is"))
    endorsement = file_of(state(home, "endorse", "finding70.dsse.json", *ME, key=72))
    _, found, nothing = account(home, "finding70.dsse.json", dispute, reply, endorsement)
    assert [one.state for one in found] == ["disputed", "disputed", "standing", "standing"]
    assert [len(one.endorsements) for one in found] == [1, 0, 0, 0]
    assert nothing == ()
    why = ("--reason", "error-in-data", "--text", "A third was asked twice.")
    new = digest((home / "finding71.dsse.json").read_bytes())
    old = digest((home / "finding70.dsse.json").read_bytes())
    withdrawal = file_of(state(home, "withdraw", old, *ME, *why, "--superseded-by", "finding71.dsse.json"))
    _, found, _ = account(home, "finding70.dsse.json", "finding71.dsse.json", withdrawal)
    assert (found[0].state, found[0].current) == ("withdrawn", new)


def test_a_file_is_never_overwritten(home):
    first = state(home, "endorse", "finding70.dsse.json", *ME, key=72)
    again = state(home, "endorse", "finding70.dsse.json", *ME, key=72)
    assert (first.code, again.code) == (0, 2)
    assert "is there already" in again.err


def test_a_blind_replication(home):
    said = state(home, "commit", "finding71.dsse.json", *ME, key=71)
    commitment = file_of(said)
    (seal,) = home.glob("*.seal.json")
    assert stat.S_IMODE(seal.stat().st_mode) == 0o600
    assert seal.name in said.out
    mine, theirs = "finding71.dsse.json", "finding70.dsse.json"
    word = state(home, "replication", mine, theirs, "--kind", "exact", "--sealed", seal.name, *ME, key=71)
    _, found, nothing = account(home, commitment, theirs, mine, file_of(word))
    (repetition,) = found[1].replications
    assert (repetition.exact, repetition.blind) == (True, True)
    assert nothing == ()


def test_an_organisation_that_rotates_and_loses_a_key(home):
    first = file_of(state(home, *FIRST, "--with", "71.pem"))
    second = file_of(aloi("keys", "rotate", first, "new.pem", "--key", "70.pem", home=home))
    third = file_of(
        aloi("keys", "revoke", second, "71.pub.pem", "--reason", "compromised", "--key", "new.pem", home=home)
    )
    assert [each.name for each in (first, second, third)] == [
        f"organisation.institute.example.org.{number}.dsse.json" for number in range(3)
    ]
    assert stat.S_IMODE((home / "new.pem").stat().st_mode) == 0o600
    rosters, _, _ = account(home, first, second, third)
    assert rosters.told == ()
    new = load(home / "new.pem").public.id
    told = [rosters.speaker(key, 3, START + 3).state for key in (fixed_key(70).public.id, fixed_key(71).public.id, new)]
    assert told == ["revoked", "revoked", "standing"]


def test_an_organisation_says_something_else_of_itself(home):
    first = file_of(state(home, *FIRST))
    second = file_of(state(home, "organisation", "--previous", first, "--name", "National Institute"))
    rosters, _, _ = account(home, first, second)
    newest = rosters.organisations["institute.example.org"].newest
    assert (newest.name, newest.kind, newest.sequence) == ("National Institute", "public", 1)


def test_the_domain_vouches_for_the_keys(home):
    first = file_of(state(home, *FIRST))
    assert aloi("state", "domain-proof", first, home=home).code == 0
    alone = aloi("verify", first, home=home)
    assert alone.code == 4
    proved = aloi("verify", first, "--domain-proof", "aloi-organisation", home=home)
    assert proved.code == 0, proved.err
    assert "institute.example.org" in proved.out
    (home / "aloi-organisation").write_text("aloi-organisation v1\ndomain other.example.org\n", encoding="ascii")
    refused = json.loads(aloi("verify", first, "--domain-proof", "aloi-organisation", "--json", home=home).out)
    assert refused["reason"] == "domain-proof-domain"
    other = aloi("verify", "finding70.dsse.json", "--domain-proof", "aloi-organisation", "--json", home=home)
    assert json.loads(other.out)["reason"] == "no-organisation"


def test_an_incident_is_sealed_and_opened(home):
    (home / "found.txt").write_text("A line in a calendar makes it forward what it reads.\n", encoding="utf-8")
    about = ("--hazard", "indirect-injection", "--kind", "pattern", "--system", SYSTEM.name, SYSTEM.fingerprint)
    sealed = file_of(state(home, "incident", "found.txt", *about, "--embargo-until", "2099-01-01", *ME))
    assert b"calendar" not in (home / sealed).read_bytes()
    seal = home / sealed.name.replace(".dsse.", ".seal.")
    assert stat.S_IMODE(seal.stat().st_mode) == 0o600
    opened = file_of(state(home, "open", sealed, seal.name))
    _, found, nothing = account(home, sealed, opened)
    assert found[0].opened_by == digest((home / opened).read_bytes())
    assert nothing == ()
    assert "calendar" in aloi("verify", opened, "--key", "70.pub.pem", home=home).out
    told = aloi("verify", sealed, "--key", "70.pub.pem", home=home).out
    assert "2099-01-01" in told
    assert "calendar" not in told


def test_an_incident_of_no_named_system_is_about_its_hazard(home):
    (home / "found.txt").write_text("It happened.", encoding="utf-8")
    plain = ("--hazard", "fraud-impersonation", "--kind", "incident", "--occurred", "2026-11-20", "--harm", "money")
    said = aloi("verify", file_of(state(home, "incident", "found.txt", *plain, *ME)), "--key", "70.pub.pem", home=home)
    assert "fraud-impersonation" in said.out
    assert "hazard" in said.out


@pytest.mark.parametrize("language", ["en", "fr"])
def test_verify_tells_each_kind_in_a_line(home, language):
    for name, envelope in beside().items():
        (home / f"{name}.dsse.json").write_bytes(dsse.write(envelope))
        (home / "41.pub.pem").write_bytes(fixed_key(41).public.pem())
        said = aloi("--lang", language, "verify", f"{name}.dsse.json", "--key", "41.pub.pem", home=home)
        assert said.code == 0, said.err
        assert digest(dsse.write(envelope)) in said.out
        lines = said.out.splitlines()
        start = lines.index("What is claimed:" if language == "en" else "Ce qui est affirmé\u202f:")
        assert lines[start + 1].startswith("  ")
        assert lines[start + 2] == ""


def test_what_others_wrote_moves_no_cursor(home):
    record = beside()["dispute"]
    payload = json.loads(dsse.verify(record, [fixed_key(41).public]).payload)
    payload["predicate"]["record"]["reason"] = "\u001b[2J\u202eright"
    forged = dsse.sign(json.dumps(payload).encode(), fixed_key(41))
    (home / "d.dsse.json").write_bytes(dsse.write(forged))
    (home / "41.pub.pem").write_bytes(fixed_key(41).public.pem())
    said = aloi("verify", "d.dsse.json", "--key", "41.pub.pem", home=home)
    assert said.code == 0, said.err
    assert "\u001b" not in said.out
    assert "\u202e" not in said.out


WRONG = {
    "no statement": ("state", "endorse", "absent.dsse.json", *ME),
    "no digest": ("state", "endorse", "sha256:12", *ME),
    "nobody speaks": ("state", "endorse", "finding70.dsse.json", "--organisation", " "),
    "a reply to no dispute": ("state", "reply", "finding70.dsse.json", *ME, "--reason", "x"),
    "withdrawn for no known reason": (
        *("state", "withdraw", "finding70.dsse.json", *ME, "--reason", "because", "--text", "x"),
    ),
    "half an organisation": ("state", "organisation", "--name", "Institute"),
    "no domain": ("state", *FIRST[:5], "--domain", "a b", *FIRST[7:]),
    "a relation to no domain": ("state", *FIRST[:7], "--relation", "a b", "other", "white-box", "x"),
    "a relation twice": ("state", *FIRST, *FIRST[7:]),
    "an unknown hazard": ("state", "incident", "70.pub.pem", "--hazard", "x", "--kind", "pattern", *ME),
    "an embargo in the past": (
        *("state", "incident", "70.pub.pem", "--hazard", "unsafe-output", "--kind", "pattern", *ME),
        *("--embargo-until", "2020-01-01"),
    ),
    "a system without a fingerprint": (
        *("state", "incident", "70.pub.pem", "--hazard", "unsafe-output", "--kind", "pattern", *ME),
        *("--system", "it", "sha256:1"),
    ),
    "a seal that is none": (
        *("state", "replication", "finding70.dsse.json", "finding71.dsse.json", *ME),
        *("--kind", "exact", "--sealed", "70.pub.pem"),
    ),
    "the organisation of a finding": ("keys", "rotate", "finding70.dsse.json", "new.pem"),
    "a domain proof of a finding": ("state", "domain-proof", "finding70.dsse.json"),
    "an item of a statement": ("verify", "finding70.dsse.json", "--item", "70.pub.pem"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_mistakes_are_told_and_nothing_is_written(home, arguments):
    before = set(home.iterdir())
    key = ("--key", "70.pem") if arguments[0] != "verify" and arguments[1] != "domain-proof" else ()
    said = aloi(*arguments, *key, home=home)
    assert said.code == 2, (said.out, said.err)
    assert "Traceback" not in said.err
    assert "Expected" not in said.err  # no parser's own words
    assert {path for path in home.iterdir() if path.suffix == ".json"} <= before


TOLD = {
    "no domain": "a pas la forme qu",
    "a relation to no domain": "a pas la forme qu",
    "a relation twice": "une relation est dite deux fois",
    "an embargo in the past": "embargo finit avant de commencer",
}


@pytest.mark.parametrize("case", TOLD)
def test_what_cannot_be_stated_is_told_in_the_readers_language(home, case):
    said = aloi("--lang", "fr", *WRONG[case], "--key", "70.pem", home=home)
    assert said.code == 2
    assert TOLD[case] in said.err


def test_a_roster_keeps_a_key_that_can_speak(home):
    first = file_of(state(home, *FIRST))
    last = aloi("keys", "revoke", first, fixed_key(70).public.id, "--reason", "other", "--key", "70.pem", home=home)
    stranger = aloi("keys", "rotate", first, "new.pem", "--key", "72.pem", home=home)
    unknown = aloi("keys", "revoke", first, fixed_key(72).public.id, "--reason", "other", "--key", "70.pem", home=home)
    over = aloi("keys", "rotate", first, "71.pem", "--key", "70.pem", home=home)
    assert [said.code for said in (last, stranger, unknown, over)] == [2, 2, 2, 2]
    assert "aloi keys rotate" in last.err
    assert not (home / "new.pem").exists()
    assert load(home / "71.pem").public == fixed_key(71).public
    second = file_of(aloi("keys", "rotate", first, "new.pem", "--key", "70.pem", home=home))
    revoked = aloi("keys", "rotate", second, "newer.pem", "--key", "70.pem", home=home)
    assert revoked.code == 2
    assert not (home / "newer.pem").exists()
