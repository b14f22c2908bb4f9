"""`aloi verify` on a bundle of an old edition: it holds for ever, and nothing else does."""

import json
import shutil
from pathlib import Path

import pytest

from aloi.evidence.keys import PrivateKey
from cli.command import aloi

GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"
NEWER = GOLDEN / "bundle-v2.json"
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


def test_whose_word_a_result_is_stands_where_it_was_declared(tmp_path):
    older = aloi("verify", BUNDLE, "--key", KEY, home=tmp_path)
    newer = aloi("verify", NEWER, "--key", KEY, home=tmp_path)
    assert newer.code == 0, newer.err
    own = "Word    the signer's own, of what they measured"
    assert own in newer.out
    assert own not in older.out
    claims = [[line for line in said.out.splitlines() if line.startswith("  finding ")] for said in (older, newer)]
    assert claims[0] == claims[1]
    assert len(claims[0]) == 10
    told = json.loads(aloi("verify", NEWER, "--key", KEY, "--json", home=tmp_path).out)
    assert [claim["assurance_level"] for claim in told["claims"][:2]] == [None, "self_attested"]


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


POLICY = GOLDEN / "logged-v1.policy"
PLAN, MANIFEST = GOLDEN / "logged-v1.plan.tlog-proof", GOLDEN / "logged-v1.manifest.tlog-proof"
LOGGED = ["--key", KEY, "--policy", POLICY]


def test_what_a_log_shows_of_the_plan_takes_the_place_of_a_non_claim(tmp_path):
    unlogged = aloi("verify", BUNDLE, "--key", KEY, home=tmp_path)
    said = aloi("verify", BUNDLE, *LOGGED, "--proof", PLAN, "--proof", MANIFEST, home=tmp_path)
    assert said.code == 0, said.err
    assert "plan        entry 1 of log.example/one, seen by 2023-11-14T22:13:21Z (University, Notary)" in said.out
    assert "was there by 2023-11-15T00:13:21Z: 2 h 0 min 0 s between" in said.out
    assert "15 of 16 statements have no proof of their own; the manifest names them." in said.out
    assert "that the plan was public before the run" in unlogged.out
    assert "that the plan was public before the run" not in said.out
    assert "that nothing was run before the plan was logged" in said.out
    french = aloi("--lang", "fr", "verify", BUNDLE, *LOGGED, "--proof", MANIFEST, home=tmp_path)
    assert "manifeste   entrée " in french.out


def test_what_a_log_shows_for_machines_and_in_french(tmp_path):
    told = json.loads(aloi("verify", BUNDLE, *LOGGED, "--proof", PLAN, "--json", home=tmp_path).out)
    assert [(each["name"], each["log"], each["by"]) for each in told["published"]] == [
        ("plan", "log.example/one", 1_700_000_001)
    ]
    assert [each["order"] for each in told["registered"]] == ["alone"]
    assert "cosignatures" in told["holds"]
    english = aloi("verify", BUNDLE, *LOGGED, "--proof", PLAN, "--proof", MANIFEST, home=tmp_path)
    french = aloi("--lang", "fr", "verify", BUNDLE, *LOGGED, "--proof", PLAN, "--proof", MANIFEST, home=tmp_path)
    assert french.code == 0
    assert len(french.out.splitlines()) == len(english.out.splitlines())
    assert "2023-11-14T22:13:21Z" in french.out
    assert not {line for line in french.out.splitlines() if "log.example/one" in line} & set(english.out.splitlines())


def beside(folder: Path, *names: str) -> Path:
    shutil.copy(BUNDLE, folder / "bundle.json")
    for name, proof in zip(names, (PLAN, MANIFEST), strict=False):
        shutil.copy(proof, folder / name)
    return folder / "bundle.json"


def test_proofs_beside_the_bundle_are_found(tmp_path):
    bundle = beside(tmp_path, "bundle.json.plan.tlog-proof", "bundle.json.tlog-proof")
    shutil.copy(POLICY, tmp_path / "bundle.tlog-proof")  # of another file: not read
    said = aloi("verify", bundle, *LOGGED, home=tmp_path)
    assert said.code == 0, said.err
    assert "plan        entry 1" in said.out
    assert "manifest    entry 17" in said.out
    assert aloi("verify", tmp_path, *LOGGED, home=tmp_path).out == said.out
    (tmp_path / "bundle.proofs").mkdir()
    for number, name in enumerate(("bundle.json.plan.tlog-proof", "bundle.json.tlog-proof")):
        (tmp_path / name).rename(tmp_path / "bundle.proofs" / f"{number}.tlog-proof")
    assert aloi("verify", bundle, *LOGGED, home=tmp_path).out == said.out
    hint = aloi("verify", bundle, "--key", KEY, home=tmp_path)
    assert hint.code == 0
    assert "Name a policy with --policy" in hint.err
    assert "entry 1" not in hint.out


def test_a_proof_that_does_not_hold_is_named(tmp_path):
    bundle = beside(tmp_path, "bundle.json.plan.tlog-proof")
    proof = tmp_path / "bundle.json.plan.tlog-proof"
    proof.write_bytes(PLAN.read_bytes().replace(b"\nindex 1\n", b"\nindex 0\n"))
    said = aloi("verify", bundle, *LOGGED, "--json", home=tmp_path)
    told = json.loads(said.out)
    assert (said.code, told["reason"]) == (4, "not-included")
    assert "bundle.json.plan.tlog-proof: " in told["message"][0]


def with_a_policy_of(text: str, *more: object):
    def arguments(folder: Path) -> list[object]:
        (folder / "trust.policy").write_text(text, encoding="utf-8")
        return [BUNDLE, "--key", KEY, "--policy", "trust.policy", *more]

    return arguments


def test_every_fault_of_a_policy_is_told_with_its_line(tmp_path):
    text = POLICY.read_text(encoding="utf-8").replace("two 2", "two 9").replace("Post post", "Post nobody")
    said = aloi("verify", *with_a_policy_of(text, "--proof", PLAN)(tmp_path), home=tmp_path)
    assert said.code == 2
    assert "trust.policy:8: " in said.err
    assert "trust.policy:9: " in said.err


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
    "a policy and no proof": (lambda _: [BUNDLE, *LOGGED], 4),
    "a policy that is none": (with_a_policy_of("", "--proof", PLAN), 2),
    "a policy of others": (
        with_a_policy_of(
            "log sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8\nquorum none\n", "--proof", PLAN
        ),
        4,
    ),
    "a proof and no policy": (lambda _: [BUNDLE, "--key", KEY, "--proof", PLAN], 2),
    "a proof that is missing": (lambda _: [BUNDLE, *LOGGED, "--proof", "absent.tlog-proof"], 2),
    "a policy that is missing": (lambda _: [BUNDLE, "--key", KEY, "--policy", "absent.policy", "--proof", PLAN], 2),
    "a bundle for a proof": (lambda _: [BUNDLE, *LOGGED, "--proof", BUNDLE], 4),
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
