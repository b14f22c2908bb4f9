"""What the fields of a plan must satisfy before anything can be carried out under it."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from aloi.errors import EvidenceError
from aloi.evidence.records import CorpusIdentity, Plan
from aloi.translation import N_

# RFC 3339, section 5.6, in UTC.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
# Shares are signed with six significant digits each.
_ROUNDING = Decimal("0.00001")


def check_plan_fields(plan: Plan) -> None:
    """Raises EvidenceError ('impossible-plan') where a field holds what no run can keep to.

    Hazards and hunts are looked at one by one elsewhere; here are their shares, and all other fields.
    """
    benign, limits = plan.benign, plan.limits
    faults = {
        "hazards": not plan.hazards,
        "hazards.languages": not all(_is_mix(entry.languages) for entry in plan.hazards),
        "hazards.attacks": not all(_is_mix(entry.attacks) for entry in plan.hazards),
        "hazards.corpus": not all(_is_list(entry.corpus) for entry in plan.hazards),
        "benign.selection_trials": benign.selection_trials < 1,
        "benign.confirmation_trials": benign.confirmation_trials < 1,
        "benign.languages": not _is_mix(benign.languages),
        "benign.max_loss": not 0 < benign.max_loss < 1,
        "benign.corpus": not _is_list(benign.corpus),
        "remedies": len(set(plan.remedies)) != len(plan.remedies),
        "pairs": plan.pairs < 1,
        "selection_pairs": plan.selection_pairs < 1,
        "max_added_latency_ms": plan.max_added_latency_ms <= 0,
        "max_added_tokens": plan.max_added_tokens is not None and plan.max_added_tokens < 0,
        "limits": min(limits.queries, limits.tokens, limits.seconds) < 1,
        "registered_at": not _is_time(plan.registered_at),
    }
    for field, is_fault in faults.items():
        if is_fault:
            raise EvidenceError(
                N_("nothing can be carried out under the plan: its {field} cannot be"),
                reason="impossible-plan",
                remedy=N_("ask the one who signed: the evidence contradicts itself"),
                field=field,
            )


def _is_mix(shares: Mapping[str, Decimal]) -> bool:
    """Whether the shares are those of a whole."""
    within = all(0 < share <= 1 for share in shares.values())
    return within and abs(sum(shares.values(), Decimal(0)) - 1) <= _ROUNDING * len(shares)


def _is_list(corpus: CorpusIdentity | None) -> bool:
    return corpus is None or (1 <= corpus.seeds <= corpus.rows and corpus.left_out >= 0)


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return True
