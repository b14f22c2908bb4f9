"""Guards over a corpus: what is read, what is refused, and what is counted."""

import asyncio
import json
import time

import pytest

from aloi.errors import AskerError, InvalidFile
from aloi.evidence.records import RemedyIdentity
from aloi.solutions.catalogue import Remedy, build
from aloi.solutions.guard import Allow, Block, Rewrite
from aloi.solutions.screening.corpus import Text, read_corpus
from aloi.solutions.screening.quality import compare, parts
from aloi.solutions.screening.running import NotScreenable, screened


class Marked:
    """Blocks texts that say `stop`, rewrites `mask`, fails on `raise`, sleeps on `sleep`; scores by length."""

    roles = frozenset({"user"})

    def screen(self, message):
        text = message.content
        if "raise" in text:
            raise RuntimeError(text)
        if "sleep" in text:
            time.sleep(0.3)
        score = min(len(text), 100) / 100
        if "stop" in text:
            return Block(reason="said-stop", score=score)
        if "mask" in text:
            return Rewrite(content="-", reason="masked", score=score)
        return Allow(score=score)


MARKED = Remedy(
    name="marked",
    kind="input-guard",
    hazards=("jailbreak",),
    implementation=Marked(),
    identity=RemedyIdentity(name="marked", version="1", digest="sha256:" + "0" * 64),
)


def ruled(texts, guards=(MARKED,), **more):
    async def gather():
        return [one async for one in screened(guards, texts, **more)]

    return asyncio.run(gather())


def written(tmp_path, *lines):
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def test_every_spelling_of_a_label(tmp_path):
    labels = [1, True, "1", "Attack", "jailbreak ", 0, False, "benign", "FALSE", None, ""]
    texts = read_corpus(written(tmp_path, *({"text": "a", "label": label} for label in labels), {"text": "b"}))
    assert [text.attack for text in texts] == [True] * 5 + [False] * 4 + [None] * 3
    assert [text.line for text in texts] == list(range(1, 13))


def test_a_byte_order_mark_blank_lines_and_further_keys_are_let_stand(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf" + b'{"text": "a", "id": 7}', b"  ", b'{"text": "", "lang": null}\r')
    assert [text.text for text in read_corpus(path)] == ["a", ""]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"{", "row"),
        (b"[]", "row"),
        (b"{}", "row"),
        (b'{"text": 1}', "row"),
        (b'{"text": null}', "row"),
        (b'{"text": "a", "lang": 3}', "row"),
        (b'{"text": "a", "label": 2}', "label"),
        (b'{"text": "a", "label": -1}', "label"),
        (b'{"text": "a", "label": 1.0}', "row"),
        (b'{"text": "a", "label": "maybe"}', "label"),
        (b'{"text": "\xff"}', "row"),
        (b'{"text": "a", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "row"),
    ],
)
def test_lines_that_are_no_texts_are_all_told(tmp_path, line, path):
    with pytest.raises(InvalidFile) as refused:
        read_corpus(written(tmp_path, b'{"text": "a"}', line, b'{"text": "b"}', line))
    assert [(fault.line, fault.path) for fault in refused.value.faults] == [(2, path), (4, path)]


def test_files_that_cannot_be_screened(tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path, written(tmp_path, b"", b" ")):
        with pytest.raises(AskerError):
            read_corpus(path)


def test_one_ruling_a_text_and_guard():
    rulings = ruled([Text(text="stop"), Text(text="mask"), Text(text="go on")])
    assert [(one.action, one.reason, one.score) for one in rulings] == [
        ("block", "said-stop", 0.04),
        ("rewrite", "masked", 0.04),
        ("allow", "", 0.05),
    ]
    assert all(one.seconds >= 0 for one in rulings)


def test_a_guard_that_fails_or_is_late_blocks_and_is_counted():
    rulings = ruled([Text(text="raise", attack=False), Text(text="sleep", attack=True)], deadline=0.1)
    assert [(one.action, one.reason) for one in rulings] == [("block", "guard-error"), ("block", "guard-deadline")]
    assert compare(rulings)[0].faults == 2


@pytest.mark.parametrize(
    ("guard", "role"),
    [
        (MARKED, "document"),
        (build("link-policy"), "user"),
        (build("spotlighting"), None),
        (build("hardened-prompt"), "user"),
        (build("request-limits"), "user"),
    ],
)
def test_texts_that_a_remedy_does_not_read(guard, role):
    with pytest.raises(NotScreenable):
        ruled([Text(text="a")], [guard], role=role)


def labelled(source, language, counts):
    """So many texts of each kind: attacks caught and missed, ordinary texts stopped and passed."""
    words = (("stop", True), ("go", True), ("stop", False), ("go", False))
    return [
        Text(text=f"{word} {'x' * i}", attack=attack, source=source, language=language)
        for (word, attack), n in zip(words, counts, strict=True)
        for i in range(n)
    ]


def test_counts_by_source_and_language():
    texts = [*labelled("b", "fr", (1, 1, 0, 0)), *labelled("a", "en", (3, 1, 1, 9)), Text(text="stop")]
    first, second = parts(ruled(texts))
    assert (first.source, first.language, first.recall.k, first.recall.n) == ("a", "en", 3, 4)
    assert (first.false_alarms.k, first.false_alarms.n) == (1, 10)
    assert (second.source, second.recall.k, second.false_alarms.n) == ("b", 1, 0)
    assert (second.false_alarms.low, second.false_alarms.high) == (0, 1)
    (compared,) = compare(ruled(texts))
    assert (compared.recall.k, compared.recall.n, compared.texts) == (4, 6, 17)
    assert compared.mean_recall == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert compared.mean_false_alarms == pytest.approx(1 / 10)


def test_a_guard_without_scores_has_no_curve():
    texts = labelled("a", "en", (1, 1, 1, 1))
    assert compare(ruled(texts))[0].area is None or compare(ruled(texts))[0].recall_at_1 is not None
    (links,) = compare(ruled([Text(text="a", attack=True), Text(text="b", attack=False)], [build("link-policy")]))
    assert (links.area, links.recall_at_1) == (None, None)
