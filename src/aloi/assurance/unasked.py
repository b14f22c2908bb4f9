"""Languages of a system in which a hazard is not asked: a result says nothing about those who speak them."""

from collections.abc import Sequence

from aloi.evidence.records import Plan


def unasked(plan: Plan, languages: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By hazard, or 'benign', those of `languages` that no request is made in; what is asked in all is left out."""
    asked = {entry.hazard: entry.languages for entry in plan.hazards} | {"benign": plan.benign.languages}
    missing = {about: tuple(name for name in languages if name not in spoken) for about, spoken in asked.items()}
    return {about: names for about, names in missing.items() if names}
