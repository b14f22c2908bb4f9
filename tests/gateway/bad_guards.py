"""Guards that fail in every way, and policies made of them."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from aloi.evidence.guardset import guard_set
from aloi.evidence.records import RemedyIdentity
from aloi.solutions.catalogue import Remedy
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.guard import Allow, Block, Guard, Rewrite
from aloi.system.description import GatewayDescription
from aloi.system.messages import Message, Role

REFUSAL = "That cannot be answered here."
FORBIDDEN = "nine"


class Rule:
    """Rule by a function of the text."""

    def __init__(self, rule: Callable[[str], Any], *roles: Role) -> None:
        self._rule = rule
        self.roles = frozenset(roles or ("assistant",))

    def screen(self, message: Message) -> Any:
        return self._rule(message.content)


class Settled(Rule):
    """Blocks at a word, and lets go all that came before a word that is whole."""

    def __init__(self) -> None:
        super().__init__(lambda text: Block(reason="word") if FORBIDDEN in text else Allow())

    def settled(self, text: str) -> int:
        return text.rfind(" ") + 1


def _raises(_: str) -> None:
    raise RuntimeError("a guard of others")


def _hangs(_: str) -> Allow:
    time.sleep(3)
    return Allow()


# What each comes to: the text that reaches the application instead of "We open at nine on weekdays.".
BAD: dict[str, tuple[Guard, str]] = {
    "raises": (Rule(_raises), REFUSAL),
    "hangs": (Rule(_hangs), REFUSAL),
    "rules nothing": (Rule(lambda _: None), REFUSAL),
    "rules a word": (Rule(lambda _: "allow"), REFUSAL),
    "rules a type": (Rule(lambda _: Allow), REFUSAL),
    "rewrites to a number": (Rule(lambda _: Rewrite(content=5, reason="x")), REFUSAL),  # type: ignore[arg-type]  # on purpose
    "blocks": (Rule(lambda _: Block(reason="all")), REFUSAL),
    "blocks at a word": (Settled(), REFUSAL),
    "rewrites": (Rule(lambda text: Rewrite(content=text.replace(FORBIDDEN, "[...]"), reason="x")), "We open at [...]"),
    "raises at what is asked": (Rule(_raises, "user"), REFUSAL),
    "hangs at what is asked": (Rule(_hangs, "user"), REFUSAL),
    "blocks what is asked": (Rule(lambda _: Block(reason="all"), "user"), REFUSAL),
}


def remedy(name: str, guard: Any) -> Remedy:
    identity = RemedyIdentity(name=name, version="1", digest="sha256:" + "0" * 64)
    return Remedy(name=name, kind="output-guard", hazards=(), implementation=guard, identity=identity)


def policy_of(*guards: Any, **serving: Any) -> Policy:
    """A policy of these guards, each with a deadline of a second."""
    remedies = tuple(one if isinstance(one, Remedy) else remedy(f"guard-{i}", one) for i, one in enumerate(guards))
    return Policy(
        system="banque",
        fingerprint="sha256:" + "0" * 64,
        guard_set=guard_set([one.identity for one in remedies]),
        remedies=remedies,
        prompt="",
        model="m",
        language="en",
        refusal=REFUSAL,
        serving=msgspec.convert({"deadline": 1.0, **serving}, GatewayDescription),
    )
