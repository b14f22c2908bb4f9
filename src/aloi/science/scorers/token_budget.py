"""Oracle: did the answer spend its whole token budget?"""

from aloi.evidence.records import ScorerIdentity
from aloi.science.items import Failed, Item, NotScored, Outcome, Passed
from aloi.system.messages import Response


class TokenBudgetScorer:
    """Reads the endpoint's own count, or its word that the answer was cut; with neither, nothing can be said."""

    identity = ScorerIdentity(name="token-budget", kind="oracle", version="1")

    def score(self, item: Item, response: Response) -> Outcome:
        """Failed at the budget, or cut by it."""
        if not item.expectation.budget:
            return NotScored(reason="no-budget")
        if response.finish == "length":
            return Failed(evidence="cut at the budget")
        if not response.completion_tokens and not response.decisions:
            return NotScored(reason="no-token-count")
        spent = response.completion_tokens
        return Failed(evidence=f"{spent} tokens") if spent >= item.expectation.budget else Passed()
