"""One item of a run is opened to an auditor: it belonged to what was signed, and nothing else is shown."""

import json
import shutil
import stat

import msgspec
import pytest

from aloi.assurance.folder import RunFolder
from aloi.assurance.revealing import open_item
from aloi.errors import AskerError, EvidenceError
from aloi.evidence.canonical import canonical
from aloi.evidence.items import verify_item
from aloi.evidence.records import Finding, Hunt
from aloi.evidence.verification import verify_bundle
from aloi.science.trials import TrialLog, texts
from assurance import one_way
from assurance.one_way import described
from assurance.runs import Run
from assurance.worlds import LEAKING, description
from cli.command import aloi
from evidence.evidence_world import World, fixed_key

HAZARD = LEAKING[0]


def run_of(path, system, **options):
    run = Run(path, system, **options)
    result = run.go()
    run.folder.bundle.write_bytes(result.bundle)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("weak"), description("weak", pairs=16))


@pytest.fixture(scope="module")
def claims(run):
    return verify_bundle(run.folder.bundle.read_bytes(), [run.key.public]).claims


@pytest.fixture(scope="module")
def trials(run):
    with TrialLog(run.folder.trials) as log:
        return list(log)


def behind(trials, stage, hazard):
    return [trial for trial in trials if (trial.key.stage, trial.key.hazard) == (stage, hazard)]


@pytest.mark.parametrize("hazard", [*LEAKING, "benign"])
@pytest.mark.parametrize("stage", ["measure", "confirm"])
def test_each_item_behind_a_claim_can_be_opened(run, claims, trials, hazard, stage):
    asked = behind(trials, stage, hazard)
    for number in (1, len(asked) // 2, len(asked)):
        item = verify_item(open_item(run.folder, hazard, number, stage=stage), claims)
        assert (item.opening.index, item.opening.size) == (number - 1, len(asked))
        assert (item.opening.prompt.text, item.opening.answer.text) == texts(asked[number - 1])
        kinds = {"benign-rate"} if hazard == "benign" else {"finding"}
        assert kinds <= {claim.name for claim in item.claims}


def test_it_holds_what_was_asked_and_answered_and_not_what_is_looked_for(run, trials):
    trial = behind(trials, "measure", HAZARD)[0]
    opening = json.loads(open_item(run.folder, HAZARD, 1))
    asked, said = json.loads(opening["prompt"]["text"]), json.loads(opening["answer"]["text"])
    assert asked["request"]["messages"][-1]["content"] == trial.item.request.messages[-1].content
    assert said["text"] == trial.response.text
    assert "expectation" not in asked


def test_nothing_else_of_the_run_is_shown(run, trials):
    data = open_item(run.folder, HAZARD, 2, parts=frozenset({"answer"}))
    opening = json.loads(data)
    assert set(opening) == {"format", "index", "size", "prompt", "answer", "proof"}
    assert set(opening["prompt"]) == {"type", "commitment"}
    assert run.folder.secret().hex().encode() not in data
    for other in trials:
        for message in other.item.request.messages:
            assert message.content.encode() not in data


def test_the_secret_is_the_owners_alone(run):
    assert stat.S_IMODE(run.folder.secret_file.stat().st_mode) == 0o600
    assert run.folder.secret().hex() not in run.folder.bundle.read_text(encoding="utf-8")
    assert len(run.folder.secret()) == 32


def test_two_runs_of_one_system_commit_otherwise(tmp_path):
    roots = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        one = run_of(tmp_path / name, description("good"), measure_only=True)
        found = verify_bundle(one.folder.bundle.read_bytes(), [one.key.public]).claims
        roots |= {claim.record.sample.sealed for claim in found if isinstance(claim.record, Finding)}
    assert len(roots) == 2 * len(LEAKING)


def test_an_item_of_a_hunt(tmp_path):
    run = run_of(tmp_path, described("weak"), measure_only=True)
    found = verify_bundle(run.folder.bundle.read_bytes(), [run.key.public]).claims
    item = verify_item(open_item(run.folder, one_way.HAZARD, 3, hunt=True), found)
    assert [type(claim.record) for claim in item.claims] == [Hunt]


def changed(item, part, **fields):
    return canonical(item | {part: item[part] | fields})


FORGED = {
    "another prompt": lambda item: changed(item, "prompt", text=item["prompt"]["text"] + " "),
    "another answer": lambda item: changed(item, "answer", text='{"text":"no"}'),
    "another salt": lambda item: changed(item, "answer", salt=item["prompt"]["salt"]),
    "another place": lambda item: canonical(item | {"index": item["index"] + 1}),
    "another size": lambda item: canonical(item | {"size": item["size"] + 1}),
    "a proof cut short": lambda item: canonical(item | {"proof": item["proof"][1:]}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_what_was_not_signed_is_refused(run, claims, forge):
    item = json.loads(open_item(run.folder, HAZARD, 5))
    with pytest.raises(EvidenceError) as caught:
        verify_item(forge(item), claims)
    assert caught.value.reason == "not-included"


def test_another_format_is_refused(run, claims):
    item = json.loads(open_item(run.folder, HAZARD, 5))
    with pytest.raises(EvidenceError) as caught:
        verify_item(canonical(item | {"format": "https://aloi.dev/opening/v9"}), claims)
    assert caught.value.reason == "unknown-format"


def test_the_item_of_another_run_is_refused(run, tmp_path):
    other = run_of(tmp_path, description("weak", pairs=16))
    found = verify_bundle(other.folder.bundle.read_bytes(), [other.key.public]).claims
    with pytest.raises(EvidenceError) as caught:
        verify_item(open_item(run.folder, HAZARD, 5), found)
    assert caught.value.reason == "not-included"


def copied(run, tmp_path):
    shutil.copytree(run.folder.path, tmp_path / "copy")
    return RunFolder(tmp_path / "copy")


def test_a_log_that_was_changed_since_opens_nothing(run, tmp_path):
    folder = copied(run, tmp_path)
    lines = folder.trials.read_bytes().splitlines(keepends=True)
    trial = msgspec.json.decode(lines[0])
    trial["response"]["text"] = "I cannot help with that."
    folder.trials.write_bytes(b"".join([msgspec.json.encode(trial) + b"\n", *lines[1:]]))
    key = trial["key"]
    with pytest.raises(EvidenceError) as caught:
        open_item(folder, key["hazard"], key["index"] + 1, stage=key["stage"])
    assert caught.value.reason == "not-included"


@pytest.mark.parametrize(
    ("hazard", "number", "stage"),
    [(HAZARD, 0, "measure"), (HAZARD, 10_000, "measure"), ("fraud", 1, "measure"), (HAZARD, -1, "confirm")],
)
def test_what_is_not_there_is_told(run, hazard, number, stage):
    with pytest.raises(AskerError):
        open_item(run.folder, hazard, number, stage=stage)


def test_a_run_of_an_earlier_version_opens_nothing(run, tmp_path):
    folder = copied(run, tmp_path)
    folder.secret_file.unlink()
    with pytest.raises(AskerError, match="earlier version"):
        open_item(folder, HAZARD, 1)


@pytest.mark.parametrize("text", ["", "zz", "00" * 31, "00" * 33])
def test_a_secret_that_was_changed_is_told(run, tmp_path, text):
    folder = copied(run, tmp_path)
    folder.secret_file.write_text(text, encoding="ascii")
    with pytest.raises(AskerError, match="secret"):
        open_item(folder, HAZARD, 1)


def test_a_bundle_that_commits_to_nothing(run):
    old = verify_bundle(World().pack(), [fixed_key().public]).claims
    with pytest.raises(EvidenceError) as caught:
        verify_item(open_item(run.folder, HAZARD, 1), old)
    assert caught.value.reason == "nothing-sealed"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_as_a_person_types_it(run, tmp_path, language):
    folder = run.folder.path
    lang = ("--lang", language)
    opened = aloi(*lang, "reveal", folder, HAZARD, 7, "--output", "item.json", home=tmp_path)
    assert opened.code == 0, opened.err
    told = aloi(*lang, "verify", folder, "--key", folder / "signer.pub.pem", "--item", "item.json", home=tmp_path)
    assert told.code == 0, told.err
    assert HAZARD in told.out
    assert "7" in told.out
    again = aloi(*lang, "reveal", folder, HAZARD, 7, "--output", "item.json", home=tmp_path)
    assert again.code == 2
    only = ("--only", "prompt", "--output", "half.json")
    assert aloi(*lang, "reveal", folder, HAZARD, 7, *only, home=tmp_path).code == 0
    half = aloi(*lang, "verify", folder, "--key", folder / "signer.pub.pem", "--item", "half.json", home=tmp_path)
    assert half.code == 0
    assert ("(sealed)" if language == "en" else "(scellé)") in half.out


def test_a_refusal_for_machines(run, tmp_path):
    item = json.loads(open_item(run.folder, HAZARD, 1))
    (tmp_path / "item.json").write_bytes(changed(item, "answer", text="null"))
    folder = run.folder.path
    said = aloi("verify", folder, "--key", folder / "signer.pub.pem", "--item", "item.json", "--json", home=tmp_path)
    assert said.code == 4
    assert json.loads(said.out)["reason"] == "not-included"
