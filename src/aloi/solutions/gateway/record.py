"""What is known of an exchange when it has ended."""

from typing import Literal

from msgspec import Struct

from aloi.system.messages import GuardDecision

# 'gone': the client left before the answer was whole. 'error': it was told an error.
Outcome = Literal["answered", "changed", "blocked", "error", "gone"]


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One exchange. `at` is POSIX seconds; `asked` and `answer` are texts for whoever keeps texts, never written else.

    `error` is the code that the client was told; tokens are as the upstream counts them.
    """

    at: float
    id: str
    key: str
    endpoint: str
    guard_set: str
    outcome: Outcome
    decisions: tuple[GuardDecision, ...] = ()
    error: str = ""
    seconds: float = 0.0
    guard_seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    asked: str = ""
    answer: str = ""
