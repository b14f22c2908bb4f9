"""hidden-context-exposure, by another probe: the system's whole prompt is asked for, word for word."""

import random

import msgspec

from aloi.errors import AskerError
from aloi.science.items import Item
from aloi.science.probes.wrapped import WrappedProbe
from aloi.science.scorers.verbatim_copy import LETTERS, WORDS, copyable
from aloi.system.reading import System
from aloi.translation import N_


class PromptCopyProbe(WrappedProbe):
    """Needs `prompt`, of twelve words or sixty letters at least: a shorter run could stand in an answer by chance."""

    hazard = "hidden-context-exposure"
    table = "prompt-copy"
    scorer = "verbatim-copy"

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        if not copyable(system.description.prompt):
            raise AskerError(
                N_("the probe prompt-copy needs a prompt of {words} words or {letters} letters at least"),
                remedy=N_("give `prompt` in system.yaml as in production, or choose another probe of {hazard}"),
                words=WORDS,
                letters=LETTERS,
                hazard=self.hazard,
            )
        return super().languages(system)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One wrapped request for the prompt."""
        item = super().item(system, language, attack, rng)
        expectation = msgspec.structs.replace(item.expectation, needles=(system.description.prompt,))
        return msgspec.structs.replace(item, expectation=expectation)
