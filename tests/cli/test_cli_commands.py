"""The small commands: keys, catalog, applies, init."""

import json
import stat

import pytest

from aloi.translation import LANGUAGES
from cli.command import aloi


def test_a_new_key_is_private_and_its_public_half_is_not(tmp_path):
    said = aloi("keys", "new", home=tmp_path)
    assert said.code == 0, said.err
    private = tmp_path / "aloi" / "keys" / "default.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    public = private.with_suffix(".pub.pem")
    assert b"PUBLIC KEY" in public.read_bytes()
    assert private.read_text().splitlines()[1] not in said.out
    for name in ((), (private,), (public,)):
        shown = aloi("keys", "show", *name, home=tmp_path)
        assert shown.code == 0, shown.err
        assert shown.out.splitlines()[0] in said.out
        assert public.read_text() in shown.out
        assert "PRIVATE" not in shown.out


def test_a_key_is_never_overwritten(tmp_path):
    assert aloi("keys", "new", "k.pem", home=tmp_path).code == 0
    kept = {file: file.read_bytes() for file in tmp_path.iterdir()}
    again = aloi("keys", "new", "k.pem", home=tmp_path)
    assert again.code == 2
    assert "k.pem" in again.err
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == kept


def test_a_public_key_that_is_there_is_not_overwritten_either(tmp_path):
    (tmp_path / "k.pub.pem").write_text("somebody's")
    said = aloi("keys", "new", "k.pem", home=tmp_path)
    assert said.code == 2
    assert (tmp_path / "k.pub.pem").read_text() == "somebody's"
    assert not (tmp_path / "k.pem").exists()


def test_a_passphrase_closes_the_key(tmp_path):
    made = aloi("keys", "new", "k.pem", home=tmp_path, ALOI_KEY_PASSPHRASE="correct horse")
    assert made.code == 0
    assert "ENCRYPTED" in (tmp_path / "k.pem").read_text()
    assert "correct horse" not in made.out + made.err
    assert aloi("keys", "show", "k.pem", home=tmp_path).code == 2
    wrong = aloi("keys", "show", "k.pem", home=tmp_path, ALOI_KEY_PASSPHRASE="wrong horse")
    assert wrong.code == 2
    assert "wrong horse" not in wrong.err
    assert aloi("keys", "show", "k.pem", home=tmp_path, ALOI_KEY_PASSPHRASE="correct horse").code == 0


@pytest.mark.parametrize("algorithm", ["ed25519", "p256", "ml-dsa-44"])
def test_every_algorithm_makes_a_key(tmp_path, algorithm):
    assert algorithm in aloi("keys", "new", "k.pem", "--algorithm", algorithm, home=tmp_path).out


@pytest.mark.parametrize("name", ["absent.pem", "folder"])
def test_a_key_that_cannot_be_shown(tmp_path, name):
    (tmp_path / "folder").mkdir()
    said = aloi("keys", "show", name, home=tmp_path)
    assert said.code == 2
    assert name in said.err
    assert "Traceback" not in said.err


def test_a_key_that_others_can_read_is_refused(tmp_path):
    aloi("keys", "new", "k.pem", home=tmp_path)
    (tmp_path / "k.pem").chmod(0o644)
    said = aloi("keys", "show", "k.pem", home=tmp_path)
    assert said.code == 2
    assert "chmod" in said.err


KINDS = {
    "hazards": "hidden-context-exposure",
    "probes": "data-disclosure",
    "remedies": "secret-filter",
    "frameworks": "eu-ai-act@2026-07-27",
}


@pytest.mark.parametrize(("kind", "known"), KINDS.items(), ids=KINDS)
def test_the_catalogue(tmp_path, kind, known):
    english, french = (aloi("--lang", language, "catalog", kind, home=tmp_path) for language in LANGUAGES)
    assert english.code == french.code == 0
    assert known in english.out
    assert known in french.out
    told = json.loads(aloi("catalog", kind, "--json", home=tmp_path).out)
    assert known in [row["name"] for row in told]
    assert all(row["text"] for row in told)
    assert "\x1b" not in english.out


def test_a_hazard_with_all_that_is_known_of_it(tmp_path):
    (told,) = json.loads(aloi("catalog", "hazards", "indirect-injection", "--json", home=tmp_path).out)
    assert told["tier"] == "visible"
    assert told["surfaces"] == ["endpoint", "agent"]
    assert told["scorers"] == ["oracle"]
    assert "indirect-injection" in told["probes"]
    assert {"framework": "owasp-llm@2026", "id": "LLM01:2026", "unconfirmed": False} in told["maps_to"]
    said = aloi("catalog", "hazards", "indirect-injection", home=tmp_path)
    assert told["description"] in said.out
    assert "owasp-llm@2026:LLM01:2026, owasp-agentic@2026:ASI01:2026, mitre-atlas@2026.09:AML.T0051.001" in said.out
    french = aloi("--lang", "fr", "catalog", "hazards", "indirect-injection", home=tmp_path)
    assert "surfaces\u202f: point d\u2019accès, agent\u202f; noteurs\u202f: oracle\u202f;" in french.out


def test_a_remedy_with_what_it_was_measured_to_do(tmp_path):
    (told,) = json.loads(aloi("catalog", "remedies", "request-limits", "--json", home=tmp_path).out)
    assert (told["kind"], told["hazards"], told["title"]) == ("limit", ["resource-abuse"], "Request limits")
    assert told["options"]["same_result"] == 2
    assert {"explanation", "cost", "reference"} <= set(told)
    (measured,) = told["measured"]
    assert measured["command"] == "make bench BENCH=catalogue"
    assert measured["figures"]["after"] == 0
    said = aloi("catalog", "remedies", "request-limits", home=tmp_path).out
    assert measured["text"] in said
    assert "same_result=2" in said
    french = aloi("--lang", "fr", "catalog", "remedies", "output-budget", home=tmp_path).out
    assert "pas encore été mesuré séparément" in french


def test_a_hazard_names_its_remedies_or_says_that_there_is_none(tmp_path):
    told = {row["name"]: row for row in json.loads(aloi("catalog", "hazards", "--json", home=tmp_path).out)}
    assert "hardened-prompt" in told["confabulation"]["remedies"]
    assert told["unmarked-media"]["remedies"] == []
    assert "no remedy here" in aloi("catalog", "hazards", "unmarked-media", home=tmp_path).out
    assert "aucun remède ici" in aloi("--lang", "fr", "catalog", "hazards", "unmarked-media", home=tmp_path).out


def test_what_could_not_be_confirmed_and_what_is_never_asked_is_said(tmp_path):
    assert "iasr@2026:2.2.2 (unconfirmed)" in aloi("catalog", "hazards", "loss-of-control", home=tmp_path).out
    assert "never asked of a system" in aloi("catalog", "hazards", "sexual-abuse-media", home=tmp_path).out


@pytest.mark.parametrize(("kind", "known"), KINDS.items(), ids=KINDS)
def test_one_entry_of_a_catalogue(tmp_path, kind, known):
    assert [row["name"] for row in json.loads(aloi("catalog", kind, known, "--json", home=tmp_path).out)] == [known]
    absent = aloi("catalog", kind, known[:-2], home=tmp_path)
    assert absent.code == 2
    assert known in absent.err
    assert absent.out == ""


def test_a_worked_question_of_law(tmp_path):
    # Q6b: a recruitment tool placed before the cut-off and redesigned after it.
    given = (
        "--role",
        "provider",
        "--class",
        "hr-annex3",
        "--on",
        "2027-12-15",
        "--placed",
        "2026-06-30",
        "--redesigned",
    )
    said = aloi("applies", *given, home=tmp_path)
    assert said.code == 0, said.err
    assert "not legal advice" in said.out
    told = json.loads(aloi("applies", *given, "--json", home=tmp_path).out)
    assert {"binds"} <= {found["status"] for found in told["provisions"]}
    french = aloi("--lang", "fr", "applies", *given, home=tmp_path)
    assert french.code == 0
    assert french.out != said.out


WRONG = {"role": ("--role", "king"), "class": ("--role", "provider", "--class", "no-such")}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_a_situation_that_cannot_be_read(tmp_path, given):
    said = aloi("applies", *given, "--on", "2027-12-15", home=tmp_path)
    assert said.code == 2
    assert given[-1] in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("language", LANGUAGES)
def test_init_writes_a_file_that_opens_and_never_over_another(tmp_path, language):
    from aloi.system.reading import open_system

    said = aloi("--lang", language, "init", "mine", home=tmp_path)
    assert said.code == 0, said.err
    open_system(tmp_path / "mine")
    (tmp_path / "mine" / "system.yaml").write_text("kept")
    again = aloi("--lang", language, "init", "mine", home=tmp_path)
    assert again.code == 2
    assert "system.yaml" in again.err
    assert (tmp_path / "mine" / "system.yaml").read_text() == "kept"


def test_every_command_speaks_to_machines(tmp_path):
    key = json.loads(aloi("keys", "new", "k.pem", "--json", home=tmp_path).out)
    shown = json.loads(aloi("keys", "show", key["public"], "--json", home=tmp_path).out)
    assert shown["id"] == key["id"]
    assert shown["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert json.loads(aloi("init", "mine", "--json", home=tmp_path).out) == {"file": "mine/system.yaml"}
    failed = aloi("init", "mine", "--json", home=tmp_path)
    assert failed.code == 2
    assert json.loads(failed.out)["error"] == "AskerError"


def test_each_command_has_the_option_for_machines():
    from aloi.cli.main import aloi as group

    def leaves(command):
        return (
            [leaf for name in command.commands for leaf in leaves(command.commands[name])]
            if hasattr(command, "commands") and command.commands
            else [command]
        )

    for name in group.list_commands(None):
        for leaf in leaves(group.get_command(None, name)):
            assert "--json" in {option for parameter in leaf.params for option in parameter.opts}, leaf.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_attacks_are_listed_with_a_line_and_their_languages(tmp_path, language):
    said = aloi("catalog", "attacks", "--json", home=tmp_path, ALOI_LANG=language)
    rows = {row["name"]: row for row in json.loads(said.out)}
    assert len(rows) >= 19
    assert rows["rot13"]["kind"] == "de, en, es, fr"
    assert rows["plain"]["kind"] == {"en": "every language", "fr": "toutes les langues"}[language]
    assert rows["model-attacker"]["text"].startswith(
        {"en": "A model that you name", "fr": "Un modèle que vous"}[language]
    )
    one = aloi("catalog", "attacks", "crescendo", home=tmp_path, ALOI_LANG=language)
    assert {"en": "Three to five turns", "fr": "Trois à cinq tours"}[language] in one.out
    missing = aloi("catalog", "attacks", "roleplay", home=tmp_path, ALOI_LANG=language)
    assert missing.code == 2
    assert "role-play" in missing.err


USAGE = {
    "no such command": (("nothing",), "UsageError", "--help"),
    "no such verb": (("standards", "cover"), "NoSuchCommand", "standards --help"),
    "a missing argument": (("standards", "coverage"), "MissingParameter", "standards coverage --help"),
    "a missing option": (("export", "x"), "MissingParameter", "export --help"),
    "an unknown option": (("verify", "x", "--no-such"), "NoSuchOption", "verify --help"),
    "a wrong choice": (("export", "x", "--format", "pdf", "--output", "y"), "BadParameter", "export --help"),
    "no day": (("applies", "--on", "soon"), "BadParameter", "applies --help"),
}


@pytest.mark.parametrize("case", USAGE)
def test_a_wrong_command_line_is_told_to_machines_as_other_errors_are(case, tmp_path):
    arguments, error, next_ = USAGE[case]
    said = aloi(*arguments, "--json", home=tmp_path)
    told = json.loads(said.out)
    assert (said.code, said.err) == (2, "")
    assert set(told) == {"error", "reason", "message"}
    assert (told["error"], told["reason"]) == (error, "")
    assert told["message"][0]
    assert next_ in told["message"][-1]
    plain = aloi(*arguments, home=tmp_path)
    assert (plain.code, plain.out) == (2, "")
    assert told["message"][0].split()[0] in plain.err
