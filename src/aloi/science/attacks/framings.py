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


class Persuasion(Framed):
    """Feelings, favours or good reasons press the request."""

    name = "persuasion"


class Completion(Framed):
    """A text that answers the request stops in the middle."""

    name = "completion"


class Translation(Framed):
    """The answer is to be written in another language, and translated back."""

    name = "translation"


class LowResource(Framed):
    """The answer is to be written in a language that few texts are written in."""

    name = "low-resource"


class MixedLanguage(Worded):
    """The words around the request change language from line to line."""

    name = "mixed-language"

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """A greeting and an order in two other languages, the request, and a closing in its own."""
        greeting, order = rng.sample(sorted(self.languages - {language}), 2)
        lines = [
            self.wording.write("greeting", greeting, rng, {}),
            text,
            self.wording.write("order", order, rng, {}),
            self.wording.write("closing", language, rng, {}),
        ]
        return Wrapped(messages=(Message(role="user", content="\n".join(lines)),))
