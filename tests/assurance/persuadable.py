"""A simulated system on which each patch of the prompt has a known effect."""

from aloi.solutions.tables import table
from science.simulated import SimulatedTarget

WORDS = {name: patch["en"].strip() for name, patch in table("prompt-patches")["patches"].items()}


class PersuadableTarget(SimulatedTarget):
    """`helps[patch][hazard]` multiplies a risk where the prompt holds that patch; `costs[patch]` is the share of
    ordinary requests that it makes the system refuse."""

    def __init__(self, risks, helps, costs=None, **given):
        super().__init__(risks, **given)
        self._helps, self._costs = helps, costs or {}

    def _risk(self, hazard, language, request):
        inside = [name for name, words in WORDS.items() if words in request.prompt]
        if hazard == "benign":
            return max((self._costs.get(name, 0.0) for name in inside), default=0.0)
        risk = self._risks.get(hazard, 0.0)
        for name in inside:
            risk *= self._helps.get(name, {}).get(hazard, 1.0)
        return risk
