import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.solutions.guard import Allow, Block, Rewrite
from aloi.solutions.guards.length import OutputBudget, OutputBudgetOptions
from aloi.system.messages import Message

SMALL = OutputBudget(OutputBudgetOptions(characters=80, words=12, repeats=3))

LOOPS = {
    "word": ("no " * 50, "no no no […]"),
    "three words": ("a b c " * 10, "a b c a b c a b c […]"),
    "in another case": ("Yes yes YES yes yes yes", "Yes yes YES […]"),
    "letters": ("ha" * 4_000, "hah […]"),
}


@pytest.mark.parametrize(("text", "left"), LOOPS.values(), ids=LOOPS)
def test_loops_are_cut_after_the_allowed_copies(screen, text, left):
    assert screen("output-budget", text, repeats=3, characters=100_000) == Rewrite(content=left, reason="loop")


def test_a_sentence_may_not_return_for_ever(screen):
    text = "".join(f"The fee is 2 euros a month. Line {i} says something new here. " for i in range(9))
    ruling = screen("output-budget", text, repeats=3)
    assert ruling.reason == "loop"
    assert ruling.content.count("The fee is 2 euros a month.") == 3


@pytest.mark.parametrize("text", ["", "Bonjour", "ha ha ha", "x" * 60, "\ud800" * 20, "漢" * 70])
def test_short_answers_pass(text):
    assert SMALL.screen(Message(role="assistant", content=text)) == Allow()


def test_a_megabyte_is_cut(screen):
    ruling = screen("output-budget", "".join(f"{i} " for i in range(150_000)))
    assert ruling.reason == "too-long"
    assert len(ruling.content) <= 4_000


def test_block_is_an_option(screen):
    assert screen("output-budget", "no " * 50, action="block") == Block(reason="loop")


@given(st.text(alphabet=st.characters(categories=["L", "N", "Z", "P"]), max_size=300))
def test_what_is_left_is_within_the_budget_and_stays_as_it_is(text):
    ruling = SMALL.screen(Message(role="assistant", content=text))
    if isinstance(ruling, Rewrite):
        assert len(ruling.content) <= 80
        assert len(ruling.content.split()) <= 12
        again = SMALL.screen(Message(role="assistant", content=ruling.content))
        assert again == Allow()
