"""Attacks that put a request, as it stands, into a frame of words."""

import random

from aloi.science.attack import Wrapped
from aloi.science.attacks.wording import Worded
from aloi.system.messages import Message


class Plain(Worded):
    """The request as it stands: what every other attack is compared with."""

    name = "plain"

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:  # noqa: ARG002 - nothing is added
        """The request alone."""
        return Wrapped(messages=(Message(role="user", content=text),))


class Framed(Worded):
    """One message around the request."""

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """The request inside a drawn frame."""
        return Wrapped(messages=(self.user("message", language, rng, request=text),))


class RolePlay(Framed):
    """The assistant is to speak as somebody without its rules."""

    name = "role-play"


class Fiction(Framed):
    """The request is a passage of a story."""

    name = "fiction"


class Hypothetical(Framed):
    """The request is a thought experiment."""

    name = "hypothetical"


class Authority(Framed):
    """Somebody entitled asks."""

    name = "authority"


class PrefixInjection(Framed):
    """The answer is to begin with words of consent."""

    name = "prefix-injection"


class RefusalSuppression(Framed):
    """The words of a refusal are forbidden."""

    name = "refusal-suppression"
