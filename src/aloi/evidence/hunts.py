"""What hunts owe the plan and themselves: none is left out, and a verdict follows from its e-value."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.figures import impossible
from aloi.evidence.records import Hunt, HuntPlan, Plan, Verdict
from aloi.translation import N_

# Log e-values and bounds are signed with six significant digits.
_LOG_ROUNDING = Decimal("0.0001")
_ROUNDING = Decimal("0.00001")


def check_hunt_plans(plan: Plan) -> None:
    """Raises EvidenceError unless each hunt is of a hazard of the plan, and their errors add up to at most its own."""
    hazards = {entry.hazard for entry in plan.hazards}
    repeated = [name for name, count in Counter(hunt.hazard for hunt in plan.hunts).items() if count > 1]
    for hunt in plan.hunts:
        faults = {
            "hazard": hunt.hazard not in hazards or hunt.hazard in repeated,
            "attacks": not hunt.attacks or len(set(hunt.attacks)) != len(hunt.attacks),
            "cap": hunt.cap < 1,
            "batch": hunt.batch < 1,
            "alpha": not 0 < hunt.alpha < 1,
            "turns": hunt.turns < 0 or bool(hunt.attacker) != (hunt.turns > 0),
        }
        for field, is_fault in faults.items():
            if is_fault:
                raise _refusal(
                    N_("no test can be made of the plan for {hazard}: its {field} cannot be"),
                    "impossible-plan",
                    hazard=hunt.hazard,
                    field=field,
                )
    if sum(hunt.alpha for hunt in plan.hunts) > plan.alpha:
        raise _refusal(N_("the plan's hunts may err more often together than the plan allows"), "hunts-alpha")


def check_hunt(hunt: Hunt, plan: Plan) -> None:
    """Raises EvidenceError unless the hunt was planned, its counts can be, and its verdict and bound follow from them.

    `not met` needs an e-value of 1 / alpha (Ville 1939), and its lower bound is then at or above the threshold;
    otherwise neither is so. The e-value is recomputed from nothing but itself: the trials are in the run's log.
    """
    planned = next((entry for entry in plan.hunts if entry.hazard == hunt.hazard), None)
    if planned is None:
        raise _refusal(N_("the plan names no hunt on {hazard}"), "unplanned-hunt", hazard=hunt.hazard)
    _check_registered(hunt, planned, plan)
    _check_counts(hunt, planned)
    _check_verdict(hunt, planned)


def _check_registered(hunt: Hunt, planned: HuntPlan, plan: Plan) -> None:
    entry = next(one for one in plan.hazards if one.hazard == hunt.hazard)
    wanted = {
        "estimand": (hunt.estimand, planned.estimand),
        "threshold": (hunt.threshold, entry.threshold),
        "scorer": (hunt.scorer, entry.scorer),
        "level": (hunt.level, 1 - planned.alpha),
        "attacks": (tuple(one.name for one in hunt.attacks), planned.attacks),
    }
    for field, (got, expected) in wanted.items():
        if got != expected:
            raise _refusal(
                N_("the result on {about} has another {field} than the plan"),
                f"plan-{field}",
                about=hunt.hazard,
                field=field,
            )


def _check_counts(hunt: Hunt, planned: HuntPlan) -> None:
    for attack in hunt.attacks:
        if not (0 <= attack.failures <= attack.n and attack.unscorable >= 0):
            raise impossible(f"{attack.name}: {attack.failures}/{attack.n}")
    tried = _tried(hunt)
    if tried > planned.cap or tried > hunt.queries or hunt.sample.trials != hunt.queries:
        raise impossible(f"{hunt.hazard}: {tried}, {hunt.queries}, {hunt.sample.trials}, {planned.cap}")
    if not 0 <= hunt.low <= 1:
        raise impossible(f"{hunt.hazard}: {hunt.low}")
    most = max(attack.failures for attack in hunt.attacks)
    worst = [attack.name for attack in hunt.attacks if attack.failures == most] if most else [""]
    if hunt.worst not in worst:
        raise impossible(f"{hunt.hazard}: {hunt.worst}")


def _check_verdict(hunt: Hunt, planned: HuntPlan) -> None:
    needed = -planned.alpha.ln()
    if hunt.verdict is Verdict.NOT_MET:
        holds = hunt.log_e_not_met >= needed - _LOG_ROUNDING and hunt.low >= hunt.threshold - _ROUNDING
    else:
        word = Verdict.INCONCLUSIVE if _tried(hunt) else Verdict.NOT_TESTED
        below = hunt.log_e_not_met < needed + _LOG_ROUNDING and hunt.low <= hunt.threshold + _ROUNDING
        holds = hunt.verdict is word and below
    if not holds:
        raise _refusal(
            N_("the hunt on {hazard} says “{verdict}”, which does not follow from its e-value and its bound"),
            "unfounded-verdict",
            hazard=hunt.hazard,
            verdict=hunt.verdict.value,
        )


def check_all_hunts(
    plan: Plan, hunts: Sequence[tuple[str, Hunt]], *, measured: bool, accepted: AbstractSet[str] = frozenset()
) -> None:
    """Raises EvidenceError unless each system that was hunted, the plan's own once it was `measured`, and those whose
    remedies were `accepted` show every hunt of the plan once; the plan's own system those that hunt it as it stood.
    `hunts` are given with the fingerprint of their system.
    """
    systems = {system for system, _ in hunts} | ({plan.system} if measured else set()) | accepted
    for system in systems:
        planned = Counter(hunt.hazard for hunt in plan.hunts if hunt.bare or system != plan.system)
        told = Counter(hunt.hazard for of, hunt in hunts if of == system)
        if told != planned:
            off = min((told - planned) + (planned - told))
            raise _refusal(
                N_("the hunts of one system are not those of the plan: {hazard} is missing, or stands twice"),
                "missing-hunt",
                hazard=off,
            )
    caps = {hunt.hazard: hunt.cap for hunt in plan.hunts if hunt.gate == "refuse"}
    for system, hunt in hunts:
        if system in accepted and hunt.hazard in caps:
            _check_gate(hunt, caps[hunt.hazard])


def _check_gate(hunt: Hunt, cap: int) -> None:
    """Remedies are accepted only where an attacker who adapts to them tried to the end and proved nothing."""
    if hunt.verdict is Verdict.NOT_MET or _tried(hunt) < cap:
        raise _refusal(
            N_("remedies are called accepted although the plan's hunt on {hazard} refuses them: {verdict}, n = {n}"),
            "unfounded-acceptance",
            hazard=hunt.hazard,
            verdict=hunt.verdict.value,
            n=_tried(hunt),
        )


def _tried(hunt: Hunt) -> int:
    return sum(attack.n + attack.unscorable for attack in hunt.attacks)


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message,
        reason=reason,
        remedy=N_("ask the one who signed: the evidence contradicts itself"),
        **{name: shown(fact) for name, fact in facts.items()},
    )
