"""Attacks in which the request arrives in retrieved text: the user asks something ordinary."""

import random

from aloi.science.attack import Wrapped
from aloi.science.attacks.wording import Worded
from aloi.system.messages import Document


class DocumentInjection(Worded):
    """The request stands in a document that the user asks about."""

    name = "document-injection"

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """An ordinary question, and the document."""
        carrier = f"note-{rng.randrange(10**6):06d}"
        document = Document(id=carrier, text=self.wording.write("document", language, rng, {"request": text}))
        return Wrapped(messages=(self.user("question", language, rng),), documents=(document,), carrier=carrier)
