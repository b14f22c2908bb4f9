"""A registry as people meet it: begun, served, shared to, looked up, checked, copied; and their mistakes."""

import json
import shutil
import sqlite3
import subprocess
import sys

import pytest

from cli.command import aloi, environment, serving

GOLDEN = "tests/evidence/golden"
NAME = "registry.example.org/log"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a bundle of somebody, their public key, and a registry begun that lets them publish."""
    home = tmp_path_factory.mktemp("home")
    shutil.copy(f"{GOLDEN}/bundle-v1.json", home / "bundle.json")
    shutil.copy(f"{GOLDEN}/bundle-v1.pem", home / "author.pem")
    begun = aloi("registry", "init", "reg", "--name", NAME, home=home)
    assert begun.code == 0, begun.err
    assert NAME in begun.out
    file = home / "reg" / "registry.yaml"
    settings = file.read_text().replace("127.0.0.1:8420", "127.0.0.1:0")
    submitters = "submitters:\n  - {name: Author, keys: [../author.pem]}\n"
    file.write_text(settings.replace("submitters: []\n", submitters))
    return home


@pytest.fixture(scope="module")
def url(home):
    with serving("serve", home / "reg" / "registry.yaml", home=home) as address:
        yield address


@pytest.fixture(scope="module")
def shared(home, url):
    """The bundle, published, with what was said."""
    assert aloi("registry", "trust", url, "trust.policy", home=home).code == 0
    said = aloi(
        "share", "bundle.json", "--to", url, "--policy", "trust.policy", "--trust", "author.pem", "--json", home=home
    )
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_what_was_shared_is_verified_with_its_proofs_and_looked_up_whole(home, url, shared):
    proofs = sorted(path.name for path in (home / "bundle.proofs").iterdir())
    assert len(proofs) == len(shared["indices"]) == shared["size"]
    verified = aloi("verify", "bundle.json", "--key", "author.pem", "--policy", "trust.policy", "--json", home=home)
    assert verified.code == 0, verified.err
    assert "inclusion" in json.loads(verified.out)["holds"]
    found = aloi(
        "lookup", "bundle.json", "--from", url, "--policy", "trust.policy", "--output", "found", "--json", home=home
    )
    assert found.code == 0, found.err
    told = json.loads(found.out)
    answers = told["answers"]  # about the system and its hardened form
    assert {index for each in answers.values() for index in each["entries"]} == set(shared["indices"])
    assert {each["logged"]["index"] for each in told["statements"]} == set(shared["indices"])
    assert {each["state"] for each in told["statements"]} == {"standing"}
    for subject, answer in answers.items():
        kept = home / "found" / subject.replace(":", "-")
        assert len(list(kept.glob("*.dsse.json"))) == len(answer["entries"])
        assert (kept / "lookup.json").exists()


def test_to_share_again_changes_nothing(home, url, shared):
    again = aloi("share", "bundle.json", "--to", url, "--policy", "trust.policy", "--trust", "author.pem", home=home)
    assert again.code == 0, again.err
    assert f"{NAME} holds what was shared, {len(shared['indices'])} of its first" in again.out
    assert "Your policy asks for no witness" in again.out


def test_that_nothing_is_known_is_proved_too(home, url, shared):
    said = aloi("lookup", "sha256:" + "0" * 64, "--from", url, "--policy", "trust.policy", home=home, ALOI_LANG="fr")
    assert said.code == 0, said.err
    assert f"prouve qu\N{RIGHT SINGLE QUOTATION MARK}aucune de ses {shared['size']} entrées" in said.out


def test_the_log_is_checked_copied_and_restored(home, url, shared):
    checked = json.loads(aloi("registry", "check", "reg/registry.yaml", "--json", home=home).out)
    assert checked["entries"] == shared["size"]
    assert checked["files"] > 0
    checked["files"] = 0  # a copy is the database alone
    copied = aloi("registry", "backup", "reg/registry.yaml", "copy.db", "--json", home=home)
    assert json.loads(copied.out) == checked
    (home / "second").mkdir()
    shutil.copy(home / "reg" / "log.pem", home / "second")
    shutil.copy(home / "reg" / "registry.yaml", home / "second")
    assert (
        json.loads(aloi("registry", "restore", "copy.db", "second/registry.yaml", "--json", home=home).out) == checked
    )
    with serving("serve", home / "second" / "registry.yaml", home=home) as other:
        found = aloi("lookup", "bundle.json", "--from", other, "--policy", "trust.policy", "--json", home=home)
        assert found.code == 0, found.err
    changed = sqlite3.connect(home / "second" / "registry.db")
    changed.execute("UPDATE entries SET received = 1 WHERE idx = 2")
    changed.commit()
    changed.close()
    said = aloi("registry", "check", "second/registry.yaml", home=home)
    assert said.code == 4
    assert "entry 2 came earlier than the one before it" in said.err


def test_what_is_erased_is_told_where_it_was(home, url, shared):
    erased = aloi("registry", "erase", "reg/registry.yaml", 0, "--reason", "asked by a person", home=home)
    assert erased.code == 0, erased.err
    found = aloi("lookup", "bundle.json", "--from", url, "--policy", "trust.policy", home=home)
    assert found.code == 0, found.err
    assert "(erased: asked by a person)" in found.out


MISTAKES = {
    "a registry that is not there": (
        ("lookup", "sha256:" + "0" * 64, "--from", "http://127.0.0.1:9", "--policy", "trust.policy"),
        5,
        "cannot be reached",
    ),
    "no address": (
        ("lookup", "sha256:" + "0" * 64, "--from", "registry", "--policy", "trust.policy"),
        2,
        "is no address of a registry",
    ),
    "a file as an address": (
        ("lookup", "sha256:" + "0" * 64, "--from", "file:///etc/passwd", "--policy", "trust.policy"),
        2,
        "is no address of a registry",
    ),
    "no policy": (("lookup", "sha256:" + "0" * 64, "--from", "URL"), 2, "--policy"),
    "a policy that is not there": (
        ("lookup", "sha256:" + "0" * 64, "--from", "URL", "--policy", "none.policy"),
        2,
        "none.policy cannot be read",
    ),
    "a policy of another log": (
        ("lookup", "sha256:" + "0" * 64, "--from", "URL", "--policy", "other.policy"),
        4,
        "none of the 1 signatures is by a key that you named",
    ),
    "a bundle that is not there": (
        ("share", "none.json", "--to", "URL", "--policy", "trust.policy"),
        2,
        "none.json cannot be read",
    ),
    "an author nobody knows": (
        ("share", "bundle.json", "--to", "URL", "--policy", "trust.policy"),
        4,
        "not among the keys you trust",
    ),
    "a registry begun twice": (("registry", "init", "reg", "--name", NAME), 2, "is there already"),
    "a name with a space": (("registry", "init", "new", "--name", "my log"), 2, "cannot name a log or a witness"),
    "a witness's name with a plus": (("registry", "witness", "init", "new", "--name", "a+b"), 2, "cannot name a log"),
    "a digest that was cut short": (
        ("lookup", "sha256:12", "--from", "URL", "--policy", "trust.policy"),
        2,
        "“sha256:12” is no digest",
    ),
    "no configuration": (("registry", "serve", "none.yaml"), 2, "aloi registry init FOLDER"),
    "a check of what was never served": (("registry", "check", "empty/registry.yaml"), 5, "there is none"),
    "a backup of what was never served": (("registry", "backup", "empty/registry.yaml", "new.db"), 5, "there is none"),
    "a backup over another file": (("registry", "backup", "reg/registry.yaml", "bundle.json"), 2, "never overwritten"),
    "a restore from nothing": (("registry", "restore", "none.db", "reg/registry.yaml"), 2, "there is no backup"),
    "a restore from what is no backup": (
        ("registry", "restore", "bundle.json", "empty/registry.yaml"),
        2,
        "there is no backup at",
    ),
    "an erasure for no reason": (
        ("registry", "erase", "reg/registry.yaml", "1", "--reason", " "),
        2,
        "nothing is said",
    ),
    "an entry that is not there": (
        ("registry", "erase", "reg/registry.yaml", "999", "--reason", "asked"),
        5,
        "the log has no entry 999",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_the_next_step(home, url, shared, case):
    arguments, code, sentence = MISTAKES[case]
    if not (home / "other.policy").exists():
        other = aloi("registry", "init", "other", "--name", "other.example/log", "--json", home=home)
        aloi("registry", "init", "empty", "--name", "empty.example/log", home=home)
        (home / "other.policy").write_text(f"log {json.loads(other.out)['key']}\nquorum none\n")
    said = aloi(*(url if each == "URL" else each for each in arguments), home=home)
    assert said.code == code, said.err
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert code == 2 or "Next: " in said.err
    for made in ("new", "new.db", "empty/registry.db"):
        assert not (home / made).exists()


def test_a_rotation_of_keys_reads_as_what_it_is(tmp_path):
    home = tmp_path
    for key in ("first.pem", "other.pem"):
        assert aloi("keys", "new", key, home=home).code == 0
    aloi("registry", "init", "reg", "--name", NAME, home=home)
    file = home / "reg" / "registry.yaml"
    listed = "submitters: [{name: I, organisation: institute.example.org, keys: [../first.pub.pem]}]\n"
    file.write_text(file.read_text().replace("submitters: []\n", listed).replace("127.0.0.1:8420", "127.0.0.1:0"))
    told = ("--name", "Institute", "--kind", "public", "--domain", "institute.example.org", "--key", "first.pem")
    relation = ("--relation", "everybody", "third_party", "black-box", "public funds")
    assert aloi("state", "organisation", *told, *relation, "--output", "0.dsse.json", home=home).code == 0
    rotated = aloi(
        "keys", "rotate", "0.dsse.json", "second.pem", "--key", "first.pem", "--output", "1.dsse.json", home=home
    )
    assert rotated.code == 0, rotated.err
    trusted = ("--policy", "trust.policy", "--trust", "first.pub.pem", "--trust", "second.pub.pem")
    with serving("serve", file, home=home) as address:
        aloi("registry", "trust", address, "trust.policy", home=home)
        for each in ("0.dsse.json", "1.dsse.json"):
            assert aloi("share", each, "--to", address, *trusted, home=home).code == 0
        asked = ("lookup", "sha256:" + "0" * 64, "--from", address, "--policy", "trust.policy")
        english, french = (
            aloi("--lang", lang, *asked, "--organisation", "institute.example.org", home=home).out
            for lang in ("en", "fr")
        )
    assert "by the key with which it begins: ed25519:" in english
    assert "new key: ed25519:" in english
    assert ", which signed this too" in english
    assert "no longer speaks for it: ed25519:" in english
    assert "(another took its place)" in english
    assert "revoked later" not in english  # it says so itself
    assert "par la clé avec laquelle elle commence\u202f: ed25519:" in french
    assert "ne parle plus pour elle\u202f: ed25519:" in french
    assert "(une autre l\N{RIGHT SINGLE QUOTATION MARK}a remplacée)" in french


def test_what_nobody_may_publish_is_refused_in_words(home, url, shared, tmp_path_factory):
    folder = home / "closed"
    aloi("registry", "init", "closed", "--name", "closed.example/log", home=home)
    file = folder / "registry.yaml"
    file.write_text(file.read_text().replace("127.0.0.1:8420", "127.0.0.1:0"))
    with serving("serve", file, home=home) as closed:
        aloi("registry", "trust", closed, "closed.policy", home=home)
        said = aloi(
            "share", "bundle.json", "--to", closed, "--policy", "closed.policy", "--trust", "author.pem", home=home
        )
    assert said.code == 5
    assert "refused (HTTP 403, unknown-signer)" in said.err
    assert "which may not publish in this registry" in said.err
    assert "--trust FILE" not in said.err


def test_a_log_whose_database_is_lost_is_not_begun_anew(home):
    """A second history under one name and key would be a fork."""
    aloi("registry", "init", "lost", "--name", "lost.example/log", home=home)
    file = home / "lost" / "registry.yaml"
    file.write_text(file.read_text().replace("127.0.0.1:8420", "127.0.0.1:0"))
    with serving("serve", file, home=home) as address:
        assert aloi("registry", "trust", address, "lost.policy", home=home).code == 0
    copied = aloi("registry", "backup", file, "lost.db", home=home)
    assert copied.code == 0, copied.err
    for each in file.parent.glob("registry.db*"):
        each.unlink()
    for mark in ("registry.begun", "tiles/checkpoint"):  # either of them is enough
        assert (file.parent / mark).exists()
        for words in (("serve", file), ("erase", file, 0, "--reason", "asked")):
            said = aloi("registry", *words, home=home)
            assert said.code == 5
            assert "to begin “lost.example/log” anew would be another history" in said.err
            assert "aloi registry restore" in said.err
        (file.parent / "registry.begun").unlink(missing_ok=True)
    restored = aloi("registry", "restore", "lost.db", file, home=home)
    assert restored.code == 0, restored.err
    with serving("serve", file, home=home) as address:
        assert aloi("registry", "trust", address, "found.policy", home=home).code == 0


SYSTEM = """\
name: bot
title: Bot
purpose: answers
owner: us
languages: [en]
prompt: You answer politely.
target: {kind: callable, callable: "asked_bot:answer"}
assurance:
  hazards:
    jailbreak: {threshold: 0.3, cap: 20, attacks: {plain: 1}}
  benign: {questions: {en: ["What are your opening hours?"]}, selection_trials: 10}
"""
BOT = """\
from pathlib import Path

def answer(messages):
    Path("asked").touch()
    return "No."
"""


def measured(home, *more):
    (home / "system.yaml").write_text(SYSTEM)
    (home / "asked_bot.py").write_text(BOT)
    return aloi("measure", "system.yaml", "--json", *more, home=home, path=[home])


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Somebody with a key and a registry that lets that key publish."""
    home = tmp_path_factory.mktemp("own")
    assert aloi("keys", "new", home=home).code == 0
    aloi("registry", "init", "reg", "--name", NAME, home=home)
    file = home / "reg" / "registry.yaml"
    key = "submitters:\n  - {name: Us, keys: [../aloi/keys/default.pub.pem]}\n"
    file.write_text(file.read_text().replace("submitters: []\n", key).replace("127.0.0.1:8420", "127.0.0.1:0"))
    return home


def test_a_plan_is_registered_before_the_first_query(own):
    with serving("serve", own / "reg" / "registry.yaml", home=own) as address:
        aloi("registry", "trust", address, "trust.policy", home=own)
        said = measured(own, "--register", address, "--policy", "trust.policy")
        assert said.code in {0, 6}, said.err
        run = json.loads(said.out)["run"]
        proof = own / run / "bundle.proofs" / "plan.tlog-proof"
        assert proof.read_text().splitlines()[1] == "index 0"
        assert aloi("share", run, "--to", address, "--policy", "trust.policy", home=own).code == 0
        verified = json.loads(aloi("verify", run, "--policy", "trust.policy", "--json", home=own).out)
        plans = [each for each in verified["published"] if each["name"] == "plan"]
        assert {each["index"] for each in plans} == {0}
        assert all(each["index"] > 0 for each in verified["published"] if each["name"] != "plan")


def test_a_plan_that_cannot_be_registered_is_not_carried_out(own):
    (own / "asked").unlink(missing_ok=True)
    for words, code in (
        (("--register", "http://127.0.0.1:9", "--policy", "trust.policy"), 5),
        (("--register", "http://127.0.0.1:9"), 2),
        (("--policy", "trust.policy"), 2),
    ):
        said = measured(own, *words)
        assert said.code == code, said.err
    assert not (own / "asked").exists()


def test_a_run_that_has_asked_is_not_registered_as_if_it_had_not(own):
    run = json.loads(measured(own, "--runs", "later").out)["run"]
    said = aloi(
        "assure", "--resume", run, "--register", "http://127.0.0.1:9", "--policy", "trust.policy", home=own, path=[own]
    )
    assert said.code == 2
    assert "its plan can no longer be registered before" in said.err


def test_what_was_said_of_a_result_later_stands_beside_it(own):
    """Withdrawn by its author, disputed by somebody else, replied to: all of it is looked up."""
    assert aloi("keys", "new", "critic.pem", home=own).code == 0
    file = own / "reg" / "registry.yaml"
    critic = "  - {name: Critic, keys: [../critic.pub.pem]}\n"
    file.write_text(file.read_text().replace("default.pub.pem]}\n", f"default.pub.pem]}}\n{critic}"))
    with serving("serve", file, home=own) as address:
        trusted = aloi("registry", "trust", address, "later.policy", home=own)
        assert trusted.code == 0, trusted.err
        said = measured(own, "--register", address, "--policy", "later.policy", "--runs", "told")
        assert said.code in {0, 6}, said
        run = json.loads(said.out)["run"]
        assert aloi("share", run, "--to", address, "--policy", "later.policy", home=own).code == 0
        claims = json.loads(aloi("verify", run, "--json", home=own).out)["claims"]
        (finding,) = [each["envelope"] for each in claims if each["name"] == "finding"]
        words = (
            ("dispute", finding, "--organisation", "Critic", "--reason", "the cap is low", "--key", "critic.pem"),
            ("reply", "dispute.dsse.json", "--organisation", "Us", "--reason", "it was planned"),
            ("withdraw", finding, "--organisation", "Us", "--reason", "error-in-data", "--text", "a bad item"),
        )
        for word in words:
            name = f"{word[0]}.dsse.json"
            said = aloi("state", *word, "--output", name, home=own)
            assert said.code == 0, said.err
            shared = aloi(
                "share", name, "--to", address, "--policy", "later.policy", "--trust", "critic.pub.pem", home=own
            )
            assert shared.code == 0, shared.err
        subject = "sha256:" + json.loads(aloi("verify", run, "--json", home=own).out)["subject"][0]["digest"]["sha256"]
        found = aloi("lookup", subject, "--from", address, "--policy", "later.policy", home=own)
        told = json.loads(
            aloi("lookup", subject, "--from", address, "--policy", "later.policy", "--json", home=own).out
        )
    states = {each["logged"]["envelope"]: each["state"] for each in told["statements"]}
    assert states[finding] == "withdrawn"
    assert "WITHDRAWN by" in found.out
    assert "the cap is low" in found.out
    assert "it was planned" in found.out


EXTRAS = {
    "sqlalchemy": ("serve", "check", "backup", "restore", "erase"),
    "starlette": ("serve",),
    "prometheus_client": ("serve",),
}
WITHOUT = """
import sys
sys.modules[{package!r}] = None
sys.argv = {arguments!r}
from aloi.cli.main import main
main()
"""


@pytest.mark.parametrize(("package", "verb"), [(each, verb) for each, verbs in EXTRAS.items() for verb in verbs])
def test_a_package_that_is_not_installed_names_the_extra(home, shared, package, verb):
    more = {"backup": ["b.db"], "restore": [], "erase": ["0", "--reason", "x"]}.get(verb, [])
    files = ["copy.db", "reg/registry.yaml"] if verb == "restore" else ["reg/registry.yaml"]
    code = WITHOUT.format(package=package, arguments=["aloi", "registry", verb, *files, *more])
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment(home), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2, ended.stderr
    assert "pip install 'aloi[registry]'" in ended.stderr
