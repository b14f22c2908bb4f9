import re

from hypothesis import given
from hypothesis import strategies as st

from aloi.solutions.normalise import alphanumeric, fold, squash, words_in


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


@given(st.builds("".join, st.tuples(TEXTS, st.sampled_from(["", MANY]))))
def test_words_are_of_letters_and_digits(text):
    folded = fold(text).text
    assert words_in(folded) == re.findall(r"[^\W_]+", folded.casefold())
    assert alphanumeric(folded) == squash(text) == re.sub(r"[\W_]+", "", folded.casefold())
