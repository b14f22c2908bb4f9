"""Attacks that write the request in another alphabet; each can be read back."""

import base64
import random

from aloi.science.attack import Wrapped
from aloi.science.attacks.wording import Worded


class Encoded(Worded):
    """One message around the encoded request."""

    def encode(self, text: str, rng: random.Random) -> str:
        """The text in the other alphabet."""
        raise NotImplementedError

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """The encoded request, and what to do with it."""
        return Wrapped(messages=(self.user("message", language, rng, encoded=self.encode(text, rng)),))


class Base64(Encoded):
    """Base64 (RFC 4648, section 4) of the UTF-8 bytes."""

    name = "base64"

    def encode(self, text: str, rng: random.Random) -> str:  # noqa: ARG002 - there is one way
        """The text in base64."""
        return base64.b64encode(text.encode()).decode()
