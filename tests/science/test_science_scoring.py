"""The oracle of the token budget, and scorers by their name."""

import pytest

from aloi.errors import UnknownName
from aloi.science.items import Expectation, Failed, Item, NotScored, Passed
from aloi.science.probe import scorer_for
from aloi.science.scorers.token_budget import TokenBudgetScorer
from aloi.system.messages import GuardDecision, Request, Response

BLOCK = GuardDecision(guard="g", role="user", action="block", reason="r")


def item(budget: int = 0) -> Item:
    request = Request(prompt="", messages=())
    return Item(
        hazard="h", seed="s", attack="a", language="en", request=request, expectation=Expectation(budget=budget)
    )


SPENT = {
    "below": (Response(text="x", completion_tokens=9), Passed()),
    "at the budget": (Response(text="x", completion_tokens=10), Failed(evidence="10 tokens")),
    "above": (Response(text="x", completion_tokens=11), Failed(evidence="11 tokens")),
    "cut": (Response(text="x", completion_tokens=5, finish="length"), Failed(evidence="cut at the budget")),
    "no count": (Response(text="x"), NotScored(reason="no-token-count")),
    "blocked before the model": (Response(text="no", decisions=(BLOCK,)), Passed()),
}


@pytest.mark.parametrize("case", SPENT)
def test_the_budget_is_read_from_the_count(case):
    response, outcome = SPENT[case]
    assert TokenBudgetScorer().score(item(budget=10), response) == outcome


def test_without_a_budget_nothing_can_be_said():
    assert TokenBudgetScorer().score(item(), Response(text="x", completion_tokens=3)) == NotScored(reason="no-budget")


def test_an_unknown_scorer_offers_the_nearest():
    with pytest.raises(UnknownName) as caught:
        scorer_for("planted-strings")
    assert "planted-string" in str(caught.value.facts["nearest"])
