"""`aloi verify` on a bundle of an old edition: it holds for ever, and nothing else does."""

import json
import shutil
from pathlib import Path

import pytest

from aloi.evidence.keys import PrivateKey
from cli.command import aloi

GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"
BUNDLE, KEY = GOLDEN / "bundle-v1.json", GOLDEN / "bundle-v1.pem"


def test_it_holds_and_says_what_is_not_claimed(tmp_path):
    said = aloi("verify", BUNDLE, "--key", KEY, home=tmp_path)
    assert said.code == 0, said.err
    assert said.out.count("finding ") == 10
    assert "What is not claimed" in said.out
    assert "that there is no risk" in said.out
    for word in ("compliant", "is safe", "certified"):
        assert word not in said.out.lower()
    assert not list(tmp_path.iterdir())


def test_in_french(tmp_path):
    english = aloi("verify", BUNDLE, "--key", KEY, home=tmp_path)
    french = aloi("--lang", "fr", "verify", BUNDLE, "--key", KEY, home=tmp_path)
    assert french.code == 0
    assert french.out != english.out
    assert len(french.out.splitlines()) == len(english.out.splitlines())


def test_for_machines(tmp_path):
    told = json.loads(aloi("verify", BUNDLE, "--key", KEY, "--json", home=tmp_path).out)
    assert told["holds"]
    assert told["non_claims"]
    assert [claim["name"] for claim in told["claims"]].count("finding") == 10
    assert all(signer["trusted"] for signer in told["packed_by"])


def test_your_own_key_is_trusted_where_none_is_named(tmp_path):
    keys = tmp_path / "aloi" / "keys"
    keys.mkdir(parents=True)
    shutil.copy(KEY, keys / "default.pub.pem")
    assert aloi("verify", BUNDLE, home=tmp_path).code == 0
    (keys / "default.pub.pem").write_bytes(PrivateKey.generate().public.pem())
    assert aloi("verify", BUNDLE, home=tmp_path).code == 4


def foreign(folder: Path) -> list[object]:
    (folder / "foreign.pem").write_bytes(PrivateKey.generate().public.pem())
    return [BUNDLE, "--key", "foreign.pem"]


def spoiled(change):
    def arguments(folder: Path) -> list[object]:
        (folder / "bundle.json").write_bytes(change(BUNDLE.read_bytes()))
        return ["bundle.json", "--key", KEY]

    return arguments


def with_a_key_of(text: bytes):
    def arguments(folder: Path) -> list[object]:
        (folder / "key.pem").write_bytes(text)
        return [BUNDLE, "--key", "key.pem"]

    return arguments


REFUSED = {
    "foreign key": (foreign, 4),
    "no key at all": (lambda _: [BUNDLE], 4),
    "more keys than there are": (lambda _: [BUNDLE, "--key", KEY, "--threshold", "2"], 4),
    "one key given twice": (lambda _: [BUNDLE, "--key", KEY, "--key", KEY, "--threshold", "2"], 4),
    "truncated": (spoiled(lambda data: data[: len(data) // 2]), 4),
    "last byte gone": (spoiled(lambda data: data[:-1]), 4),
    "one byte flipped": (spoiled(lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:]), 4),
    "empty": (spoiled(lambda _: b""), 4),
    "not JSON": (spoiled(lambda _: b"\x00\xff\xfe" * 9), 4),
    "deeply nested": (spoiled(lambda _: b"[" * 100_000), 4),
    "another JSON": (spoiled(lambda _: b"{}"), 4),
    "missing file": (lambda _: ["absent.json", "--key", KEY], 2),
    "a folder without a bundle": (lambda folder: [folder, "--key", KEY], 2),
    "missing key": (lambda _: [BUNDLE, "--key", "absent.pem"], 2),
    "key that is none": (with_a_key_of(b"hello"), 2),
    "empty key": (with_a_key_of(b""), 2),
}


@pytest.mark.parametrize(("arguments", "code"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_hold_is_refused(tmp_path, arguments, code):
    said = aloi("verify", *arguments(tmp_path), home=tmp_path)
    assert said.code == code, said.err
    assert said.err.startswith("Error: ")
    assert "Traceback" not in said.err
    assert not said.out


def test_a_refusal_for_machines_holds_its_reason(tmp_path):
    said = aloi("verify", *foreign(tmp_path), "--json", home=tmp_path)
    told = json.loads(said.out)
    assert said.code == 4
    assert told["error"]
    assert told["reason"]
    assert told["message"]
    assert not said.err
