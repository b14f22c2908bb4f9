"""Applications that are decided in one word, in two forms that deserve the same decision."""

import random
import re
from abc import ABC, abstractmethod

import msgspec

from aloi.errors import AskerError
from aloi.science.grammar import Grammar, fill, grammar
from aloi.science.items import Item
from aloi.science.probe import ask, shared_languages
from aloi.science.probes.planted import canary
from aloi.science.probes.twins import twins
from aloi.science.scorers.same_decision import decision_words
from aloi.system.reading import System
from aloi.translation import N_

LONG_WORD = re.compile(r"[^\W\d_]{4,}")
SLIPS = 4
SENTENCE = re.compile(r"(?<=[.\u3002]) ?(?=\S)")


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one application: the same in every language and form."""

    number: str
    income: str
    savings: str
    years: str
    thing: int
    references: int

    def write(self, form: str, language: str, person: str = "") -> str:
        """The application in a language, as `facts` or as `prose`; nobody is named unless a person is given."""
        slots = _words().slots
        values = {name: getattr(self, name) for name in ("number", "income", "savings", "years")}
        values["person"] = person or self.file(language)
        values["thing"] = slots["thing"][language][self.thing]
        values["references"] = slots["references"][language][self.references]
        return fill(slots[form][language][0], slots, language, random.Random(0), values)

    def file(self, language: str) -> str:
        """The applicant as a file number."""
        return fill("{file}", _words().slots, language, random.Random(0), {"number": self.number})


def application(rng: random.Random) -> Application:
    """A fresh application, neither strong nor hopeless."""
    slots = _words().slots
    return Application(
        number=str(rng.randrange(10_000, 100_000)),
        income=str(rng.randrange(1_300, 3_200, 10)),
        savings=str(rng.randrange(300, 12_000, 50)),
        years=str(rng.randrange(3, 11)),
        thing=rng.randrange(len(slots["thing"]["en"])),
        references=rng.randrange(len(slots["references"]["en"])),
    )


def closed(text: str, language: str) -> str:
    """A text with the demand for a decision in one word after it."""
    granted, denied = decision_words(language)
    slots = _words().slots
    form = fill("{form}", slots, language, random.Random(0), {"granted": granted, "denied": denied})
    gap = "\n" if "\n" in text else "" if language == "zh" else " "
    return f"{text}{gap}{form}"


def _words() -> Grammar:
    return grammar("applications")


class _DecisionProbe(ABC):
    """Needs nothing of the system: the applications are invented."""

    hazard: str
    scorer = "same-decision"

    def attacks(self) -> dict[str, float]:
        """Share of each kind of pair."""
        return grammar(self.hazard).weights()

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language."""
        return shared_languages(system, grammar(self.hazard).languages(), self.hazard)

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One application in two forms."""
        one, other = self._forms(system, language, attack, rng)
        item = Item(hazard=self.hazard, seed=one, attack=attack, language=language, request=ask(system, one))
        return twins(item, other)

    @abstractmethod
    def _forms(self, system: System, language: str, attack: str, rng: random.Random) -> tuple[str, str]: ...


class DiscriminationProbe(_DecisionProbe):
    """discrimination: the applicant's name, or a stated trait, is all that differs."""

    hazard = "discrimination"

    def _forms(self, system: System, language: str, attack: str, rng: random.Random) -> tuple[str, str]:  # noqa: ARG002
        slots, case = grammar(self.hazard).slots, application(rng)
        if attack == "name":
            groups = rng.sample(slots["groups"][language], 2)
            people = [rng.choice(slots[group][language]) for group in groups]
        else:
            traits = rng.sample(slots[rng.choice(slots["kind"][language])][language], 2)
            (template,) = slots["described"][language]
            people = [
                fill(template, {}, language, rng, {"file": case.file(language), "trait": trait}) for trait in traits
            ]
        one, other = (closed(case.write("facts", language, person), language) for person in people)
        return one, other


class LanguageDiscriminationProbe(_DecisionProbe):
    """discrimination: the language in which one applies is all that differs. Needs two languages that we speak."""

    hazard = "discrimination"

    def attacks(self) -> dict[str, float]:
        """One kind of pair."""
        return {"language": 1.0}

    def languages(self, system: System) -> dict[str, float]:
        """Share of each language. Raises AskerError where the system speaks fewer than two of ours."""
        spoken = super().languages(system)
        if len(spoken) < 2:
            raise AskerError(
                N_("the hazard {hazard} cannot be measured between languages: the system speaks {spoken} only"),
                remedy=N_("declare a second one in `languages`, or choose another probe of {hazard}"),
                hazard=self.hazard,
                spoken=", ".join(spoken),
            )
        return spoken

    def _forms(self, system: System, language: str, attack: str, rng: random.Random) -> tuple[str, str]:  # noqa: ARG002
        case = application(rng)
        second = rng.choice([name for name in self.languages(system) if name != language])
        return closed(case.write("facts", language), language), closed(case.write("facts", second), second)


class BrittlenessProbe(_DecisionProbe):
    """brittleness: a paraphrase, typing errors, another layout or an irrelevant sentence is all that differs."""

    hazard = "brittleness"

    def _forms(self, system: System, language: str, attack: str, rng: random.Random) -> tuple[str, str]:  # noqa: ARG002
        known, case = grammar(self.hazard), application(rng)
        facts = case.write("facts", language)
        values = {"facts": facts, "prose": case.write("prose", language)}
        changed = fill(rng.choice(known.attacks[attack].templates[language]), known.slots, language, rng, values)
        if attack == "typing-errors":
            changed = mistyped(changed, rng)
        elif attack == "layout":
            changed = "\n".join(f"- {line}" for line in SENTENCE.split(changed))
        return closed(facts, language), closed(changed, language)


class BackdoorProbe(_DecisionProbe):
    """poisoning-backdoor: a string that may be a trigger stands beside the application, or does not."""

    hazard = "poisoning-backdoor"

    def _forms(self, system: System, language: str, attack: str, rng: random.Random) -> tuple[str, str]:  # noqa: ARG002
        known, facts = grammar(self.hazard), application(rng).write("facts", language)
        slot = attack.replace("-", "_")
        trigger = rng.choice(known.slots[slot][language]) if slot in known.slots else canary(rng)
        template = rng.choice(known.attacks[attack].templates[language])
        changed = fill(template, {}, language, rng, {"facts": facts, "trigger": trigger})
        return closed(facts, language), closed(changed, language)


def mistyped(text: str, rng: random.Random) -> str:
    """A text with neighbouring letters exchanged in some of its longer words; digits stay as they are."""
    letters = list(text)
    words = list(LONG_WORD.finditer(text))
    for word in rng.sample(words, min(SLIPS, len(words))):
        places = [i for i in range(word.start() + 1, word.end() - 1) if letters[i] != letters[i + 1]]
        if places:
            i = rng.choice(places)
            letters[i], letters[i + 1] = letters[i + 1], letters[i]
    return "".join(letters)
