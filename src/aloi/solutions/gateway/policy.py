"""What a gateway runs by: one edition of a system's remedies, and what is known of them. It is replaced as a whole."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
from msgspec import Struct

from aloi.evidence.records import RemedyIdentity
from aloi.solutions.catalogue import Remedy
from aloi.solutions.gateway.dialects.dialect import Dialect
from aloi.solutions.gateway.exchange import UNDER_WAY
from aloi.solutions.gateway.surrounded import Surrounded
from aloi.solutions.guard import Around, Guard, about_call
from aloi.solutions.guarded import GuardedTarget, StreamingTarget
from aloi.solutions.limits.machine import RequestLimits
from aloi.solutions.limits.target import LimitedTarget, Memory
from aloi.solutions.passage import RETRIEVED, is_guard
from aloi.solutions.timed import Timed
from aloi.solutions.turns import Turns
from aloi.system.description import GatewayDescription
from aloi.system.messages import Message, Request, Role, ToolCall

_TEXT = "When do you open?"


class Proven(Struct, frozen=True, kw_only=True):
    """Evidence that this very system with these very remedies was measured: the digest of a bundle that verifies, and
    of the statement about it, the keys that signed it, and by hazard what was found at the stated threshold."""

    bundle: str
    statement: str
    signers: tuple[str, ...]
    verdicts: dict[str, str]


class Policy(Struct, frozen=True, kw_only=True):
    """One edition. `fingerprint` is the system's with its remedies, as evidence names it; `guard_set` is the digest
    over `remedies`. `model` is what requests must name, or empty. `proven` is None where no evidence was given."""

    system: str
    fingerprint: str
    guard_set: str
    remedies: tuple[Remedy, ...]
    prompt: str
    model: str
    language: str
    refusal: str
    serving: GatewayDescription
    proven: Proven | None = None

    @property
    def identities(self) -> tuple[RemedyIdentity, ...]:
        """The remedies as evidence names them."""
        return tuple(remedy.identity for remedy in self.remedies)

    @property
    def budgets(self) -> bool:
        """Whether anything is limited by who asks."""
        limits = [one.implementation for one in self.remedies if isinstance(one.implementation, RequestLimits)]
        return any(one.options.by_caller for one in limits)

    @property
    def added_prompt(self) -> str:
        """What a request that brings no prompt is given."""
        return "" if self.serving.prompt == "leave" else self.prompt

    @property
    def stands_between(self) -> bool:
        """Whether a request may be another behind the gateway than before it, or be refused for what it says."""
        return bool(self.remedies or self.added_prompt or self.serving.prompt == "only")


Load = Callable[[], Policy]
"""Reads the policy afresh. Raises AloiError where it cannot be had; the one that runs then goes on."""


Within = Callable[[RequestLimits, str], tuple[RequestLimits, Memory]]
"""What of the limits with a digest binds a target, and what is known of callers within that."""


class Spending(Protocol):
    """What is known of callers."""

    def __getitem__(self, limits: str) -> Memory:
        """Within limits of this name, which their digest begins."""
        ...


class _Of(Around):
    """A guard where it reads what these say, and nothing else."""

    def __init__(self, guard: Guard, roles: frozenset[Role]) -> None:
        super().__init__(guard)
        self.roles = guard.roles & roles


class Behind:
    """The upstream behind the remedies of one policy: `target` answers, `vectors` embeds what users say, and `counted`
    counts a question as it would be put."""

    def __init__(self, policy: Policy, upstream: StreamingTarget, spent: Spending) -> None:
        """`spent` is what is known of callers, by the digest of the limits: it outlives an edition."""
        self.policy = policy
        self._spent = spent
        self._screen = Turns(Timed(policy.serving.deadline).screen).screen
        self.guarded = self._guarded(upstream, policy.remedies)
        self.target = self._limited(self._surrounded(self.guarded), self._whole)
        said = self._guarded(upstream, _reading(policy.remedies, frozenset({"user"})))
        asked = self._guarded(
            upstream, [*_reading(policy.remedies, RETRIEVED | {"user"}), *_hardening(policy.remedies)]
        )
        said.faults = asked.faults = self.guarded.faults
        self.vectors = self._limited(self._surrounded(said), self._of_callers)
        self.counted = self._limited(self._surrounded(asked), self._of_requests)

    def of(self, dialect: Dialect) -> StreamingTarget:
        """What answers in a protocol."""
        if dialect.speaks:
            return self.target
        return self.counted if dialect.asks else self.vectors

    def _guarded(self, upstream: StreamingTarget, remedies: Sequence[Remedy]) -> GuardedTarget:
        policy = self.policy
        return GuardedTarget(
            upstream,
            remedies,
            refusal=policy.refusal,
            language=policy.language,
            fail_open=policy.serving.fail_open,
            screen=self._screen,
        )

    def _surrounded(self, guarded: GuardedTarget) -> Surrounded:
        serving = self.policy.serving
        return Surrounded(
            guarded,
            self.policy.remedies,
            refusal=self.policy.refusal,
            screen=self._screen,
            fail_open=serving.fail_open,
        )

    def _limited(self, target: Surrounded, within: Within) -> StreamingTarget:
        """The target within limits, as far as they bind it."""
        limited: StreamingTarget = target
        for remedy in self.policy.remedies:
            if isinstance(remedy.implementation, RequestLimits):
                limits, memory = within(remedy.implementation, remedy.identity.digest)
                limited = LimitedTarget(limited, limits, name=remedy.name, caller=_caller, memory=memory)
        return limited

    def _whole(self, limits: RequestLimits, digest: str) -> tuple[RequestLimits, Memory]:
        return limits, self._spent[digest]

    def _of_callers(self, limits: RequestLimits, digest: str) -> tuple[RequestLimits, Memory]:
        """What is paid for from the same accounts, and is no conversation."""
        memory = self._spent[digest]
        return RequestLimits(limits.options.of_callers()), Memory(accounts=memory.accounts, kept=memory.kept)

    def _of_requests(self, limits: RequestLimits, digest: str) -> tuple[RequestLimits, Memory]:
        """What takes no tokens, and comes before each question: its requests a minute are counted by themselves."""
        return RequestLimits(limits.options.of_requests()), self._spent[f"{digest}/counts"]


def _reading(remedies: Sequence[Remedy], roles: frozenset[Role]) -> list[Remedy]:
    """The guards on these, where they read nothing else."""
    return [
        msgspec.structs.replace(remedy, implementation=_Of(remedy.implementation, roles))
        for remedy in remedies
        if is_guard(remedy.implementation) and remedy.implementation.roles & roles
    ]


def _hardening(remedies: Sequence[Remedy]) -> list[Remedy]:
    """The hardenings but for those that ask the model about a question, which would be told a number."""
    return [
        remedy
        for remedy in remedies
        if hasattr(remedy.implementation, "harden") and not hasattr(remedy.implementation, "reread")
    ]


def _caller(_: object) -> str:
    """Who asks: the name of the key."""
    return UNDER_WAY.get().key


def warm(remedies: tuple[Remedy, ...]) -> None:
    """Have every guard read a text, so that the first one of a client does not wait for what is loaded at first use.

    One that asks a model is left alone.
    """
    before = Request(prompt="", messages=(Message(role="user", content=_TEXT),))
    for remedy in remedies:
        guard = remedy.implementation
        if not is_guard(guard) or hasattr(guard, "asks"):
            continue
        for role in guard.roles:
            message = about_call(ToolCall(name="none"), before) if role == "call" else Message(role=role, content=_TEXT)
            with suppress(Exception):  # one that fails will fail where it counts, and block
                guard.screen(message)
