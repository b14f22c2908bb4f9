"""A monitor: replays a log and says of every checkpoint whether its tree and its index are what the entries give.

    for state in replay(entries):
        check(checkpoint, state)     # where checkpoint.size == state.size

It is a pure function of the entries, so that anybody who has them says the same; a witness that checks before it
cosigns vouches that nothing was left out.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.lookup import IndexHead, index_head
from aloi.evidence.merkle import Tree, leaf_hash
from aloi.evidence.naming import Naming, names
from aloi.registry.index import Index, MemoryNodes
from aloi.translation import N_


class State(NamedTuple):
    """What the first `size` entries give: the log's root and the index's head."""

    size: int
    root: bytes
    head: IndexHead


class Replay:
    """A log replayed from its first entry on, in memory."""

    def __init__(self, naming: Naming = names) -> None:
        self._tree, self._index = Tree(), Index(MemoryNodes(), naming)

    def take(self, entries: Iterable[bytes]) -> None:
        """Take in the next entries."""
        for entry in entries:
            self._tree.append(leaf_hash(entry))
            self._index.append(entry)

    def state(self) -> State:
        """What the entries taken so far give."""
        return State(self._tree.size, self._tree.root(), self._index.head())


def replay(entries: Iterable[bytes], naming: Naming = names) -> Iterator[State]:
    """The state before the first entry and after each one."""
    replayed = Replay(naming)
    yield replayed.state()
    for entry in entries:
        replayed.take([entry])
        yield replayed.state()


def check(checkpoint: Checkpoint, state: State) -> None:
    """Raises EvidenceError unless the checkpoint says of its entries what they give.

    Refused: 'other-size' (the state is of another size), 'other-entries' (the log's root is of other entries than those
    replayed: a fork, or a log written anew), 'false-index' (entries left out of the index, or filed otherwise), and as
    `index_head`.
    """
    if checkpoint.size != state.size:
        raise _refusal(
            N_("a checkpoint of {got} entries cannot be judged by {expected}"),
            "other-size",
            got=checkpoint.size,
            expected=state.size,
        )
    if checkpoint.root != state.root:
        raise _refusal(
            N_("the checkpoint of {size} entries is of other entries than those that the log gave out"),
            "other-entries",
            size=state.size,
        )
    if index_head(checkpoint) != state.head:
        raise _refusal(
            N_("the index of the checkpoint of {size} entries leaves something out, or files it wrongly"),
            "false-index",
            size=state.size,
        )


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message,
        reason=reason,
        remedy=N_("do not cosign it; keep the checkpoint and the entries, and publish both"),
        **facts,
    )
