"""`aloi guard learn` and `aloi guard accept`: what they take, what they refuse, and that nothing is written then."""

import json
import shutil

import pytest

from aloi.evidence import envelope as dsse
from aloi.evidence.acceptedupdates import LIMIT
from aloi.evidence.acceptedupdates import write as accepted_file
from cli.command import aloi
from evidence import update_world
from solutions import traffic
from solutions.updating_world import attacks, ordinary

OWN = ("--attacks", "attacks-1.jsonl", "--ordinary", "ordinary-1.jsonl")


def write(path, texts, **more):
    path.write_text("".join(json.dumps({"text": text, **more}) + "\n" for text in texts))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Both halves of the texts, an update that learnt from the first, and its author's keys."""
    home = tmp_path_factory.mktemp("made")
    for half in (0, 1):
        write(home / f"attacks-{half}.jsonl", attacks("en", half, 15), label="attack", lang="en")
        write(home / f"ordinary-{half}.jsonl", ordinary("en", half, 500), lang="en")
    learnt = ("--attacks", "attacks-0.jsonl", "--ordinary", "ordinary-0.jsonl", "--output", "update.dsse.json")
    said = aloi("guard", "learn", *learnt, home=home)
    assert said.code == 0, said.err
    assert "All texts are in one language, English" in said.out
    return home


@pytest.fixture
def home(made, tmp_path):
    """A folder of one's own with all of that."""
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


def test_the_same_texts_and_key_give_the_same_file(home):
    again = aloi(
        *("guard", "learn", "--ordinary", "ordinary-0.jsonl", "--attacks", "attacks-0.jsonl"),
        *("--output", "again.dsse.json"),
        home=home,
    )
    assert again.code == 0
    update = json.loads(aloi("verify", "update.dsse.json", "--json", home=home).out)["record"]
    other = json.loads(aloi("verify", "again.dsse.json", "--json", home=home).out)["record"]
    assert {**update, "sources": 0} == {**other, "sources": 0}


def test_it_is_accepted_told_and_written(home):
    said = aloi("guard", "accept", "update.dsse.json", *OWN, home=home)
    assert said.code == 0, said.out + said.err
    assert "Accepted." in said.out
    assert "remedy_options: {injection-detector: {update: injection-detector.update.json}}" in said.out
    assert (home / "injection-detector.update.json").exists()
    again = aloi("guard", "accept", "update.dsse.json", *OWN, home=home)
    assert (again.code, "there already" in again.err) == (2, True)


def test_what_it_learnt_from_is_left_out_or_said_to_be_unknown(home):
    both = [line for half in (0, 1) for line in (home / f"attacks-{half}.jsonl").read_text().splitlines(keepends=True)]
    (home / "both.jsonl").write_text("".join(both))
    own = ("--attacks", "both.jsonl", *OWN[2:])
    told = json.loads(aloi("guard", "accept", "update.dsse.json", *own, "--output", "a.json", "--json", home=home).out)
    assert told["left_out"] >= 40
    (home / "update.learnt").unlink()
    said = aloi("guard", "accept", "update.dsse.json", *own, "--output", "b.json", home=home)
    assert "is not known: its list is not at hand" in said.out


def test_a_refusal_is_exit_1_and_writes_nothing(home):
    before = sorted(home.rglob("*"))
    write(home / "few.jsonl", ordinary("en", 1, 60))
    said = aloi("guard", "accept", "update.dsse.json", *OWN[:2], "--ordinary", "few.jsonl", home=home)
    assert said.code == 1
    assert "even with none, 368 texts are needed" in said.out
    write(home / "none.jsonl", ordinary("en", 1, 600)[500:], label="attack")
    said = aloi("guard", "accept", "update.dsse.json", "--attacks", "none.jsonl", *OWN[2:], home=home)
    assert said.code == 1
    assert "not shown that it stops more attacks" in said.out
    french = aloi("--lang", "fr", "guard", "accept", "update.dsse.json", *OWN[:2], "--ordinary", "few.jsonl", home=home)
    assert "Refusée" in french.out
    assert sorted(home.rglob("*")) == sorted([*before, home / "few.jsonl", home / "none.jsonl"])


def test_a_withdrawn_update_is_not_measured_and_a_dispute_is_told(home):
    words = home / "words"
    words.mkdir()
    one = ("--organisation", "Us", "--reason")
    said = aloi("state", "dispute", "update.dsse.json", *one, "too bold", "--output", "words/d.dsse.json", home=home)
    assert said.code == 0, said.err
    accept = ("guard", "accept", "update.dsse.json", *OWN, "--statements", "words", "--json")
    told = json.loads(aloi(*accept, "--output", "x.json", home=home).out)
    assert (told["disputes"], told["accepted"]) == (1, True)
    text = ("error-in-data", "--text", "One text was ours.", "--output", "words/w.dsse.json")
    assert aloi("state", "withdraw", "update.dsse.json", *one, *text, home=home).code == 0
    said = aloi(*accept, "--output", "y.json", home=home)
    assert (said.code, json.loads(said.out)["reason"]) == (4, "withdrawn")
    assert not (home / "y.json").exists()


def tampered(home):
    data = (home / "update.dsse.json").read_bytes()
    return data.replace(b'"payload":"ey', b'"payload":"ez', 1)


BAD = {
    "a stranger's": (lambda _: dsse.write(update_world.signed()), 4, "unknown-signer"),
    "tampered": (tampered, 4, ""),
    "oversized": (lambda home: (home / "update.dsse.json").read_bytes() + b" " * LIMIT, 4, "too-large"),
    "cut short": (lambda home: (home / "update.dsse.json").read_bytes()[:-9], 4, "not-json"),
    "nothing": (lambda _: b"", 4, "not-json"),
}


@pytest.mark.parametrize(("make", "code", "reason"), BAD.values(), ids=BAD)
def test_a_bad_update_is_refused(home, make, code, reason):
    (home / "bad.dsse.json").write_bytes(make(home))
    said = aloi("guard", "accept", "bad.dsse.json", *OWN, "--json", home=home)
    assert said.code == code, said.out + said.err
    assert json.loads(said.out)["reason"] == reason or not reason
    assert not (home / "injection-detector.update.json").exists()


def test_an_update_for_another_model_or_of_another_kind_is_refused(home):
    (home / "other.dsse.json").write_bytes(dsse.write(update_world.signed()))
    (home / "author.pem").write_bytes(update_world.AUTHOR.public.pem())
    said = aloi("guard", "accept", "other.dsse.json", *OWN, "--trust", "author.pem", home=home)
    assert (said.code, "another edition of the detector" in said.err) == (2, True)
    (home / "o.dsse.json").write_bytes(dsse.write(update_world.accepted(update_world.signed())))
    (home / "acceptor.pem").write_bytes(update_world.ACCEPTOR.public.pem())
    said = aloi("guard", "accept", "o.dsse.json", *OWN, "--trust", "acceptor.pem", home=home)
    assert (said.code, "is no update of a detector" in said.err) == (2, True)


MISTAKES = {
    "no ordinary texts": (("learn", *OWN[:2]), "0 distinct ordinary texts"),
    "no attacks": (("learn", *OWN[2:]), "0 distinct attacks"),
    "no run": (("learn", "nowhere", *OWN), "not the folder of a run"),
    "labels without traffic": (("learn", *OWN, "--labels", "l.csv"), "belong together"),
    "traffic without labels": (("learn", *OWN, "--traffic", "t"), "belong together"),
    "accepted on nothing": (("accept", "update.dsse.json"), "give --attacks and --ordinary"),
    "accepted on attacks alone": (("accept", "update.dsse.json", *OWN[:2]), "give --attacks and --ordinary"),
    "another list": (("accept", "update.dsse.json", *OWN, "--learnt", "attacks-0.jsonl"), "is not the list"),
    "no list": (("accept", "update.dsse.json", *OWN, "--learnt", "none"), "cannot read"),
    "a margin of everything": (("accept", "update.dsse.json", *OWN, "--margin", "1"), "--margin"),
}


@pytest.mark.parametrize(("arguments", "told"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(home, arguments, told):
    said = aloi("guard", *arguments, home=home)
    assert said.code == 2, said.out
    assert told in said.err
    assert "Traceback" not in said.err
    assert not (home / "injection-detector.update.dsse.json").exists()


async def test_a_record_teaches_what_people_labelled(home):
    caught = attacks("en", 0, 6)
    async with traffic.recorder(home / "record", texts=True, benign=1.0) as kept:
        for place, text in enumerate(caught):
            await kept.keep(traffic.entry(f"a{place}", asked=text))
        await kept.keep(traffic.entry("open", asked="Nobody looked at this."))
    labels = "".join(f"a{place},harmful\n" for place in range(len(caught)))
    (home / "labels.csv").write_text("id,label\n" + labels)
    learn = ("guard", "learn", "--traffic", "record", "--labels", "labels.csv", "--ordinary", "ordinary-0.jsonl")
    said = aloi(*learn, "--json", home=home)
    assert said.code == 0, said.out + said.err
    told = json.loads(said.out)
    assert told["update"]["attacks"] == len(set(caught))
    assert told["update"]["sources"][0]["kind"] == "traffic"
    assert told["left_out"] == {"unlabelled": 1}


async def test_a_record_without_texts_teaches_nothing(home):
    async with traffic.recorder(home / "record") as kept:
        await kept.keep(traffic.entry("a0"))
    (home / "labels.csv").write_text("id,label\na0,harmful\n")
    learn = ("guard", "learn", "--traffic", "record", "--labels", "labels.csv", "--ordinary", "ordinary-0.jsonl")
    said = aloi(*learn, home=home)
    assert (said.code, "gateway.record.texts" in said.err) == (2, True)


SYSTEM = """version: 1
name: shop
title: A shop
purpose: Answer questions
owner: Us
languages: [en]
target: {kind: openai, base_url: "http://127.0.0.1:9/v1", model: m}
prompt: You are the assistant of a shop.
guards: [injection-detector]
remedy_options: {injection-detector: {update: %s}}
assurance:
  hazards: {jailbreak: {threshold: 0.1}}
  benign: {questions: {en: ["When do you open?"]}}
"""
NAMED = {
    "no file": "nothing.json",
    "outside of the folder": "../update.json",
    "an update that nobody accepted": "update.dsse.json",
    "a text": "attacks-0.jsonl",
    "a number": "7",
    "the weights themselves": "{buckets: [1], changes: [127]}",
    "nothing": "''",
    "one for another model": "other.json",
}


@pytest.mark.parametrize("named", NAMED.values(), ids=NAMED)
def test_system_yaml_names_an_accepted_update_or_nothing_runs(home, named):
    other = update_world.signed()
    (home / "other.json").write_bytes(accepted_file(other, update_world.accepted(other), update_world.ACCEPTOR.public))
    shutil.copy(home / "other.json", home.parent / "update.json")
    (home / "system.yaml").write_text(SYSTEM % named)
    said = aloi("screen", "attacks-1.jsonl", "--guard", "injection-detector", "--system", "system.yaml", home=home)
    assert said.code == 2, said.out
    assert "Traceback" not in said.err
    assert "update" in said.err
    assert not said.out
