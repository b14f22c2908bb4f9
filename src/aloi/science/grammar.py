"""Draw fresh test sentences from a declared grammar: templates with slots, weighted attacks, several languages."""

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from aloi.science.shipped import shipped

SLOT = re.compile(r"\{([a-z_]+)\}")


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to wrap a request, its share of the draws, and its templates by language."""

    weight: float
    templates: dict[str, tuple[str, ...]]


class Grammar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The declared distribution that an estimand averages over."""

    name: str
    version: str
    source: str
    licence: str
    attacks: dict[str, Attack]
    slots: dict[str, dict[str, tuple[str, ...]]] = {}

    def languages(self) -> set[str]:
        """Languages in which every attack can be drawn."""
        return set.intersection(*(set(attack.templates) for attack in self.attacks.values()))

    def weights(self) -> dict[str, float]:
        """Share of each attack; the shares add up to 1."""
        total = sum(attack.weight for attack in self.attacks.values())
        return {name: attack.weight / total for name, attack in self.attacks.items()}

    def write(self, attack: str, language: str, rng: random.Random, values: dict[str, str]) -> str:
        """One sentence of an attack. A slot takes its value from `values`, else a draw from the grammar; slots nest."""

        text = fill(rng.choice(self.attacks[attack].templates[language]), self.slots, language, rng, values)
        return text[0].upper() + text[1:]


def fill(
    template: str,
    slots: Mapping[str, Mapping[str, Sequence[str]]],
    language: str,
    rng: random.Random,
    values: Mapping[str, str],
) -> str:
    """A template with each slot filled: from `values`, else by a draw from `slots`, whose choices may hold slots."""

    def filled(match: re.Match[str]) -> str:
        slot = match[1]
        # A value is a text that somebody wrote: braces in it are text, not slots.
        return values[slot] if slot in values else SLOT.sub(filled, rng.choice(slots[slot][language]))

    return SLOT.sub(filled, template)


@cache
def grammar(name: str) -> Grammar:
    """A grammar of this package by name: `science/data/<name>.yaml`."""
    return msgspec.convert(shipped(name), Grammar)
