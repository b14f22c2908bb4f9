"""Stable codes of a consensus as sentences: where it stands, how certain it is and why, what links and what parts."""

from collections.abc import Callable
from types import MappingProxyType

from aloi.assurance.consensus.certainty import Fact
from aloi.assurance.report.figures import Figures
from aloi.assurance.report.words import Words
from aloi.translation import N_

Say = Callable[..., str]

STANDINGS: Words = MappingProxyType(
    {
        "below": N_("settled below the threshold"),
        "above": N_("settled above the threshold"),
        "not settled": N_("not settled"),
        "one result": N_("one result"),
        "range only": N_("range only"),
    }
)

LEVELS: Words = MappingProxyType(
    {"high": N_("high"), "moderate": N_("moderate"), "low": N_("low"), "very low": N_("very low")}
)

RULES: Words = MappingProxyType(
    {
        "design": N_(
            "high where third parties registered their plans in a log before the results, moderate where third "
            "parties signed them, low else; what three clusters reach counts"
        ),
        "bias": N_(
            "down where a judge's word stands for failures, a caveat is told, a key was disowned, too many trials "
            "have no score, or the answer rests on what is disputed"
        ),
        "inconsistency": N_("down where the prediction spans the threshold, or clusters are too few to tell"),
        "indirectness": N_("down where other versions of the system are pooled too"),
        "imprecision": N_(
            "down where the pooled interval spans the threshold, or trials are fewer than one exact test of it takes"
        ),
        "reporting": N_("down where plans were never followed by a finding, or known results are not among these"),
        "replication": N_("up where another cluster found its result before it could read the first"),
    }
)

FACTS: Words = MappingProxyType(
    {
        "open": N_("clusters by third parties whose plan a log held before the result: {count} of {of}"),
        "third-party": N_("clusters by third parties, their plans dated by their own clocks: {count} of {of}"),
        "self-attested": N_("clusters of whom nobody signed that they are third parties: {count} of {of}"),
        "judge-rated": N_("results that rest on a judge's word alone: {count} of {of}"),
        "judge-caveats": N_("results with a caveat on their judge: {count} of {of}"),
        "disowned-key": N_("results signed by a key that its organisation disowned later: {count} of {of}"),
        "rests-on-disputed": N_("without the disputed results the answer would be another one"),
        "unscorable": N_("trials without a score: {share}; up to {limit} is no step down"),
        "too-few-clusters": N_("independent clusters: {count}; disagreement shows from {fewest} on"),
        "prediction-spans": N_("the prediction, {low} to {high}, spans the threshold of {threshold}"),
        "prediction-on-one-side": N_(
            "the prediction, {low} to {high}, lies on one side of the threshold of {threshold}"
        ),
        "other-versions": N_("results on other versions of the system: {count} of {of}"),
        "interval-spans": N_("the pooled interval, {low} to {high}, spans the threshold of {threshold}"),
        "interval-on-one-side": N_(
            "the pooled interval, {low} to {high}, lies on one side of the threshold of {threshold}"
        ),
        "optimal-size": N_("independent trials: {n}; one exact test of the threshold takes {wanted}"),
        "unfollowed-plans": N_("plans registered and never followed by a finding: {count}"),
        "unseen-results": N_("findings that are known and not counted here: {count}"),
        "unjudged-results": N_("results that a log holds and nobody can read or verify: {count}"),
        "complete": N_("a log proves that nothing it holds about the system is left out"),
        "completeness-unproved": N_("no log was asked: that this is all the evidence, nobody proves"),
        "blind-replications": N_("results that another cluster repeated blindly: {count}"),
    }
)

WHY: Words = MappingProxyType(
    {
        "signer": N_("signed by the same key"),
        "organisation": N_("of the same organisation"),
        "trials": N_("the same log of trials"),
        "ratings": N_("the same ratings"),
        "plan": N_("under the same plan"),
        "seed": N_("the same seed, which draws the same items"),
        "corpus": N_("the same listed prompts"),
        "judge": N_("the same judge or rule"),
        "calibration": N_("the same calibration of the judge"),
    }
)

FACETS: Words = MappingProxyType(
    {
        "kind": N_("mean or worst attack"),
        "counts": N_("what is counted"),
        "estimand": N_("estimand"),
        "scope": N_("scope"),
        "languages": N_("languages, in %"),
        "attacks": N_("attacks, in %"),
        "corpus": N_("listed prompts"),
    }
)

ASIDE: Words = MappingProxyType(
    {
        "withdrawn": N_("withdrawn by who made it"),
        "void": N_("void: no key that signed it stood then"),
        "other-version": N_("another version of the system: indirect evidence"),
        "other-system": N_("about another system"),
        "not-tested": N_("not tested: no trial was scored"),
    }
)

RELATIONS: Words = MappingProxyType(
    {
        "third_party": N_("third party"),
        "first_party": N_("the system's own owner"),
        "collaborative": N_("works with the owner"),
        "other": N_("another relation to the owner"),
    }
)

REGISTERED: Words = MappingProxyType(
    {
        "log": N_("before the result, by a log"),
        "clock": N_("by the signer's own clock"),
        "after": N_("only after the result, by a log"),
    }
)

_WHOLE = frozenset({"count", "of", "fewest", "n", "wanted"})
_CHOSEN = frozenset({"threshold", "limit"})


def fact_sentence(fact: Fact, figures: Figures, say: Say) -> str:
    """What a step rests on, its figures as the reader's language writes them."""

    def written(name: str, value: float) -> str:
        if name in _WHOLE:
            return figures.whole(round(value))
        return figures.threshold(value) if name in _CHOSEN else figures.percent(value)

    return say(FACTS[fact.code], **{name: written(name, value) for name, value in fact.figures.items()})
