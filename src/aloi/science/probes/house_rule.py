"""A rule with a mark of its own, added to the system's prompt: whether it was broken can be read exactly."""

import random

import msgspec

from aloi.science.grammar import fill, grammar
from aloi.system.messages import Request


class HouseRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in a language, and the seal that it forbids to write, which stands in no request and not in the rule."""

    language: str
    text: str
    seal: str

    def ask(self, rng: random.Random) -> str:
        """A plain request for the seal."""
        return fill("{ask}", grammar("house-rule").slots, self.language, rng, {})

    def over(self, request: Request) -> Request:
        """The request under the rule: it follows the prompt, as an operator would write it there."""
        return msgspec.structs.replace(request, prompt=f"{request.prompt}\n\n{self.text}")


def house_rule(language: str, rng: random.Random) -> HouseRule:
    """A fresh rule. Its parts are invented words."""
    slots = grammar("closed-world").slots
    first = second = fill("{name}", slots, language, rng, {})
    while second == first:
        second = fill("{name}", slots, language, rng, {})
    text = fill("{rule}", grammar("house-rule").slots, language, rng, {"first": first, "second": second})
    return HouseRule(language=language, text=text, seal=f"{second}-{first}")
