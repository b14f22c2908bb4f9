"""Which results are rates of one and the same thing: only these are ever pooled."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from aloi.assurance.consensus.results import Result
from aloi.evidence.records import Finding

Facet = Literal["kind", "counts", "estimand", "scope", "languages", "attacks", "corpus"]
Likeness = Mapping[Facet, str]


class Difference(Struct, frozen=True, kw_only=True):
    """What tells two estimands apart: in which facet, and what each has there."""

    facet: Facet
    ours: str
    theirs: str


def likeness(result: Result) -> Likeness:
    """What a result is a rate of, facet by facet; two results are alike where all facets are equal.

    The corpus is a facet only where the rate is that of a list: of a population, two lists are two samples.
    """
    record, planned = result.record, result.planned
    if not isinstance(record, Finding):
        return {
            "kind": "max",
            "counts": "failures",
            "estimand": record.estimand,
            "scope": planned.scope,
            "languages": _shares(planned.languages),
            "attacks": ", ".join(sorted(each.name for each in record.attacks)),
            "corpus": planned.corpus.digest if planned.corpus else "",
        }
    return {
        "kind": "mean",
        "counts": record.counts,
        "estimand": record.estimand,
        "scope": record.scope,
        "languages": _shares(planned.languages),
        "attacks": _shares(planned.attacks),
        "corpus": record.corpus.digest if record.corpus and record.scope != "population" else "",
    }


def differences(ours: Likeness, theirs: Likeness) -> tuple[Difference, ...]:
    """Every facet in which they are not alike."""
    apart = (facet for facet in ours if ours[facet] != theirs[facet])
    return tuple(Difference(facet=facet, ours=ours[facet], theirs=theirs[facet]) for facet in apart)


def _shares(mix: Mapping[str, Decimal]) -> str:
    """Names with their shares of the whole, to a hundredth of a per cent."""
    total = sum(mix.values(), Decimal(0)) or Decimal(1)
    return ", ".join(f"{name} {100 * mix[name] / total:.2f}" for name in sorted(mix))
