"""The limits as a pure machine: the state of a caller, an event and a moment give the next state and a ruling.

A request is charged when it is admitted, with all that it may take, and set right when it is answered: any number may
be under way at once, and together they stay within the limit as far as tokens are estimated rightly. An answer that is
lost stays charged in full, for what it took is not known.
"""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

import msgspec
from msgspec import Struct

from aloi.solutions.limits.loops import Tally, call_digest
from aloi.solutions.limits.options import RequestLimitsOptions
from aloi.solutions.limits.tokens import MOST, Tokens
from aloi.solutions.options import Options
from aloi.system.messages import Request, ToolCall

MINUTE, DAY = 60.0, 86_400
PER = 1_000  # prices are for this many tokens


class Account(Struct, frozen=True, kw_only=True):
    """What one caller has left and took. `requests` and `tokens` are what the buckets hold, `today` is of `day`.

    `at` is the moment of the state, in seconds since 1970. A clock that goes back refills no bucket and brings no day
    back; only one that is set back by more than a minute is followed, so that a leap locks nobody out for ever.
    """

    at: float
    requests: float
    tokens: float
    day: int
    today: Tokens = Tokens()


class Asked(Struct, frozen=True, kw_only=True):
    """A request: tokens that it sends, tokens that its answer may take, and what its conversation took before."""

    sent: int
    answer: int
    before: Tokens = Tokens()


class Admitted(Struct, frozen=True, kw_only=True):
    """The request may be put. Its answer may take `answer` tokens; `held` was charged on `day`."""

    answer: int
    held: Tokens
    day: int


class Refused(Struct, frozen=True, kw_only=True):
    """The request is not put. `reason` is a stable code; after `seconds` it may be put again, if ever."""

    reason: str
    seconds: float = math.inf


class RequestLimits:
    """The limits of a system. Shown to a model as any request is, with the cap on its answer."""

    version: ClassVar[str] = "1"
    tables: ClassVar[tuple[str, ...]] = ("limits",)
    Options: ClassVar[type[Options]] = RequestLimitsOptions

    def __init__(self, options: RequestLimitsOptions) -> None:
        self.options = options
        self._prices = Decimal(str(options.price_in)), Decimal(str(options.price_out))

    def harden(self, request: Request) -> Request:
        """The request with its answer capped: all that these limits do where nothing is remembered."""
        return msgspec.structs.replace(request, max_tokens=self.capped(request.max_tokens))

    def capped(self, tokens: int) -> int:
        """The tokens that an answer may take, of those that were wanted."""
        most = self.options.answer_tokens
        return min(tokens, MOST if most is None else most)

    def opened(self, now: float) -> Account:
        """The account of a caller who was never seen."""
        at = now if math.isfinite(now) else 0.0
        return Account(at=at, requests=self._requests, tokens=self._tokens, day=_day(at))

    def rested(self, account: Account, now: float) -> bool:
        """Whether an account says no more than a new one: it may be forgotten."""
        account = self._moved(account, now)
        return (account.requests, account.tokens, account.today) == (self._requests, self._tokens, Tokens())

    def too_long(self, tally: Tally) -> Refused | None:
        """A conversation that has gone on for too long."""
        options = self.options
        if options.turns is not None and tally.turns > options.turns:
            return Refused(reason="turns")
        return None

    def admit(self, account: Account, asked: Asked, now: float) -> tuple[Account, Admitted | Refused]:
        """Rule on a request. A refused one is charged nothing."""
        account, options = self._moved(account, now), self.options
        answer = self.capped(asked.answer)
        if options.requests_per_minute is not None and account.requests < 1:
            return account, Refused(reason="request-rate", seconds=_wait(1 - account.requests, self._requests))
        for reason, room in self._rooms(account, asked):
            if room < 1:
                again = (account.day + 1) * DAY - account.at if reason.startswith("day") else math.inf
                return account, Refused(reason=reason, seconds=again)
            answer = min(answer, room)
        if options.tokens_per_minute is not None:
            # What is larger than a minute's worth passes where the bucket is full, and leaves a debt.
            need = max(1.0, min(float(asked.sent + answer), self._tokens))
            if account.tokens < need:
                return account, Refused(reason="token-rate", seconds=_wait(need - account.tokens, self._tokens))
        held = Tokens(asked.sent, answer)
        charged = self._charged(msgspec.structs.replace(account, requests=account.requests - 1), Tokens(), held)
        return charged, Admitted(answer=answer, held=held, day=account.day)

    def settle(self, account: Account, admitted: Admitted, used: Tokens, now: float) -> Account:
        """Set an account right: `used` takes the place of what was held."""
        account = self._moved(account, now)
        if admitted.day != account.day:  # it was charged to a day that is over
            return msgspec.structs.replace(self._charged(account, admitted.held, used), today=account.today)
        return self._charged(account, admitted.held, used)

    def withheld(self, tally: Tally, calls: tuple[ToolCall, ...]) -> list[tuple[ToolCall, str]]:
        """The calls of an answer with the reason why each is not carried out; an empty one for those that are."""
        options, made, count, ruled = self.options, tally.made.copy(), tally.calls, []
        for call in calls:
            digest = call_digest(call)
            reason = ""
            if options.same_result is not None and tally.results.get(digest, 0) >= options.same_result:
                reason = "same-result"
            elif options.same_call is not None and made[digest] >= options.same_call:
                reason = "same-call"
            elif options.calls is not None and count >= options.calls:
                reason = "calls"
            if not reason:
                made[digest] += 1
                count += 1
            ruled.append((call, reason))
        return ruled

    def _charged(self, account: Account, back: Tokens, taken: Tokens) -> Account:
        """An account to which tokens are given back, and from which others are taken. What no limit is set on is not
        counted, so that an account can come to rest."""
        options = self.options
        daily = options.day_tokens is not None or options.day_money is not None
        return msgspec.structs.replace(
            account,
            requests=account.requests if options.requests_per_minute is not None else 0.0,
            tokens=min(account.tokens + back.total - taken.total, self._tokens)
            if options.tokens_per_minute is not None
            else 0.0,
            today=account.today.minus(back).plus(taken) if daily else account.today,
        )

    @property
    def _requests(self) -> float:
        return float(self.options.requests_per_minute or 0)

    @property
    def _tokens(self) -> float:
        return float(self.options.tokens_per_minute or 0)

    def _moved(self, account: Account, now: float) -> Account:
        """The account at a moment: buckets refilled, a new day begun."""
        follows = math.isfinite(now) and (now > account.at or now < account.at - MINUTE)
        at = now if follows else account.at
        passed, day = max(at - account.at, 0.0), _day(at)
        if day == account.day - 1:  # a clock that trembles at midnight
            day = account.day
        return Account(
            at=at,
            requests=min(account.requests + passed * self._requests / MINUTE, self._requests),
            tokens=min(account.tokens + passed * self._tokens / MINUTE, self._tokens),
            day=day,
            today=account.today if day <= account.day else Tokens(),
        )

    def _rooms(self, account: Account, asked: Asked) -> Iterator[tuple[str, int]]:
        """What each limit on spending leaves to the answer, in tokens."""
        options = self.options
        for scope, spent, tokens, money in (
            ("conversation", asked.before, options.conversation_tokens, options.conversation_money),
            ("day", account.today, options.day_tokens, options.day_money),
        ):
            before = spent.plus(Tokens(asked.sent, 0))
            if tokens is not None:
                yield f"{scope}-tokens", tokens - before.total
            if money is not None:
                yield f"{scope}-money", self._affordable(Decimal(str(money)), before, asked.answer)

    def _affordable(self, money: Decimal, spent: Tokens, wanted: int) -> int:
        """The tokens that an answer may take of what is left; what is wanted, where answers cost nothing."""
        price_in, price_out = self._prices
        left = money - (spent.sent * price_in + spent.answered * price_out) / PER
        if left < 0:
            return 0
        return int(left * PER / price_out) if price_out else wanted


def _wait(missing: float, a_minute: float) -> float:
    return missing * MINUTE / a_minute if a_minute else math.inf


def _day(at: float) -> int:
    return math.floor(at / DAY)
