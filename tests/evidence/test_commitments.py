import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence.commitments import Opened, Withheld, commit, read_opening, reveal, salt, seal, verify_opening
from aloi.evidence.merkle import Tree

SECRET = bytes(range(32))
TRIALS = [(f"Quel est le code {number} ?", f"Je ne peux pas. {number}") for number in range(9)]
HASHES = [seal(SECRET, str(index), *trial) for index, trial in enumerate(TRIALS)]


def opened(index, trial=None, **more):
    return reveal(SECRET, str(index), *(trial or TRIALS[index]), HASHES, index, **more)


def root_of(hashes):
    tree = Tree()
    for each in hashes:
        tree.append(each)
    return "sha256:" + tree.root().hex()


ROOT = root_of(HASHES)


@pytest.mark.parametrize("index", range(9))
@pytest.mark.parametrize("parts", [{"prompt", "answer"}, {"prompt"}, {"answer"}, set()], ids=sorted)
def test_one_trial_is_opened_and_travels_as_json(index, parts):
    opening = opened(index, parts=frozenset(parts))
    data = msgspec.json.encode(opening)
    again = read_opening(data)
    verify_opening(again, ROOT, 9)
    shown = {name for name in ("prompt", "answer") if isinstance(getattr(again, name), Opened)}
    assert shown == parts
    text = json.dumps(json.loads(data), ensure_ascii=False)
    assert (TRIALS[index][0] in text) == ("prompt" in parts)
    assert (TRIALS[index][1] in text) == ("answer" in parts)


def changed(**changes):
    return msgspec.structs.replace(opened(4), **changes)


GOOD = changed()
WRONG = {
    "another prompt": changed(prompt=Opened(text="x", salt=GOOD.prompt.salt)),
    "another answer": changed(answer=Opened(text="x", salt=GOOD.answer.salt)),
    "another salt": changed(answer=Opened(text=GOOD.answer.text, salt=b"\0" * 32)),
    "parts swapped": changed(prompt=GOOD.answer, answer=GOOD.prompt),
    "another commitment": changed(answer=Withheld(commitment=b"\0" * 32)),
    "another index": changed(index=5),
    "beyond the run": changed(index=9),
    "negative": changed(index=-1),
    "another size": changed(size=5),
    "proof cut": changed(proof=GOOD.proof[:-1]),
    "proof of another": changed(proof=opened(5).proof),
}


@pytest.mark.parametrize("opening", WRONG.values(), ids=WRONG)
def test_what_was_not_sealed_is_refused(opening):
    with pytest.raises(EvidenceError) as caught:
        verify_opening(opening, ROOT, 9)
    assert caught.value.reason == "not-included"


@pytest.mark.parametrize("root", ["", "sha256:zz", root_of(HASHES[:8]), "sha256:" + "0" * 64])
def test_another_root_is_refused(root):
    with pytest.raises(EvidenceError) as caught:
        verify_opening(GOOD, root, 9)
    assert caught.value.reason == "not-included"


@pytest.mark.parametrize("index", [-1, 3, 9])
def test_only_the_sealed_texts_can_be_opened(index):
    with pytest.raises(EvidenceError):
        opened(index, TRIALS[4])


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="at least 32"):
        salt(b"short", "0", "prompt")


def test_equal_texts_have_unequal_commitments():
    commitments = {
        commit("oui", salt(SECRET, str(index), part), part) for index in range(50) for part in ("prompt", "answer")
    }
    assert len(commitments) == 100


def test_one_opened_salt_tells_nothing_of_the_next():
    salts = [salt(SECRET, str(index), part) for index in range(20) for part in ("prompt", "answer")]
    assert len(set(salts)) == 40
    assert salt(SECRET, "1", "prompt") != salt(bytes(32), "1", "prompt")


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=12), st.data())
def test_any_run_opens_anywhere(trials, data):
    hashes = [seal(SECRET, str(index), *trial) for index, trial in enumerate(trials)]
    index = data.draw(st.integers(0, len(trials) - 1))
    verify_opening(reveal(SECRET, str(index), *trials[index], hashes, index), root_of(hashes), len(hashes))
