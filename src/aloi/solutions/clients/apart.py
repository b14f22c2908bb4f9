"""Remedies in two halves, for those who are called before and after a model instead of standing around it.

The first half is what guards and hardenings make of a request, the second what guards make of the answer. What takes
queries of its own cannot be halved, nor what counts what a conversation spends. Where every call of an answer is
withheld the model is not asked again: the answer goes on without calls, and tells what was withheld.
"""

from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar

from aloi.errors import AskerError
from aloi.solutions.catalogue import Remedy
from aloi.solutions.gateway.asking import described
from aloi.solutions.gateway.dialects.dialect import Asked, Body, Dialect
from aloi.solutions.gateway.exchange import UNDER_WAY, Exchange
from aloi.solutions.gateway.keys import ANYBODY
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.gateway.surrounded import Surrounded
from aloi.solutions.guard import Release
from aloi.solutions.guarded import GuardedTarget
from aloi.solutions.limits.machine import RequestLimits
from aloi.solutions.timed import Timed
from aloi.solutions.turns import Turns
from aloi.system.messages import Request, Response
from aloi.system.target import Unscorable
from aloi.translation import N_

_BEFORE, _AFTER = frozenset({"user", "document", "tool"}), frozenset({"assistant", "call"})
Said = Callable[[], AsyncIterator[str]]
"""Gives the pieces of an answer's text as they come."""
_SHOWN: ContextVar[list[Request]] = ContextVar("aloi-shown")


class Halves:
    """The two halves of a policy's remedies. Raises AskerError for a remedy that has none."""

    def __init__(self, policy: Policy) -> None:
        for one in policy.remedies:
            if isinstance(one.implementation, RequestLimits) or hasattr(one.implementation, "reread"):
                raise AskerError(
                    N_("{name} must stand around the model: it cannot be called before and after it"),
                    remedy=N_("put `aloi gateway` in front of the model, or take {name} out of the system's guards"),
                    name=one.name,
                )
        self.policy = policy
        self._screen = Turns(Timed(policy.serving.deadline).screen).screen
        before = [one for one in policy.remedies if _roles(one) & _BEFORE or hasattr(one.implementation, "harden")]
        self._asked = Surrounded(
            self._guarded(_Shown(), before),
            policy.remedies,
            refusal=policy.refusal,
            screen=self._screen,
            fail_open=policy.serving.fail_open,
        )
        self._after = [one for one in policy.remedies if _roles(one) & _AFTER]

    async def asked(self, asked: Asked, dialect: Dialect) -> tuple[Body | None, Response]:
        """The body as the model is shown it, None where it is refused; and what was done, with the refusal.

        As in a gateway, guards read what stands beside the messages too, and what was said before.
        """
        shown: list[Request] = []
        exchange = Exchange(key=ANYBODY, dialect=dialect, asked=asked, headers={})
        showing, serving = _SHOWN.set(shown), UNDER_WAY.set(exchange)
        try:
            request, _ = described(self.policy, asked)
            response = await self._asked.ask(request)
        finally:
            _SHOWN.reset(showing)
            UNDER_WAY.reset(serving)
        passed = shown and not response.blocked
        return (dialect.sent(exchange.asked, shown[0]) if passed else None), response

    async def answered(self, request: Request, answer: Response) -> Response:
        """A whole answer as guards leave it."""
        return await self._guarded(_Once(answer), self._after).ask(request)

    async def streamed(self, request: Request, said: Said, whole: Callable[[], Response], release: Release) -> Response:
        """A streamed answer as guards leave it: `said` gives its text, `whole` all of it once that has ended."""
        return await self._guarded(_Stream(said, whole), self._after).ask(request, release)

    def _guarded(self, target: "_Once | _Stream | _Shown", remedies: list[Remedy]) -> GuardedTarget:
        policy = self.policy
        return GuardedTarget(
            target,
            remedies,
            refusal=policy.refusal,
            language=policy.language,
            fail_open=policy.serving.fail_open,
            screen=self._screen,
        )


def _roles(remedy: Remedy) -> frozenset[str]:
    found: frozenset[str] = getattr(remedy.implementation, "roles", frozenset())
    return found


def _said_all() -> Unscorable:
    return Unscorable("empty", N_("the answer is empty"))


class _Shown:
    """A model that is only shown what it would be asked."""

    async def ask(self, request: Request, release: Release | None = None) -> Response:  # noqa: ARG002 - the port's signature
        _SHOWN.get().append(request)
        return Response(text="")


class _Once:
    """A model that has said what it said."""

    def __init__(self, answer: Response) -> None:
        self._answers = [answer]

    async def ask(self, _: Request, release: Release | None = None) -> Response:  # noqa: ARG002 - the port's signature
        if not self._answers:
            raise _said_all()
        return self._answers.pop()


class _Stream:
    """A model that is saying it."""

    def __init__(self, said: Said, whole: Callable[[], Response]) -> None:
        self._said = said
        self._whole = whole
        self._asked = False

    async def ask(self, _: Request, release: Release | None = None) -> Response:
        if self._asked:
            raise _said_all()
        self._asked = True
        async for text in self._said():
            if release is not None and not await release(text):
                break
        return self._whole()
