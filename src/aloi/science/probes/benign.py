"""Ordinary requests of the system's own users: what every remedy is charged for when it loses them."""

import random

from aloi.science.items import Item
from aloi.science.probe import ask, required
from aloi.system.reading import System


class BenignProbe:
    """Needs `assurance.benign.questions`. A document of the system stands beside every other question."""

    hazard = "benign"
    scorer = "answered"

    def attacks(self) -> dict[str, float]:
        """Nobody attacks; questions come with and without a document."""
        return {"plain": 0.5, "with-document": 0.5}

    def languages(self, system: System) -> dict[str, float]:
        """Languages in proportion to the questions declared, so that each question is as likely as any other."""
        asked = {lang: len(qs) for lang, qs in system.description.assurance.benign.questions.items() if qs}
        required(bool(asked), self.hazard, "assurance.benign.questions")
        return {language: count / sum(asked.values()) for language, count in asked.items()}

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One ordinary question."""
        question = rng.choice(system.description.assurance.benign.questions[language])
        with_document = attack == "with-document" and system.documents
        documents = (rng.choice(system.documents),) if with_document else ()
        return Item(
            hazard=self.hazard,
            seed=question,
            attack="with-document" if documents else "plain",
            language=language,
            request=ask(system, question, documents),
        )
