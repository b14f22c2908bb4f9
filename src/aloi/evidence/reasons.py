"""Codes of statements in words: why one was withdrawn, counts for nothing, cannot be judged, appraises otherwise.

The codes stay for machines.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from aloi.translation import N_

# As `aloi.evidence.voices.Why` names them.
NOTHING: Mapping[str, str] = MappingProxyType(
    {
        "no-standing-key": N_("the key that speaks is revoked, expired or not yet valid"),
        "subject-name": N_("its subject is not named as a statement"),
        "unknown-statement": N_("the statement that it names is not at hand"),
        "stranger": N_("who speaks did not make the statement that they speak of"),
        "final": N_("a withdrawal is final and cannot be withdrawn"),
        "of-a-roster": N_("what an organisation says of itself is not withdrawn: its next statement changes it"),
        "own-statement": N_("nobody endorses or repeats what is their own"),
        "own-dispute": N_("who endorses it disputes it too"),
        "repeated": N_("the same party had said it already"),
        "no-finding": N_("what is said to be repeated, or to repeat it, is no finding"),
        "another-hazard": N_("the two findings are on different hazards"),
        "another-system": N_("the two findings are on different systems"),
        "withdrawn-finding": N_("the finding that is to repeat the other was withdrawn"),
        "unknown-commitment": N_("the commitment that it names is not at hand, or is none"),
        "foreign-commitment": N_("the commitment that it names was made by somebody else"),
        "late-commitment": N_("the commitment was logged only after the other finding could be read"),
        "other-commitment": N_("what had been committed to is something else"),
        "supersedes-otherwise": N_("what is to take its place is of another kind, or about another system"),
        "no-organisation": N_("the key that speaks belongs to no organisation"),
    }
)

# Reasons by which a log's entry cannot be judged, or a party's results do not hold to their plan.
UNJUDGED: Mapping[str, str] = MappingProxyType(
    {
        "erased": N_("its envelope was erased; the digests stay"),
        "entry-mismatch": N_("the envelope that is shown is not the one that was logged"),
        "unknown-signer": N_("signed by a key that is not at hand"),
        "bad-signature": N_("a signature does not hold: something was changed"),
        "too-few-signers": N_("too few of the keys at hand signed it"),
        "repeated-signer": N_("one key signed it twice"),
        "payload-type": N_("what was signed is no in-toto statement"),
        "not-a-statement": N_("what was signed is no statement that this release reads"),
        "too-large": N_("it has more bytes than may be read"),
        "entry-too-large": N_("it is about more systems than an entry may name"),
        "not-utf8": N_("it is not UTF-8"),
        "not-json": N_("it is not JSON"),
        "too-deep": N_("it is nested too deeply"),
        "duplicate-key": N_("it says one thing twice in one place"),
        "wrong-type": N_("a field of it is of another type than it has to be"),
        "invalid-value": N_("a field of it holds a value that cannot be"),
        "float": N_("a number of it is not exact"),
        "number-out-of-range": N_("a number of it is of inhuman size"),
        "not-canonical": N_("it is not in its one canonical form"),
        "bad-base64": N_("its base64 is not in the one spelling"),
        "unknown-algorithm": N_("its key is of an algorithm that this release does not know"),
        "unsupported-algorithm": N_("this machine lacks the algorithm of its key"),
        "invalid-key": N_("its key is none"),
        "key-size": N_("its key has a size that is not read"),
        "no-plan": N_("its maker logged no plan for it"),
        "plan-subject": N_("its plan's system is not the plan's own subject"),
        "alpha": N_("its plan's error rate is outside ]0, 1["),
        "repeated-hazard": N_("its plan names a hazard twice"),
        "impossible-plan": N_("nothing can be carried out under its plan"),
        "hunts-alpha": N_("the hunts of its plan may err more often than the plan allows"),
        "foreign-subject": N_("a result under its plan is about a system that the plan does not cover"),
        "unplanned-hazard": N_("its hazard is not in its plan"),
        "unplanned-remedy": N_("a remedy that was tried is not in its plan"),
        "unplanned-hunt": N_("a hunt that was made is not in its plan"),
        "plan-threshold": N_("it has another threshold than its plan"),
        "plan-estimand": N_("it has another estimand than its plan"),
        "plan-scope": N_("it has another scope than its plan"),
        "plan-level": N_("it has another level than its plan"),
        "plan-attacks": N_("it has other attacks than its plan"),
        "plan-scorer": N_("it was scored otherwise than planned"),
        "plan-corpus": N_("it rests on other prompts than planned"),
        "missing-finding": N_("its maker left out the result on another hazard of the same plan"),
        "missing-hunt": N_("its maker left out, or told twice, a hunt of the same plan"),
        "repeated-finding": N_("its maker told two results where the plan allows one"),
        "unfounded-acceptance": N_("remedies are called accepted although not all is met behind them"),
        "unfounded-verdict": N_("its own figures do not support its verdict"),
        "unfounded-judging": N_("it says more than its judge's calibration allows"),
        "unfounded-exploration": N_("it names a part as failing that its own figures do not show"),
        "passed-verdict": N_("it says otherwise of having passed than its verdict"),
        "sample-size": N_("its samples are not those of its parts"),
        "unknown-metric": N_("its metric is not known to this release"),
        "old-name": N_("it says one thing under two names"),
        "impossible-figure": N_("no measurement can give its figures"),
        "stray-monitoring": N_("it tells of production within a run that has a plan"),
        "repeated-monitoring": N_("two statements tell what one set of guards did"),
        "guard-set": N_("its set of guards has another digest than the guards that it names"),
        "unknown-guard": N_("a guard acts in it that is not among those that ran"),
        "unfounded-alarm": N_("its alarm does not follow from its figures"),
        "not-accepted": N_("the update that it rests on was accepted by nobody"),
    }
)

UNCOUNTED: Mapping[str, str] = MappingProxyType({**NOTHING, **UNJUDGED})

WITHDRAWALS: Mapping[str, str] = MappingProxyType(
    {
        "error-in-method": N_("for an error in the method"),
        "error-in-data": N_("for an error in the data"),
        "superseded": N_("because another takes its place"),
        "system-retired": N_("because the system is retired"),
        "legal": N_("for legal reasons"),
        "other": N_("for another reason"),
    }
)

STEPS: Mapping[str, str] = MappingProxyType(
    {
        "design": N_("Start, by design"),
        "bias": N_("Risk of bias"),
        "inconsistency": N_("Inconsistency"),
        "indirectness": N_("Indirectness"),
        "imprecision": N_("Imprecision"),
        "reporting": N_("Reporting bias"),
        "replication": N_("Blind replication"),
    }
)

CHANGES = MappingProxyType({-2: N_("down 2"), -1: N_("down 1"), 0: N_("no change"), 1: N_("up 1")})


def change_words(change: int, say: Callable[..., str]) -> str:
    """By how much a step is to count."""
    return say(CHANGES[change])
