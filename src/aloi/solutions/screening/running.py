"""Run guards over texts, each under its deadline, and time what they take."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence

from msgspec import Struct

from aloi.errors import AskerError
from aloi.solutions.catalogue import Kind, Remedy
from aloi.solutions.guard import Allow, Ask, Block, Guard, Rewrite, Ruling, patience
from aloi.solutions.passage import DEADLINE, Passage, ruling
from aloi.solutions.screening.corpus import Text
from aloi.solutions.workers import Workers
from aloi.system.messages import Message, Role
from aloi.translation import N_

# Whose words a guard of each kind reads first.
SPEAKERS: dict[Kind, Role] = {"input-guard": "user", "document-guard": "document", "output-guard": "assistant"}


class NotScreenable(AskerError):
    """A remedy that rules on no text of this role."""

    def __init__(self, name: str, reads: Sequence[str]) -> None:
        super().__init__(
            N_("{name} screens no such text; it reads: {reads}"),
            remedy=N_("choose a guard, and with --role whose words the texts are"),
            name=name,
            reads=", ".join(reads) or "-",
        )


class Screened(Struct, frozen=True, kw_only=True):
    """What one guard ruled on one text. `seconds` is processor time; `score` lies in [0, 1]."""

    guard: str
    text: Text
    action: str
    reason: str
    score: float
    seconds: float

    @property
    def stopped(self) -> bool:
        """Whether the text did not pass as it was."""
        return self.action != "allow"


def role_for(guard: Remedy, role: Role | None) -> Role:
    """As whose words a guard reads the texts. Raises NotScreenable for a hardening, or where it does not read them."""
    reads: Iterable[Role] = getattr(guard.implementation, "roles", ())
    chosen = role or SPEAKERS.get(guard.kind)
    if chosen is None or chosen not in reads:
        raise NotScreenable(guard.name, sorted(reads))
    return chosen


async def screened(
    guards: Sequence[Remedy], texts: Iterable[Text], *, role: Role | None = None, deadline: float = 1.0
) -> AsyncIterator[Screened]:
    """Every guard on every text, alone. One that raises or outlives `deadline` (seconds) blocks, with the reason.

    A guard that has a deadline of its own is given that.
    """
    speakers = [(guard, role_for(guard, role)) for guard in guards]
    workers = Workers()
    for guard, speaker in speakers:  # tables are read at the first text: that is no text's time
        await _ruling(guard, Message(role=speaker, content=""), workers, deadline)
    for text in texts:
        for guard, speaker in speakers:
            message = Message(role=speaker, content=text.text)
            ruled, seconds = await _ruling(guard, message, workers, deadline)
            reason = "" if isinstance(ruled, Allow) else ruled.reason
            yield Screened(
                guard=guard.name, text=text, action=_action(ruled), reason=reason, score=ruled.score, seconds=seconds
            )


async def _ruling(guard: Remedy, message: Message, workers: Workers, deadline: float) -> tuple[Ruling, float]:
    """The ruling, and the processor time that it took; the deadline where the guard never ended."""
    spent = deadline = patience(guard.implementation, deadline)  # type: ignore[arg-type] # role_for refuses what is no guard

    def timed(implementation: Guard) -> Ruling:
        nonlocal spent
        began = time.thread_time()
        try:
            return implementation.screen(message)
        finally:
            spent = time.thread_time() - began

    async def within(implementation: Guard, _: Message) -> Ruling:
        began = time.perf_counter()
        ruled = await workers.within(deadline, lambda: timed(implementation))
        # A guard that kept the interpreter to itself could not be interrupted; it still was too late.
        return ruled if time.perf_counter() - began <= deadline else Block(reason=DEADLINE)

    return await ruling(guard.name, guard.implementation, message, within, Passage()), spent  # type: ignore[arg-type] # role_for refuses what is no guard


def _action(ruled: Ruling) -> str:
    match ruled:
        case Allow():
            return "allow"
        case Rewrite():
            return "rewrite"
        case Block() | Ask():
            return "block"
