"""What the limits can be told."""

import math
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aloi.solutions.options import Options
from aloi.translation import N_

Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Money = Annotated[float, Meta(ge=0, le=1e12)]


class RequestLimitsOptions(Options, frozen=True, kw_only=True):
    """A limit that is None does not bind; one of 0 lets nothing pass.

    In one conversation: `same_result` is how often the same tool call may give the same result, `same_call` how often
    it may be made at all, `calls` and `turns` count all tool calls and all messages of the user. `answer_tokens` caps
    what one answer may take before it is written.

    Of one caller: `requests_per_minute` and `tokens_per_minute` are token buckets that hold a minute's worth;
    `day_tokens` and `day_money` count by days of UTC. Tokens are those sent and those answered together. Money is in
    any unit: `price_in` and `price_out` are for 1,000 tokens. `callers` are remembered singly; those beyond share one
    account.
    """

    answer_tokens: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = 1_024
    same_result: Count | None = 2
    same_call: Count | None = 6
    calls: Count | None = 40
    turns: Count | None = 40
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    conversation_tokens: Count | None = None
    day_tokens: Count | None = None
    conversation_money: Money | None = None
    day_money: Money | None = None
    price_in: Money = 0.0
    price_out: Money = 0.0
    callers: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    language: Literal["en", "fr"] = "en"

    def problem(self) -> tuple[str, str] | None:
        for name in ("conversation_money", "day_money", "price_in", "price_out"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                return name, N_("expected a finite number, at least 0")
        for name in ("conversation_money", "day_money"):
            if getattr(self, name) is not None and not (self.price_in or self.price_out):
                return name, N_("a limit in money needs price_in or price_out, for 1,000 tokens")
        return None

    def of_callers(self) -> "RequestLimitsOptions":
        """What of these limits is of callers, for requests that are no conversation."""
        names = ("answer_tokens", "same_result", "same_call", "calls", "turns", "conversation_tokens")
        return msgspec.structs.replace(self, conversation_money=None, **dict.fromkeys(names))

    def of_requests(self) -> "RequestLimitsOptions":
        """What of these limits is of requests, for those that take no tokens."""
        names = ("tokens_per_minute", "day_tokens", "day_money")
        return msgspec.structs.replace(self.of_callers(), **dict.fromkeys(names))

    @property
    def by_caller(self) -> bool:
        """Whether anything must be remembered of a caller."""
        bounds = (self.requests_per_minute, self.tokens_per_minute, self.day_tokens, self.day_money)
        return any(one is not None for one in bounds)
