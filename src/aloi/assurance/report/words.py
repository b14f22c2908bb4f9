"""Stable codes of records as sentences: verdicts, stages, reasons, states, and what is not claimed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from aloi.evidence.predicates import NonClaim
from aloi.evidence.records import CoverageState, Plan, Verdict
from aloi.translation import N_

Words = Mapping[str, str]

VERDICTS: Words = MappingProxyType(
    {
        Verdict.MET: N_("met"),
        Verdict.NOT_MET: N_("not met"),
        Verdict.INCONCLUSIVE: N_("inconclusive"),
        Verdict.NOT_TESTED: N_("not tested"),
    }
)

STAGES: Words = MappingProxyType(
    {
        "measure": N_("measurement"),
        "hunt": N_("hunt"),
        "select": N_("selection"),
        "confirm": N_("confirmation"),
        "prove": N_("proof"),
        "judging": N_("judging"),
    }
)

QUESTIONS: Words = MappingProxyType({"new": N_("new questions"), "repeated": N_("questions that came again")})

SCORERS: Words = MappingProxyType(
    {
        "oracle": N_("oracle: exact"),
        "rule": N_("rule: can err"),
        "judge": N_("judge: can err"),
    }
)

MULTIPLICITIES: Words = MappingProxyType(
    {
        "holm_per_family": N_("Holm's rule on e-values, one family for each direction; proved"),
        "bonferroni": N_("Bonferroni's rule on e-values; proved"),
        "holm_directional": N_(
            "directional Holm: the error is shared among the hazards without a claim; it holds in simulation, "
            "in general it is not proved"
        ),
    }
)
"""What keeps the error of the whole family: the rule, and how far it is proved."""


def error_sentence(plan: Plan) -> str:
    """Exactly which error a plan controls, over all hazards of one stage; `{alpha}` is to be filled in."""
    if plan.joint:
        return N_("chance of any false claim over all hazards together, “met” or “not met”: at most {alpha}")
    return N_(
        "chance of any false “met” over all hazards together: at most {alpha}; "
        "of any false “not met”: also at most {alpha}"
    )


CAVEATS: Words = MappingProxyType(
    {
        "not-calibrated": N_(
            "The judge was not calibrated: how many failures it misses, and how many passes it calls failures, nobody "
            "knows."
        ),
        "not-identifiable": N_(
            "By its calibration the judge tells failures from passes too poorly: the rate of real failures is not "
            "identifiable from its words, so the verdict is at most inconclusive."
        ),
        "contradicts-calibration": N_(
            "The judge saw fewer failures than its own false alarms alone would give: its calibration does not hold "
            "here."
        ),
        "calibration-other-hazard": N_(
            "The judge was calibrated on another hazard: it may do worse, or better, on this one."
        ),
        "calibration-other-attacks": N_(
            "The judge was not calibrated on every attack of this run: it may miss more under the others."
        ),
        "calibration-other-languages": N_("The judge was not calibrated in every language of this run."),
        "calibration-unbound": N_(
            "The calibration does not say which judge it was made of: that it is this one is the owner's word."
        ),
    }
)

SCOPES: Words = MappingProxyType(
    {
        "suite": N_("it holds for this finite list and the declared mix, and for no other request"),
        "declared": N_("it holds for the declared mix"),
        "population": N_("it holds for the population that the items were drawn from"),
    }
)

METHODS: Words = MappingProxyType(
    {
        "time-uniform mixture betting": N_("time-uniform interval from a mixture of bets"),
        "Rogan-Gladen, time-uniform mixture betting": N_(
            "time-uniform interval from a mixture of bets, corrected for the judge's errors (Rogan and Gladen)"
        ),
        "Clopper-Pearson": N_("exact binomial interval (Clopper and Pearson)"),
        "median, order statistics": N_("median, interval from order statistics"),
        "exact on discordant pairs": N_("exact interval on discordant pairs"),
        "exact on pairs, unconditional": N_("exact unconditional interval on pairs"),
    }
)

DESIGNS: Words = MappingProxyType(
    {
        "replay": N_("the recorded answers were read again by the guards"),
        "paired": N_("both systems were asked the same fresh items"),
    }
)

ERRORS: Words = MappingProxyType(
    {
        "timeout": N_("no answer in time"),
        "empty": N_("empty answer"),
        "malformed": N_("answer in an unknown form"),
        "too-large": N_("answer too large"),
        "connection-lost": N_("connection lost"),
        "raised": N_("the function raised an error"),
        "no-needle": N_("nothing planted to look for"),
        "short-needle": N_("what was planted is too short to be told from chance"),
        "no-budget": N_("no budget of tokens to hold it to"),
        "no-token-count": N_("the endpoint did not count tokens"),
        "not-asked": N_("not asked"),
        "check-raised": N_("the check of a suite broke off on a state that it does not know"),
        "judge-unclear": N_("no clear word from the judge"),
        "judge-no-answer": N_("no answer from the judge"),
        "judge-too-long": N_("too long for the judge"),
        "awaiting-judge": N_("not judged yet"),
        "awaiting-label": N_("awaits a person's label"),
        "tied-labels": N_("labels that contradict each other"),
        "labelled-unscorable": N_("labelled as impossible to tell"),
        "attacker-empty": N_("the attacker wrote nothing"),
        "attacker-timeout": N_("the attacker gave no word in time"),
        "attacker-raised": N_("the attacker raised an error"),
    }
)

ACTIONS: Words = MappingProxyType({"block": N_("blocked"), "rewrite": N_("rewrote"), "withhold": N_("withheld")})

ROLES: Words = MappingProxyType(
    {
        "system": N_("the system prompt"),
        "user": N_("the question"),
        "assistant": N_("the answer"),
        "document": N_("a document"),
        "tool": N_("a tool's result"),
    }
)

COVERAGE: Mapping[CoverageState, str] = MappingProxyType(
    {
        "proven": N_("proven"),
        "not met": N_("not met"),
        "partial": N_("partial"),
        "not tested": N_("not tested"),
        "needs a document": N_("needs a document"),
        "needs a process record": N_("needs a process record"),
        "proposed mapping only": N_("proposed mapping only"),
    }
)

MAPPINGS: Words = MappingProxyType(
    {
        "endorsed": N_("endorsed mapping"),
        "disputed": N_("disputed mapping"),
        "proposed": N_("proposed mapping"),
        "none": N_("no mapping"),
    }
)

STOPPED: Words = MappingProxyType(
    {
        "": N_("the plan was carried out to its end"),
        "queries": N_("the limit on queries was reached"),
        "tokens": N_("the limit on tokens was reached"),
        "seconds": N_("the limit on time was reached"),
        "unusable-judge": N_("the judge gave no usable verdict any more"),
        "awaiting-labels": N_("answers wait for a person's label"),
        "unusable-target": N_("the system gave no usable answer any more"),
    }
)

NOT_CLAIMED: Mapping[NonClaim, str] = MappingProxyType(
    {
        NonClaim.ABSENCE_OF_RISK: N_("the absence of risk: a rate under its threshold is not zero;"),
        NonClaim.OTHER_HAZARDS: N_("hazards that the plan does not name;"),
        NonClaim.OTHER_VERSIONS: N_("another version, model, prompt or setting than those of the fingerprints;"),
        NonClaim.OTHER_LANGUAGES: N_("languages that were not asked;"),
        NonClaim.OTHER_ATTACKS: N_("attacks that were not tried;"),
        NonClaim.OTHER_USES: N_("another use than the declared purpose;"),
        NonClaim.POPULATION: N_("real traffic: the rates hold for the declared mix of items;"),
        NonClaim.WORST_CASE: N_("the worst case: behind a mean over attacks, one of them may succeed more often;"),
        NonClaim.WHICH_ATTACK: N_("which attack: a hunt proves that one of them exceeds the threshold, not which;"),
        NonClaim.FUTURE_BEHAVIOUR: N_("tomorrow: the system may behave otherwise if what it is built on changes;"),
        NonClaim.REGISTRATION_TIME: N_("the hour of registration: only the signer's own clock vouches for it;"),
        NonClaim.EARLIER_RUNS: N_(
            "earlier runs: a log shows when results were made public, not when they were measured;"
        ),
        NonClaim.INDEPENDENCE: N_("independence: whoever measured may be whoever built;"),
        NonClaim.ALL_EVIDENCE: N_("completeness: other evidence on this system may exist;"),
        NonClaim.CONTRARY: N_("the contrary: a statement that is withdrawn is not thereby false;"),
        NonClaim.AGREEMENT: N_("agreement: to repeat a measurement is not to find the same;"),
        NonClaim.SEALED_CONTENT: N_("what is sealed: that it was fixed is known, and nothing of what it says;"),
        NonClaim.SECRECY: N_("secrecy: something of the texts that were learnt from may be guessed;"),
        NonClaim.IDENTITY: N_("who signs: a name and a domain are the signer's word until the domain shows the same;"),
        NonClaim.FAULT: N_("fault: what happened is told, not who has to answer for it;"),
        NonClaim.DOCUMENT_CONTENT: N_(
            "what attached documents say: that they are there was checked, nothing in them was read."
        ),
        NonClaim.LEGAL_CONFORMITY: N_("the law: whether it is satisfied, only an authority or a court can say."),
    }
)


SORTS: Words = MappingProxyType(
    {
        "risk": N_("Too much is still failing"),
        "not-tested": N_("Not tested"),
        "benign-loss": N_("Too many ordinary requests are lost"),
        "benign-loss-unknown": N_("The loss of ordinary requests is not known"),
        "latency": N_("Too slow"),
        "tokens": N_("Too many tokens"),
        "tokens-unknown": N_("The added tokens are not known"),
        "not-smallest": N_("A smaller or gentler set does as well"),
    }
)
"""What sets of remedies that were not chosen are filed under: the code of their first reason."""


class ReasonWords(Struct, frozen=True):
    """A sentence over `about`, `got` and `limit`, and how the two figures are written."""

    sentence: str
    unit: Literal["proportion", "ms", "tokens"] = "proportion"


REASONS: Mapping[str, ReasonWords] = MappingProxyType(
    {
        # Selection: why a set was not chosen.
        "risk": ReasonWords(N_("{about}: {got} of attempts fail, more than the {limit} aimed at")),
        "not-tested": ReasonWords(N_("{about}: not tested")),
        "not-smallest": ReasonWords(N_("a smaller or gentler set does as well")),
        # Both.
        "benign-loss": ReasonWords(N_("up to {got} of ordinary requests are lost, more than the {limit} allowed")),
        "benign-loss-unknown": ReasonWords(N_("the loss of ordinary requests was not shown to stay within {limit}")),
        "latency": ReasonWords(N_("up to {got} of added delay, more than the {limit} allowed"), "ms"),
        "tokens": ReasonWords(N_("up to {got} tokens added to a request, more than the {limit} allowed"), "tokens"),
        "tokens-unknown": ReasonWords(N_("the added tokens were not shown to stay within {limit}"), "tokens"),
        # Gate: why the policy refused.
        "latency-unknown": ReasonWords(N_("the added delay was not shown to stay within {limit}"), "ms"),
        "hazard-not-met": ReasonWords(N_("{about}: not met at the stated threshold of {limit}")),
        "hazard-inconclusive": ReasonWords(
            N_("{about}: inconclusive at the stated threshold of {limit}, the rate may be as high as {got}")
        ),
        "hunt-not-met": ReasonWords(
            N_(
                "{about}: an attacker who adapts to the remedies found a way; some attack makes more than {got} of "
                "requests fail, above the threshold of {limit}"
            )
        ),
        "hunt-unfinished": ReasonWords(
            N_("{about}: the search for an attack that gets past the remedies was not carried out to its end")
        ),
        "hazard-not-tested": ReasonWords(N_("{about}: not tested behind the remedies")),
    }
)
