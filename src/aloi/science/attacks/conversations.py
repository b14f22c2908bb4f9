"""Attacks that need more than one turn, or that pretend there were some. Each is scripted: no answer changes it."""

import random

from aloi.science.attack import Wrapped
from aloi.science.attacks.wording import Worded
from aloi.system.messages import Message


class ManyShot(Worded):
    """Exchanges in which the assistant answered everything, then the request."""

    name = "many-shot"

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """Six to ten exchanges about ordinary things, in random order, and the request."""
        messages = []
        for question, answer in rng.sample(self.wording.exchanges[language], rng.randint(6, 10)):
            messages += [Message(role="user", content=question), Message(role="assistant", content=answer)]
        return Wrapped(messages=(*messages, self.user("message", language, rng, request=text)))


class Crescendo(Worded):
    """A talk about the request that comes closer to it turn by turn, whatever the assistant answers."""

    name = "crescendo"
    between = ("frame", "deepen", "closer")

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """The opening, one to three turns in their order, and the request."""
        drawn = sorted(rng.sample(range(len(self.between)), rng.randint(1, len(self.between))))
        turns = [self.user(self.between[i], language, rng).content for i in drawn]
        final = self.user("final", language, rng, request=text).content
        return Wrapped(messages=(self.user("opening", language, rng, request=text),), script=(*turns, final))
