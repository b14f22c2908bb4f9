"""What a gateway tells of itself at `/aloi/status`: by which remedies it runs, and what was proven of them."""

import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from aloi.solutions.gateway.running import Running
from aloi.solutions.passage import is_guard


def status(running: Running) -> dict[str, Any]:
    """A JSON document. `streams` names the guard that makes answers be held to their end, or nobody."""
    policy, serving = running.policy, running.policy.serving
    return {
        "system": policy.system,
        "fingerprint": policy.fingerprint,
        "guard_set": policy.guard_set,
        "remedies": [msgspec.to_builtins(one) for one in policy.identities],
        "proven": msgspec.to_builtins(policy.proven) if policy.proven else None,
        "edition": running.edition,
        "since": datetime.fromtimestamp(running.since, UTC).isoformat(timespec="seconds"),
        "endpoints": sorted(running.dialects),
        "model": policy.model or None,
        "fail_open": serving.fail_open,
        "deadline": serving.deadline,
        "held_whole_for": holding(running),
        "budgets": ("kept" if running.keeper.remembers else "forgotten with the process") if policy.budgets else None,
        "faults": {f"{guard}: {reason}": count for (guard, reason), count in running.behind.guarded.faults.items()},
        "under_way": running.under_way,
        "seconds": round(time.time() - running.since, 1),
    }


def holding(running: Running) -> list[str]:
    """The guards on answers that cannot be streamed through: where there is one, answers are held to their end."""
    return [
        remedy.name
        for remedy in running.policy.remedies
        if is_guard(remedy.implementation)
        and "assistant" in remedy.implementation.roles
        and not hasattr(remedy.implementation, "settled")
    ]
