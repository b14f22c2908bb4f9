import re
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.solutions.normalise import _folds, _table, alphanumeric, fold, squash, words_in


def test_disguises_fold_to_plain_text():
    assert fold("\u0410\u200bz\u00fcr\u202e \uff17\u0667").text == "Azur 77"
    assert fold("".join(chr(0xE0000 + ord(c)) for c in "hidden")).text == "hidden"


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text):
    once = fold(text).text
    assert fold(once).text == once


@given(st.text(max_size=40), st.text(max_size=40))
def test_places_lead_back_to_the_original(before, after):
    text = f"{before}AZUR{after}"
    folded = fold(text)
    at = len(fold(before).text)
    assert folded.text[at : at + 4] == "AZUR"
    low, high = folded.span(at, at + 4)
    assert fold(text[low:high]).text == "AZUR"
    # Invisible characters before the first letter are not part of it; those behind the last one are.
    assert fold(text[:low]).text == fold(before).text
    assert fold(text[high:]).text == fold(after).text


@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 60))
def test_any_span_lies_in_the_text(text, start, size):
    folded = fold(text)
    end = min(start + size, len(folded.text))
    if start < end:
        low, high = folded.span(start, end)
        assert 0 <= low < high <= len(text)


MANY = "".join(map(chr, range(0x2010, 0x2100))) + "\ufb03 \u00e9 \u24d0"  # more signs than are replaced one by one
TEXTS = st.one_of(st.text(max_size=60), st.text(st.characters(max_codepoint=127), max_size=60))


@given(TEXTS, st.sampled_from(["", MANY]))
def test_a_text_folds_as_its_characters_do(text, more):
    assert fold(text + more).text == "".join(fold(one).text for one in text + more)


RARE = "".join(map(chr, [*range(0x1D400, 0x1D420), 0x20000, 0x2F800, 0x40000, 0xE0041, 0xE0100, 0xF0000, 0x10FFFF]))
LONG = {
    "plain": "The account costs 2 euros. " * 100,
    "few signs": "Caf\u00e9 \u00e0 la cr\u00e8me, \uff17\u200b euros. " * 100,
    "rare signs": f"{RARE} and \u00e9 " * 60,
    "many signs": f"{RARE}{MANY} " * 10,
    "surrogates": "caf\u00e9\ud800 \ufb03\udfff " * 300,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_text_folds_as_its_characters_do(text):
    assert len(text) > 2_000
    folded = fold(text)
    each = [fold(one).text for one in text]
    assert folded.text == "".join(each)
    starts = list(accumulate(map(len, each), initial=0))
    for place, one in enumerate(each):
        if one:
            assert folded.span(starts[place], starts[place + 1])[0] == place
            assert folded.place(starts[place]) == place


@pytest.mark.parametrize("size", [100, 10_000])
def test_what_is_no_character_is_not_kept_in_mind(size):
    nobodys = "".join(map(chr, range(0x50000, 0x60000)))
    fold("\U0004fff0" * 10_000)  # one of them stands for all
    before = len(_folds()), len(_table().folded)
    assert not any(fold(nobodys[start : start + size]).text for start in range(0, len(nobodys), size))
    assert (len(_folds()), len(_table().folded)) == before


def test_characters_that_threads_come_to_at_once_are_folded_as_alone():
    texts = ["".join(map(chr, range(start, start + 3_000))) for start in range(0x3400, 0x9400, 500)]
    _table.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        for text, folded in zip(texts, threads.map(fold, texts), strict=True):
            assert folded.text == "".join(fold(one).text for one in text)


@given(st.builds("".join, st.tuples(TEXTS, st.sampled_from(["", MANY]))))
def test_words_are_of_letters_and_digits(text):
    folded = fold(text).text
    assert words_in(folded) == re.findall(r"[^\W_]+", folded.casefold())
    assert alphanumeric(folded) == squash(text) == re.sub(r"[\W_]+", "", folded.casefold())
