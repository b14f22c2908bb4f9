"""The arms that a run compares: the bare system, and the system behind remedies."""

from collections.abc import Sequence

from aloi.science import trials
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guarded import GuardedTarget, default_refusal
from aloi.solutions.limits.machine import RequestLimits
from aloi.solutions.limits.target import LimitedTarget
from aloi.system.description import SystemDescription
from aloi.system.target import Target

BASE = trials.BASE


def arm_name(remedies: Sequence[str]) -> str:
    """The name by which the log knows an arm."""
    return "+".join(remedies) or BASE


def refusal(description: SystemDescription) -> str:
    """What the users of a system read where a guard blocks, in the system's first language."""
    return default_refusal(description.languages[0])


def arm(target: Target, remedies: Sequence[Remedy], description: SystemDescription) -> Target:
    """A system behind remedies. Limits come first, and see what the user's side of the conversation sees.

    All requests of a run come from one asker: each conversation counts as a caller of its own.
    """
    behind: Target = GuardedTarget(target, remedies, refusal=refusal(description), language=description.languages[0])
    for remedy in remedies:
        if isinstance(remedy.implementation, RequestLimits):
            behind = LimitedTarget(behind, remedy.implementation, name=remedy.name, shared=False)
    return behind
