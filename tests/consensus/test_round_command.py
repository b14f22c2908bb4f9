"""`aloi round` as three laboratories lead it in one registry."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli.command import aloi, serving
from consensus.laboratory import HAZARD
from consensus.test_consensus_registry import begun

NAMES = ("north", "south", "east")
SPAN = timedelta(hours=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory, four):
    home = tmp_path_factory.mktemp("rounds")
    for one in four:
        (home / f"{one.name}.json").write_bytes(one.bundle)
        (home / f"{one.name}.pub.pem").write_bytes(one.key.public.pem())
        (home / f"{one.name}.pem").write_bytes(one.key.pem())
        (home / f"{one.name}.pem").chmod(0o600)
    return home


@pytest.fixture(scope="module")
def url(home):
    with serving("serve", begun(home, "reg", "rounds.example.org/log", (*NAMES, "west")), home=home) as address:
        assert aloi("registry", "trust", address, "trust.policy", home=home).code == 0
        yield address


@pytest.fixture(scope="module")
def system(four):
    return four[0].source.plan.subject[0].fingerprint


def opened(home, system, file, commit_by, reveal_by, *names, **more):
    participants = [each for name in names for each in ("--participant", f"{name}.pub.pem")]
    times = ("--commit-by", f"{commit_by:%Y-%m-%dT%H:%M:%SZ}", "--reveal-by", f"{reveal_by:%Y-%m-%dT%H:%M:%SZ}")
    words = ("--system", system, "--hazard", HAZARD, "--log", "rounds.example.org/log", *participants, *times)
    return aloi("round", "open", file, *words, "--json", home=home, **more)


def act(verb, home, url, name, file="round.json", bundle=None):
    words = ("--to", url, "--policy", "trust.policy", "--organisation", name, "--key", f"{name}.pem")
    return aloi("round", verb, file, bundle or f"{name}.json", *words, home=home)


def test_a_round(home, url, system):
    now = datetime.now(UTC)
    assert opened(home, system, "round.json", now + SPAN, now + 2 * SPAN, *NAMES).code == 0
    shown = ("round", "show", "round.json", "--from", url, "--policy", "trust.policy")
    early = aloi(*shown, home=home)
    assert early.code == 6
    assert early.out.count("committed to nothing") == 3
    assert act("reveal", home, url, "north").code == 2  # nothing is sealed yet
    assert act("commit", home, url, "north").code == 0
    waiting = act("reveal", home, url, "north")
    assert waiting.code == 6, waiting.err
    assert "Nothing was published: others may still commit." in waiting.out
    assert (home / "north.round" / f"{HAZARD}.seal.json").stat().st_mode & 0o777 == 0o600
    for name in NAMES:  # to commit again changes nothing
        said = act("commit", home, url, name)
        assert said.code == 0, said.err
    found = json.loads(aloi(*shown, "--json", home=home).out)["round"]
    assert [len(each["commitments"]) for each in found["taking"]] == [1, 1, 1]
    assert found["phase"] == "revealing"
    looked = aloi("lookup", system, "--from", url, "--policy", "trust.policy", "--json", home=home)
    types = {each["logged"]["predicate_type"].split("/")[-2] for each in json.loads(looked.out)["statements"]}
    assert types == {"commitment"}  # nobody sees a figure
    for name in NAMES:
        said = act("reveal", home, url, name)
        assert said.code == 0, said.err
    late = act("commit", home, url, "south")
    assert late.code == 2
    assert "can be read in the log already" in late.err
    assert aloi(*shown, home=home).code == 6  # the first to reveal could link to nobody yet
    assert act("reveal", home, url, "north").code == 0
    assert act("reveal", home, url, "south").code == 0
    done = aloi(*shown, home=home)
    assert done.code == 0, done.out
    assert done.out.count("revealed, and it is what was committed") == 3
    said = aloi("consensus", system, "--registry", url, "--policy", "trust.policy", "--json", home=home)
    consensus = json.loads(said.out)["consensus"]
    assert consensus["unopened"] == []
    assert all(len(each["account"]["blind"]) == 2 for each in consensus["hazards"][0]["evidence"])
    [pool] = consensus["hazards"][0]["pools"]
    assert next(step["change"] for step in pool["certainty"]["steps"] if step["code"] == "replication") == 1


def test_who_commits_and_never_reveals_is_told_in_the_consensus(home, url, system):
    now = datetime.now(UTC)
    assert opened(home, system, "second.json", now + SPAN, now + 2 * SPAN, "west", "east").code == 0
    assert act("commit", home, url, "west", "second.json").code == 0
    words = ("consensus", "sha256:" + system.removeprefix("sha256:"), "--registry", url, "--policy", "trust.policy")
    said = aloi(*words, "--html", "page.html", home=home)
    assert "Committed, and never shown: sha256:" in said.out
    assert "Committed, and never shown" in (home / "page.html").read_text(encoding="utf-8")


def test_in_french(home, url):
    shown = ("round", "show", "second.json", "--from", url, "--policy", "trust.policy")
    said = aloi("--lang", "fr", *shown, home=home)
    assert said.code == 6
    assert "engagé, non révélé" in said.out


def test_mistakes(home, url, system):
    now = datetime.now(UTC)
    alone = opened(home, system, "third.json", now + SPAN, now + 2 * SPAN, "north")
    assert alone.code == 2
    assert "name at least two" in alone.out
    assert opened(home, system, "third.json", now + SPAN, now, *NAMES).code == 2
    assert opened(home, "sha256:0", "third.json", now + SPAN, now + 2 * SPAN, *NAMES).code == 2
    stranger = act("commit", home, url, "west")
    assert stranger.code == 2
    assert "does not take part" in stranger.err
    assert opened(home, system, "past.json", now - SPAN, now + SPAN, "west", "east").code == 0
    past = act("commit", home, url, "west", "past.json")
    assert past.code == 2
    assert "took commitments until" in past.err
    other = "sha256:" + "0" * 64
    assert opened(home, other, "other.json", now + SPAN, now + 2 * SPAN, "west", "east").code == 0
    assert "holds no finding for" in act("commit", home, url, "west", "other.json").err
    (home / "west.round" / f"{HAZARD}.seal.json").rename(home / "seal")
    assert act("commit", home, url, "west", "second.json").code == 2
    (home / "seal").rename(home / "west.round" / f"{HAZARD}.seal.json")
    (home / "bad.json").write_text("{}")
    assert aloi("round", "show", "bad.json", "--from", url, "--policy", "trust.policy", home=home).code == 4


def test_another_log_is_named(home, url, system):
    now = datetime.now(UTC)
    elsewhere = begun(home, "elsewhere", "elsewhere.example.org/log", NAMES)
    with serving("serve", elsewhere, home=home) as other:
        assert aloi("registry", "trust", other, "elsewhere.policy", home=home).code == 0
        opened(home, system, "fourth.json", now + SPAN, now + 2 * SPAN, *NAMES)
        said = aloi("round", "show", "fourth.json", "--from", other, "--policy", "elsewhere.policy", home=home)
    assert said.code == 2
    assert "the round is held in rounds.example.org/log" in said.err
