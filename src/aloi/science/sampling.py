"""Which item stands at which index: a pure function of the plan's seed, so that a run can be drawn again."""

import random
from collections.abc import Iterable, Mapping

from aloi import plugins
from aloi.errors import AskerError, UnknownName
from aloi.evidence.records import Stage
from aloi.science.attack import speaks
from aloi.science.attacker import said_by_the_user, towards
from aloi.science.corpora import probe_in
from aloi.science.egress import sealed
from aloi.science.items import Item
from aloi.science.probe import Joint, Probe
from aloi.system.description import MODEL_ATTACKER
from aloi.system.reading import System
from aloi.translation import N_

PLAIN = "plain"
DRAWS = 50


class Sampler:
    """Draws of every probe of a plan. `languages` and `attacks` are the declared shares that the estimand averages.

    A wrapper that does not speak the language drawn leaves its share to the other attacks of that draw.
    """

    def __init__(self, system: System, seed: str, probes: Mapping[str, str]) -> None:
        self._system, goals = system, system.description.assurance.hazards
        self._seed = seed
        self.names = dict(probes)
        self.probes: dict[str, Probe] = {hazard: probe_in(system, hazard, name) for hazard, name in probes.items()}
        self.languages: dict[str, dict[str, float]] = {}
        self.attacks: dict[str, dict[str, float]] = {}
        self._mixes: dict[str, dict[str, dict[str, float]]] = {}
        for hazard, probe in self.probes.items():
            with system.at("assurance", *(("hazards", hazard) if hazard in goals else (hazard,))):
                self._take(hazard, probe)

    def _take(self, hazard: str, probe: Probe) -> None:
        """What a probe asks of this system, in which shares. Raises AskerError where it cannot."""
        if prepare := getattr(probe, "prepare", None):
            prepare()
        with sealed(self.names[hazard]):
            self.languages[hazard] = probe.languages(self._system)
            self.attacks[hazard] = _shares(self._system, hazard, probe)
        self._mixes[hazard] = {language: self._mix(hazard, language) for language in self.languages[hazard]}

    def mix(self, hazard: str) -> dict[str, float]:
        """The share of each attack over all languages, as it is drawn; what is never drawn is left out."""
        shares: dict[str, float] = {}
        for language, weight in self.languages[hazard].items():
            spoken = self._mixes[hazard][language]
            for attack, share in spoken.items():
                shares[attack] = shares.get(attack, 0.0) + weight * share / sum(spoken.values())
        return {attack: shares[attack] for attack in self.attacks[hazard] if attack in shares}

    def item(self, stage: Stage, hazard: str, index: int) -> Item:
        """The item at `index` of a stage. Stages draw independently of each other."""
        rng = random.Random(f"{self._seed}\x1f{stage}\x1f{hazard}\x1f{index}")
        language = _draw(self.languages[hazard], rng)
        attack = _draw(self._mixes[hazard][language], rng)
        with sealed(self.names[hazard]):
            return self.probes[hazard].item(self._system, language, attack, rng)

    def hunted(self, hazard: str, attack: str, index: int) -> Item:
        """The item at `index` of a hunt that chose an attack: each attack draws from a stream of its own."""
        rng = random.Random(f"{self._seed}\x1fhunt\x1f{hazard}\x1f{attack}\x1f{index}")
        if attack == MODEL_ATTACKER:
            return self._goal(hazard, rng)
        shares = self.languages[hazard]
        spoken = {name: share for name, share in shares.items() if _goes_with(self.probes[hazard], attack, name)}
        with sealed(self.names[hazard]):
            return self.probes[hazard].item(self._system, _draw(spoken, rng), attack, rng)

    def _goal(self, hazard: str, rng: random.Random) -> Item:
        """A plain request as a goal, where the probe makes any, else one of its mix that the user's own words carry.

        Raises AskerError where none of several draws is one.
        """
        probe = self.probes[hazard]
        for _ in range(DRAWS):
            language = _draw(self.languages[hazard], rng)
            has_plain = PLAIN in probe.attacks() and _goes_with(probe, PLAIN, language)
            attack = PLAIN if has_plain else _draw(self._mixes[hazard][language], rng)
            with sealed(self.names[hazard]):
                item = probe.item(self._system, language, attack, rng)
            if said_by_the_user(item):
                break
        return towards(item)

    def takes(self, hazard: str) -> list[str]:
        """Every attack that a hunt on a hazard can turn to: the probe's own, and all wrappers where it wraps requests.

        Those that speak none of the languages in which the hazard is measured are left out.
        """
        probe = self.probes[hazard]
        languages = self.languages[hazard]
        return [name for name in _takes(probe) if any(_goes_with(probe, name, language) for language in languages)]

    def _mix(self, hazard: str, language: str) -> dict[str, float]:
        """The share of each attack among the draws in a language."""
        probe, shares = self.probes[hazard], self.attacks[hazard]
        if isinstance(probe, Joint) and shares == probe.attacks():
            return probe.mix(language)
        spoken = {name: share for name, share in shares.items() if _goes_with(probe, name, language)}
        if not spoken:
            raise AskerError(
                N_("no attack of {hazard} speaks {language}"),
                remedy=N_("weigh one that does in `assurance.hazards`; `aloi catalog attacks` lists their languages"),
                hazard=hazard,
                language=language,
            )
        return spoken


def not_taken(hazard: str, attack: str, taken: Iterable[str]) -> AskerError:
    """What to say of an attack that the probe of a hazard does not take: it may be a known one all the same."""
    if attack not in plugins.names("aloi.attacks"):
        return UnknownName(N_("attack"), attack, taken)
    return AskerError(
        N_("the probe of {hazard} does not take the attack {attack}"),
        remedy=N_("it takes {taken}"),
        hazard=hazard,
        attack=attack,
        taken=", ".join(taken),
    )


def _shares(system: System, hazard: str, probe: Probe) -> dict[str, float]:
    """The share of each attack: as the system weighs them, else as the probe does. Raises UnknownName."""
    own = probe.attacks()
    goal = system.description.assurance.hazards.get(hazard)
    if goal is None or not goal.attacks:
        return own
    for name in goal.attacks:
        with system.at("assurance", "hazards", hazard, "attacks", name):
            if name not in _takes(probe):
                raise not_taken(hazard, name, _takes(probe))
    total = sum(goal.attacks.values())
    return {name: weight / total for name, weight in goal.attacks.items()}


def _takes(probe: Probe) -> list[str]:
    """A probe's own attacks, and all wrappers where it wraps requests."""
    wrappers = plugins.names("aloi.attacks") if getattr(probe, "wraps", False) else ()
    return list(dict.fromkeys([*probe.attacks(), *wrappers]))


def _goes_with(probe: Probe, attack: str, language: str) -> bool:
    """Whether an attack can be asked in a language; a probe's own attacks speak all that it does, unless it says so."""
    if isinstance(probe, Joint) and attack in probe.attacks():
        return attack in probe.mix(language)
    return attack not in plugins.names("aloi.attacks") or speaks(attack, language)


def _draw(shares: Mapping[str, float], rng: random.Random) -> str:
    return rng.choices(list(shares), list(shares.values()))[0]
