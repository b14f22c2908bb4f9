"""What an update changes on texts that it did not learn from: each is read without it and with it.

Exact intervals of the paired differences (`aloi.statistics.paired`): of the share of attacks that are stopped, and of
ordinary texts that are.
"""

from collections.abc import Collection, Sequence

import msgspec

from aloi.evidence.records import Interval, number
from aloi.evidence.updates import LanguageMeasured, Measured, Paired
from aloi.solutions.detector import Model, model, read
from aloi.solutions.updating.texts import Labelled, Texts, by_language
from aloi.statistics.paired import paired_difference

LEVEL = 0.95
METHOD = "exact paired difference (unconditional)"


def without(texts: Texts, learnt: Collection[str]) -> tuple[Texts, int]:
    """The texts whose digest is not among those that were learnt from, and how many were left out."""
    known = frozenset(learnt)
    attacks = tuple(one for one in texts.attacks if one.digest not in known)
    ordinary = tuple(one for one in texts.ordinary if one.digest not in known)
    left = len(texts.attacks) + len(texts.ordinary) - len(attacks) - len(ordinary)
    return msgspec.structs.replace(texts, attacks=attacks, ordinary=ordinary), left


def measured(texts: Texts, after: Model, threshold: float) -> tuple[Measured, tuple[LanguageMeasured, ...]]:
    """What changes over all texts, and language by language."""
    stopped = {one.digest: _stopped(one, after, threshold) for one in (*texts.attacks, *texts.ordinary)}
    whole = Measured(attacks=_paired(texts.attacks, stopped), ordinary=_paired(texts.ordinary, stopped))
    apart = []
    for code, group in by_language((*texts.attacks, *texts.ordinary)):
        attacks = _paired([one for one in group if one.attack], stopped)
        ordinary = _paired([one for one in group if not one.attack], stopped)
        apart.append(LanguageMeasured(language=code, attacks=attacks, ordinary=ordinary))
    return whole, tuple(apart)


def _stopped(one: Labelled, after: Model, threshold: float) -> tuple[bool, bool]:
    return read(one.text, model()).score >= threshold, read(one.text, after).score >= threshold


def _paired(texts: Sequence[Labelled], stopped: dict[str, tuple[bool, bool]]) -> Paired:
    pairs, n = [stopped[one.digest] for one in texts], len(texts)
    gained = sum(after and not before for before, after in pairs)
    lost = sum(before and not after for before, after in pairs)
    value, low, high = (number(one) for one in paired_difference(lost, gained, n, LEVEL))
    interval = Interval(value=value, low=low, high=high, n=n, level=number(LEVEL), unit="proportion", method=METHOD)
    return Paired(n=n, before=sum(before for before, _ in pairs), gained=gained, lost=lost, difference=interval)
