"""`aloi consensus` asks registries: complete, with what bundles add, in both languages; and its mistakes."""

import json

import pytest

from cli.command import aloi, serving
from consensus.laboratory import HAZARD

NAMES = ("north", "south", "east", "west")


def begun(home, name, log, submitters):
    assert aloi("registry", "init", name, "--name", log, home=home).code == 0
    file = home / name / "registry.yaml"
    listed = "".join(f"  - {{name: {each} laboratory, keys: [../{each}.pub.pem]}}\n" for each in submitters)
    settings = file.read_text().replace("127.0.0.1:8420", "127.0.0.1:0")
    settings = settings.replace("requests_per_minute: 1200", "requests_per_minute: 100000")  # all ask from one address
    file.write_text(settings.replace("submitters: []\n", f"submitters:\n{listed}"))
    return file


@pytest.fixture(scope="module")
def home(tmp_path_factory, four, failing):
    """A folder of bundles and keys, with a registry for the four who agree, and one for two of them all."""
    home = tmp_path_factory.mktemp("registries")
    for one in (*four, failing):
        (home / f"{one.name}.json").write_bytes(one.bundle)
        (home / f"{one.name}.pub.pem").write_bytes(one.key.public.pem())
    return home


@pytest.fixture(scope="module")
def urls(home):
    first = begun(home, "one", "one.example.org/log", NAMES)
    second = begun(home, "two", "two.example.org/log", ("west", "failing"))
    with serving("serve", first, home=home) as one, serving("serve", second, home=home) as two:
        for url, file in ((one, "one.policy"), (two, "two.policy")):
            assert aloi("registry", "trust", url, file, home=home).code == 0
        logs = [(home / file).read_text() for file in ("one.policy", "two.policy")]
        own = [line for line in logs[1].splitlines() if line.startswith("log ")]
        (home / "both.policy").write_text(logs[0].replace("\nquorum", "\n" + "\n".join(own) + "\nquorum"))
        for name, url in (*((each, one) for each in NAMES), ("west", two)):
            said = aloi(
                "share", f"{name}.json", "--to", url, "--policy", "both.policy", "--trust", f"{name}.pub.pem", home=home
            )
            assert said.code == 0, said.err
        yield one, two


@pytest.fixture(scope="module")
def system(four):
    return four[0].source.plan.subject[0].fingerprint


def test_the_systems_digest_is_enough(home, urls, system):
    said = aloi("consensus", system, "--registry", urls[0], "--policy", "one.policy", home=home)
    assert said.code == 0, said.err
    assert "Verified bundles: 0. Complete: proved by each log, for what it holds." in said.out
    assert "one.example.org/log proves that of its " in said.out
    assert "the log's word alone, your policy asks for no witness" in said.out
    assert "1. north laboratory: 5.0% (" in said.out
    assert "Pooled from 4 independent clusters" in said.out


def test_several_registries_and_bundles_together(home, urls, system):
    asked = ("--registry", urls[0], "--registry", urls[1], "--policy", "both.policy")
    said = aloi("consensus", system, *asked, "--html", "page.html", "--json", home=home)
    assert said.code == 0, said.err
    found = json.loads(said.out)["consensus"]
    assert [log["log"] for log in found["logs"]] == ["one.example.org/log", "two.example.org/log"]
    assert len(found["hazards"][0]["pools"][0]["clusters"]) == 4
    made = (home / "page.html").read_text(encoding="utf-8")
    assert "The logs that were asked" in made
    assert "two.example.org/log" in made
    assert f"aloi consensus {system} --registry {urls[0]} --registry {urls[1]} --policy POLICY" in made
    mixed = aloi("consensus", "failing.json", *asked, "--key", "failing.pub.pem", home=home)
    assert mixed.code == 6, mixed.err
    assert "Outside what is predicted: 1. failing" in mixed.out
    assert "Verified bundles: 1." in mixed.out


def test_the_page_in_french(home, urls, system):
    asked = ("--registry", urls[0], "--policy", "one.policy", "--html", "french.html")
    said = aloi("--lang", "fr", "consensus", system, *asked, home=home)
    assert said.code == 0, said.err
    assert "Les journaux interrogés" in (home / "french.html").read_text(encoding="utf-8")


def test_that_nothing_is_known_is_an_answer(home, urls):
    nobody = "sha256:" + "0" * 64
    said = aloi("consensus", nobody, "--registry", urls[0], "--policy", "one.policy", "--html", "none.html", home=home)
    assert said.code == 6, said.err
    assert "No result on this system is known." in said.out
    assert "No result on this system is known." in (home / "none.html").read_text(encoding="utf-8")


MISTAKES = {
    "a registry without a policy": (("SYSTEM", "--registry", "URL"), 2, "--policy"),
    "a policy without a registry": (("SYSTEM", "--policy", "one.policy"), 2, "--registry"),
    "a digest alone": (("SYSTEM",), 2, "no evidence on it is given"),
    "two systems": (("SYSTEM", "sha256:" + "0" * 64, "--registry", "URL", "--policy", "one.policy"), 2, "several"),
    "another log": (("SYSTEM", "--registry", "URL", "--policy", "two.policy"), 4, "by a key that you named"),
    "nobody answers": (("SYSTEM", "--registry", "http://127.0.0.1:9", "--policy", "one.policy"), 5, "127.0.0.1:9"),
    "one log twice": (
        ("SYSTEM", "--registry", "URL", "--registry", "URL/", "--policy", "one.policy"),
        2,
        "show one and the same log",
    ),
    "a hazard that nobody measured": (
        ("SYSTEM", "--hazard", "weapons-uplift", "--registry", "URL", "--policy", "one.policy"),
        2,
        HAZARD,
    ),
}


@pytest.mark.parametrize(("arguments", "code", "told"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(home, urls, system, arguments, code, told):
    words = [each.replace("URL", urls[0]).replace("SYSTEM", system) for each in arguments]
    said = aloi("consensus", *words, home=home)
    assert (said.code, told in said.err) == (code, True), said.err


def test_a_submitter_that_is_an_organisation_is_told_as_one(home, system, four):
    """Its roster is looked up without being named."""
    file = begun(home, "three", "three.example.org/log", ("north",))
    file.write_text(file.read_text().replace("keys: [../north", "organisation: north.example.org, keys: [../north"))
    (home / "north.dsse.json").write_bytes(four[0].organisation("north.example.org"))
    with serving("serve", file, home=home) as url:
        assert aloi("registry", "trust", url, "three.policy", home=home).code == 0
        for each in ("north.dsse.json", "north.json"):
            said = aloi("share", each, "--to", url, "--policy", "three.policy", "--trust", "north.pub.pem", home=home)
            assert said.code == 0, said.err
        found = aloi("consensus", system, "--registry", url, "--policy", "three.policy", "--json", home=home)
        looked = aloi("lookup", system, "--from", url, "--policy", "three.policy", home=home)
    [view] = json.loads(found.out)["consensus"]["hazards"]
    evaluator = view["evidence"][0]["evaluator"]
    assert (evaluator["name"], evaluator["relation"]) == ("north of north.example.org", "third_party")
    assert "by north.example.org" in looked.out
