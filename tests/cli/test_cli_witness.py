"""From the command line to a bundle that a stranger verifies: a registry, a witness of it, and what both signed."""

import json
import shutil

import pytest

from cli.command import aloi, serving

GOLDEN = "tests/evidence/golden"


@pytest.fixture
def home(tmp_path):
    """A bundle, and a registry and a witness begun, which know each other's keys."""
    shutil.copy(f"{GOLDEN}/bundle-v1.json", tmp_path / "bundle.json")
    shutil.copy(f"{GOLDEN}/bundle-v1.pem", tmp_path / "author.pem")
    begun = {}
    for folder, words in {"reg": ("init",), "wit": ("witness", "init")}.items():
        said = aloi("registry", *words, folder, "--name", f"{folder}.example.org/1", "--json", home=tmp_path)
        assert said.code == 0, said.err
        begun[folder] = json.loads(said.out)["key"]
    settle(tmp_path / "wit" / "witness.yaml", {"logs: []": f"logs: ['{begun['reg']}']", ":8421": ":0"})
    policy = f"log {begun['reg']}\nwitness w {begun['wit']}\noperator University w\nquorum University\n"
    (tmp_path / "trust.policy").write_text(policy)
    return tmp_path


def settle(file, changes):
    text = file.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def witness_key(home):
    return (home / "trust.policy").read_text().splitlines()[1].split()[2]


def test_what_is_shared_is_witnessed_and_verified_offline(home):
    file = home / "reg" / "registry.yaml"
    with serving("witness", "serve", home / "wit" / "witness.yaml", home=home) as witness:
        settle(
            file,
            {
                ":8420": ":0",
                "submitters: []\n": "submitters:\n  - {name: Author, keys: [../author.pem]}\n",
                "witnesses: []": f"witnesses: [{{key: '{witness_key(home)}', url: '{witness}'}}]",
            },
        )
        with serving("serve", file, home=home) as url:
            words = ("--to", url, "--policy", "trust.policy", "--trust", "author.pem")
            shared = aloi("share", "bundle.json", *words, home=home)
    assert shared.code == 0, shared.err
    said = aloi("verify", "bundle.json", "--key", "author.pem", "--policy", "trust.policy", "--json", home=home)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert [each["seen"][0]["operator"] for each in told["published"]] == ["University"] * 17
    assert [each["order"] for each in told["registered"]] == ["logged-before"]


def test_without_its_witness_a_registry_goes_on_and_a_reader_who_asks_for_one_is_not_satisfied(home):
    file = home / "reg" / "registry.yaml"
    settle(
        file,
        {
            ":8420": ":0",
            "submitters: []\n": "submitters:\n  - {name: Author, keys: [../author.pem]}\n",
            "witnesses: []": f"witnesses: [{{key: '{witness_key(home)}', url: 'http://127.0.0.1:1'}}]",
        },
    )
    with serving("serve", file, home=home) as url:
        words = ("--to", url, "--policy", "trust.policy", "--trust", "author.pem", "--json")
        shared = aloi("share", "bundle.json", *words, home=home)
    assert shared.code == 4
    assert json.loads(shared.out)["reason"] == "too-few-witnesses"
