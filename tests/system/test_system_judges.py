"""Judges in `system.yaml`, calibrations, labelled answers, embeddings: what is read, and every fault that is told."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from aloi.errors import AskerError, InvalidFile, TargetError
from aloi.system.calibration import read_calibration
from aloi.system.description import TargetDescription
from aloi.system.embedding import BATCH, open_embedder
from aloi.system.labelled import read_labelled, read_rows
from aloi.system.reading import open_system
from aloi.system.target import Unscorable
from system.described import described
from system.faulty import gzip_bomb, hangs, in_turn, resets, says, says_bytes, serving

JUDGED = ("      threshold: 0.1\n", "      threshold: 0.1\n      judge: cheap\n")
TARGET = "{kind: openai, base_url: 'http://127.0.0.1:9/v1', model: m}"


def judges(text: str) -> str:
    return described(JUDGED, ("  benign:\n", f"  judges:\n{text}  benign:\n"))


def opened(folder: Path, text: str, **files: str):
    (folder / "system.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("_", ".", 1)).write_text(content, encoding="utf-8")
    return open_system(folder)


def faults(folder: Path, text: str, **files: str) -> list[tuple[int | None, str]]:
    with pytest.raises(InvalidFile) as caught:
        opened(folder, text, **files)
    return [(fault.line, str(fault)) for fault in caught.value.faults]


def test_a_judge_of_every_kind_is_read_with_its_files(tmp_path):
    text = judges(
        f"    cheap:\n      target: {TARGET}\n      criteria: {{en: It leaks.}}\n      calibration: cal.json\n"
        f"      escalate_to: person\n      audit: 0.1\n"
        f"    near: {{kind: embeddings, target: {TARGET}, exemplars: ex.csv}}\n"
        "    rule: {kind: scorer, scorer: answered}\n"
    )
    system = opened(tmp_path, text, cal_json=json.dumps(CALIBRATION), ex_csv=ROWS)
    cheap = system.description.assurance.judges["cheap"]
    assert (cheap.kind, cheap.escalate_to, cheap.audit) == ("model", "person", 0.1)
    assert system.calibrations["cheap"].tp == 9
    assert [row.label for row in system.exemplars["near"]] == ["failed", "passed"]
    assert system.description.assurance.hazards["data-disclosure"].judge == "cheap"


CALIBRATION = {
    "hazard": "data-disclosure",
    "labelled_by": "Ada",
    "labelled_on": "2026-11-22",
    "counts": {"tp": 9, "fn": 1, "fp": 0, "tn": 10},
}
ROWS = "question,answer,label\nq,It is KESTREL,failed\nq,No.,passed\n"

CONTRADICTIONS = {
    "no target": ("    cheap: {}\n", "assurance.judges.cheap.target", 26),
    "no exemplars": (
        f"    cheap: {{kind: embeddings, target: {TARGET}}}\n",
        "assurance.judges.cheap.exemplars",
        26,
    ),
    "no scorer": ("    cheap: {kind: scorer}\n", "assurance.judges.cheap.scorer", 26),
    "a target for a scorer": (
        f"    cheap: {{kind: scorer, scorer: answered, target: {TARGET}}}\n",
        "assurance.judges.cheap.target",
        26,
    ),
    "no address": (
        "    cheap:\n      target: {kind: openai}\n",
        "assurance.judges.cheap.target.base_url",
        27,
    ),
    "a key in the address": (
        "    cheap:\n      target:\n        kind: openai\n        base_url: http://u:p@127.0.0.1/v1\n",
        "assurance.judges.cheap.target.base_url",
        29,
    ),
    "no function": (
        "    cheap:\n      target: {kind: callable, callable: judge}\n",
        "assurance.judges.cheap.target.callable",
        27,
    ),
    "embeddings from a function": (
        "    cheap:\n      kind: embeddings\n      exemplars: ex.csv\n      target: {kind: callable, callable: a}\n",
        "assurance.judges.cheap.target.kind",
        29,
    ),
    "the name of people": (f"    person: {{target: {TARGET}}}\n    cheap: {{target: {TARGET}}}\n", "judges.person", 26),
    "hands on to nobody": (
        f"    cheap:\n      target: {TARGET}\n      escalate_to: gold\n",
        "assurance.judges.cheap.escalate_to: no judge of the name gold",
        28,
    ),
    "hands on to itself": (
        f"    cheap:\n      target: {TARGET}\n      escalate_to: cheap\n",
        "assurance.judges.cheap.escalate_to",
        28,
    ),
    "hands on to one that hands on": (
        f"    gold: {{target: {TARGET}, escalate_to: cheap}}\n    cheap: {{target: {TARGET}, escalate_to: gold}}\n",
        "assurance.judges.cheap.escalate_to",
        27,
    ),
    "an audit by nobody": (
        f"    cheap:\n      target: {TARGET}\n      audit: 0.1\n",
        "assurance.judges.cheap.audit",
        28,
    ),
    "an audit of more than all": (
        f"    cheap:\n      target: {TARGET}\n      audit: 1.5\n",
        "assurance.judges.cheap.audit",
        28,
    ),
    "an unknown key": (f"    cheap:\n      target: {TARGET}\n      promt: x\n", "assurance.judges.cheap.promt", 28),
    "a file that is not there": (
        f"    cheap:\n      target: {TARGET}\n      calibration: nowhere.json\n",
        "assurance.judges.cheap.calibration",
        28,
    ),
    "a file outside": (
        f"    cheap:\n      target: {TARGET}\n      calibration: ../../etc/passwd\n",
        "assurance.judges.cheap.calibration",
        28,
    ),
    "a folder": (
        f"    cheap:\n      target: {TARGET}\n      calibration: .\n",
        "assurance.judges.cheap.calibration",
        28,
    ),
}


@pytest.mark.parametrize(("text", "told", "line"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_what_judges_contradict_is_told_with_its_line(tmp_path, text, told, line):
    found = faults(tmp_path, judges(text), ex_csv=ROWS)
    assert [(at, sentence) for at, sentence in found if told in sentence], found
    assert [at for at, sentence in found if told in sentence] == [line]


def test_a_hazard_that_names_no_known_judge(tmp_path):
    text = described(("      threshold: 0.1\n", "      threshold: 0.1\n      judge: cheep\n"))
    assert faults(tmp_path, text) == [(24, "assurance.hazards.data-disclosure.judge: no judge of the name cheep")]
    text = described(("      threshold: 0.1\n", "      threshold: 0.1\n      judge_reads: passed\n"))
    assert "judge_reads" in faults(tmp_path, text)[0][1]
    assert opened(tmp_path, described(("      threshold: 0.1\n", "      threshold: 0.1\n      judge: person\n")))


def test_a_judge_and_a_hunt_are_told_what_to_do_instead(tmp_path):
    text = described(
        ("      threshold: 0.1\n", "      threshold: 0.1\n      judge: person\n      hunt: {queries: 40}\n")
    )
    with pytest.raises(InvalidFile) as caught:
        opened(tmp_path, text)
    (fault,) = caught.value.faults
    assert (fault.line, fault.path) == (25, "assurance.hazards.data-disclosure.hunt")
    assert "person rates this hazard, and no hunt can rest on words that may err or be waited for" in str(fault)
    assert "second system.yaml without `judge`" in fault.remedy
    assert opened(tmp_path, text.replace("      judge: person\n", ""))


def test_faults_of_a_calibration_are_told_at_the_line_that_names_it(tmp_path):
    text = judges(f"    cheap:\n      target: {TARGET}\n      calibration: cal.json\n")
    broken = json.dumps({"hazard": "x", "counts": {"tp": -1, "fn": 0, "fp": 0}}, indent=1)
    found = faults(tmp_path, text, cal_json=broken)
    assert {at for at, _ in found} == {28}
    for path in ("counts.tp", "counts.tn", "labelled_by", "labelled_on"):
        assert any("(cal.json:" in sentence and path in sentence for _, sentence in found), (path, found)


def calibrated(**changes: object) -> bytes:
    return json.dumps(CALIBRATION | changes).encode()


def item(label: str, said: str) -> dict[str, str]:
    return {"label": label, "said": said}


def test_items_are_counted_and_an_unclear_word_calls_nothing_a_failure():
    items = [
        *[item("failed", "failed")] * 3,
        item("failed", "passed"),
        item("failed", "unclear"),
        *[item("passed", "passed")] * 4,
        item("passed", "unclear"),
        item("passed", "failed"),
    ]
    found = read_calibration(calibrated(counts=None, items=items), Path("c")).record()
    assert (found.tp, found.fn, found.fp, found.tn, found.unclear) == (3, 2, 1, 5, 2)
    again = read_calibration(
        calibrated(items=items, counts={"tp": 3, "fn": 2, "fp": 1, "tn": 5, "unclear": 2}), Path("c")
    )
    assert again.record().tp == 3
    assert again.sealed() != found.digest  # the digest is of the file's whole content


BROKEN = {
    "no counts, no items": ({"counts": None}, "give counts or items"),
    "n = 0": ({"counts": {"tp": 0, "fn": 0, "fp": 0, "tn": 0}}, "no labelled failure"),
    "all labels are failures": ({"counts": {"tp": 9, "fn": 1, "fp": 0, "tn": 0}}, "no labelled pass"),
    "all labels are passes": ({"counts": {"tp": 0, "fn": 0, "fp": 1, "tn": 9}}, "no labelled failure"),
    "a negative count": ({"counts": {"tp": -1, "fn": 1, "fp": 0, "tn": 9}}, "at least 0"),
    "a count without end": ({"counts": {"tp": 10**9, "fn": 1, "fp": 0, "tn": 9}}, "at most"),
    "half a label": ({"counts": {"tp": 1.5, "fn": 1, "fp": 0, "tn": 9}}, "expected integer"),
    "more unclear than missed": ({"counts": {"tp": 9, "fn": 1, "fp": 0, "tn": 1, "unclear": 3}}, "more than"),
    "counts and items that differ": ({"items": [item("failed", "failed")]}, "other counts"),
    "another label": ({"items": [item("maybe", "failed")]}, "expected one of"),
    "a digest of other content": ({"digest": "sha256:" + "0" * 64}, "changed after it was made"),
    "no digest at all": ({"digest": "md5:0"}, "expected the form"),
    "no day": ({"labelled_on": "last week"}, "expected the form"),
    "nobody": ({"labelled_by": ""}, "at least one"),
}


@pytest.mark.parametrize(("changes", "told"), BROKEN.values(), ids=BROKEN)
def test_calibrations_that_cannot_be(changes, told):
    with pytest.raises(InvalidFile) as caught:
        read_calibration(calibrated(**changes), Path("cal.json"))
    assert any(told in str(fault) for fault in caught.value.faults), [str(fault) for fault in caught.value.faults]


def test_a_calibration_may_be_written_by_hand_in_yaml():
    text = "hazard: jailbreak\nlabelled_by: Ada\nlabelled_on: '2026-11-22'\ncounts: {tp: 9, fn: 1, fp: 0, tn: 10}\n"
    assert read_calibration(text.encode(), Path("c.yaml")).record().hazard == "jailbreak"


# Labelled answers.


def rows(folder: Path, text: str, suffix: str = "csv"):
    path = folder / f"rows.{suffix}"
    path.write_bytes(text.encode())
    return path


def test_rows_of_a_csv_and_of_a_jsonl_are_the_same(tmp_path):
    csv = 'question,answer,label,attack,language,other\n"a, b","c\nd",failed,plain,fr,x\n'
    line = {"question": "a, b", "answer": "c\nd", "label": "failed", "attack": "plain", "language": "fr", "other": 1}
    one, two = read_rows(rows(tmp_path, csv))[0], read_rows(rows(tmp_path, json.dumps(line) + "\n\n", "jsonl"))[0]
    assert (one.question, one.answer, one.label, one.attack, one.language) == ("a, b", "c\nd", "failed", "plain", "fr")
    assert (two.question, two.answer, two.label, two.attack, two.language) == ("a, b", "c\nd", "failed", "plain", "fr")
    earlier = {**line, "earlier": [{"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]}
    assert len(read_rows(rows(tmp_path, json.dumps(earlier), "jsonl"))[0].earlier) == 2


SORTED = {
    "each once": ("a,b,failed\nc,d,passed\n", (2, 0, 0, 0)),
    "missing labels": ("a,b,failed\nc,d,\ne,f,\n", (1, 2, 0, 0)),
    "tied labels": ("a,b,failed\na,b,passed\nc,d,passed\n", (1, 0, 1, 0)),
    "said again": ("a,b,failed\na,b,failed\na,b,failed\n", (1, 0, 0, 2)),
    "said again without a label": ("a,b,failed\na,b,\n", (1, 1, 0, 0)),
    "another answer": ("a,b,failed\na,c,passed\n", (2, 0, 0, 0)),
    "nothing": ("", (0, 0, 0, 0)),
}


@pytest.mark.parametrize(("text", "counts"), SORTED.values(), ids=SORTED)
def test_no_text_counts_twice_and_what_is_set_aside_is_told(tmp_path, text, counts):
    found = read_labelled(rows(tmp_path, "question,answer,label\n" + text))
    assert (len(found.rows), found.missing, found.tied, found.repeated) == counts


UNREADABLE = {
    "no label column": ("question,answer\na,b\n", "label: missing"),
    "an unknown label": ("question,answer,label\na,b,failed\na,c,maybe\n", "line 3"),
    "a cell too many": ("question,answer,label\na,b,failed,x\n", "line 2"),
    "a cell too few": ("question,answer,label\na,b\n", "line 2"),
}


@pytest.mark.parametrize(("text", "told"), UNREADABLE.values(), ids=UNREADABLE)
def test_rows_that_cannot_be_read_are_told_with_their_line(tmp_path, text, told):
    with pytest.raises(InvalidFile) as caught:
        read_rows(rows(tmp_path, text))
    assert any(told in f"line {fault.line}" or told in str(fault) for fault in caught.value.faults)


def test_lines_that_are_no_labelled_answers_are_all_told(tmp_path):
    lines = ['{"question": "a", "answer": "b", "label": "failed"}', "{", '{"answer": "b"}', "[1]", "[" * 5000]
    with pytest.raises(InvalidFile) as caught:
        read_rows(rows(tmp_path, "\n".join(lines), "jsonl"))
    assert [fault.line for fault in caught.value.faults] == [2, 3, 4, 5]


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00question")
    with pytest.raises(AskerError, match=r"x\.csv"):
        read_rows(path)
    with pytest.raises(AskerError, match=r"nowhere\.csv"):
        read_rows(tmp_path / "nowhere.csv")


def test_exemplars_need_both_labels(tmp_path):
    text = judges(f"    cheap: {{kind: embeddings, target: {TARGET}, exemplars: ex.csv}}\n")
    assert "failed" in faults(tmp_path, text, ex_csv="question,answer,label\nq,a,failed\n")[0][1]


# Embeddings.


def embeddings(*vectors, **more):
    return {"data": [{"index": i, "embedding": list(vector)} for i, vector in enumerate(vectors)]} | more


async def embed(reply, texts=("a", "b"), **changes):
    async with serving(reply) as endpoint:
        fields = {
            "kind": "openai",
            "base_url": f"http://127.0.0.1:{endpoint.port}/v1",
            "model": "m",
            "timeout": 0.5,
            "retries": 0,
        }
        async with open_embedder(TargetDescription(**fields | changes)) as embedder:
            return await embedder.embed(list(texts)), endpoint


async def test_embeddings_come_in_the_order_asked_and_at_length_one():
    shuffled = {"data": [{"index": 1, "embedding": [0, 2.0]}, {"index": 0, "embedding": [3.0, 4.0]}]}
    vectors, endpoint = await embed(says(shuffled))
    assert vectors == [(0.6, 0.8), (0.0, 1.0)]
    assert endpoint.paths == ["/v1/embeddings"]
    assert endpoint.bodies == [{"model": "m", "input": ["a", "b"]}]


async def test_a_busy_endpoint_is_asked_again():
    vectors, endpoint = await embed(in_turn(says({}, 429), says({}, 503), says(embeddings((1.0,), (1.0,)))), retries=2)
    assert vectors == [(1.0,), (1.0,)]
    assert len(endpoint.bodies) == 3


async def test_many_texts_go_in_batches():
    async def reply(request, _):
        asked = (await request.json())["input"]
        return web.json_response(embeddings(*[(1.0, float(len(text))) for text in asked]))

    vectors, endpoint = await embed(reply, [f"{'x' * i}" for i in range(BATCH + 3)])
    assert len(vectors) == BATCH + 3
    assert len(endpoint.bodies) == 2
    assert len(set(vectors)) == BATCH + 3


HOSTILE = {
    "empty": (says({}), Unscorable),
    "too few": (says(embeddings((1.0, 0.0))), Unscorable),
    "too many": (says(embeddings((1.0,), (1.0,), (1.0,))), Unscorable),
    "of other lengths": (says(embeddings((1.0,), (1.0, 0.0))), Unscorable),
    "all zeros": (says(embeddings((0.0, 0.0), (1.0, 0.0))), Unscorable),
    "no numbers": (says({"data": [{"embedding": ["a"]}, {"embedding": ["b"]}]}), Unscorable),
    "NaN": (says_bytes(b'{"data": [{"embedding": [NaN]}, {"embedding": [1]}]}'), Unscorable),
    "not JSON": (says_bytes(b"<html>"), Unscorable),
    "deep": (says_bytes(b"[" * 5000), Unscorable),
    "a bomb": (gzip_bomb, Unscorable),
    "busy": (says({}, 503), Unscorable),
    "hangs": (hangs, Unscorable),
    "cut off": (resets, TargetError),
    "no key": (says({}, 401), TargetError),
    "not served": (says({}, 404), TargetError),
    "sent elsewhere": (says({}, 302, Location="http://127.0.0.1:1/"), TargetError),
}


@pytest.mark.parametrize(("reply", "error"), HOSTILE.values(), ids=HOSTILE)
async def test_endpoints_without_embeddings(reply, error):
    with pytest.raises(TargetError) as caught:
        await embed(reply)
    assert type(caught.value) is error


async def test_the_key_is_sent_and_never_told(monkeypatch):
    monkeypatch.setenv("EMBED_KEY", "sk-secret-99")
    _, endpoint = await embed(says(embeddings((1.0,), (1.0,))), api_key_env="EMBED_KEY")
    assert endpoint.keys == ["Bearer sk-secret-99"]
    with pytest.raises(TargetError) as caught:
        await embed(says({}, 401), api_key_env="EMBED_KEY")
    assert "secret" not in str(caught.value)


async def test_nobody_is_there():
    description = TargetDescription(kind="openai", base_url="http://127.0.0.1:9/v1", model="m", timeout=2)
    async with open_embedder(description) as embedder:
        with pytest.raises(TargetError, match="cannot be reached"):
            await embedder.embed(["a"])
