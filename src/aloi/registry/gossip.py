"""What several parties were shown of one log, side by side: one history, or two.

    shown = compare([View("institute", head), View("company", other)], [log_key], witnesses)
    shown.verdict, shown.needed, shown.misbehaviours

A log that shows each party a history of its own is seen only where parties compare what they were shown.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import combinations, pairwise
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, cosignatures, notes
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.notes import Note, NoteKey
from aloi.registry import misbehaviour
from aloi.registry.misbehaviour import Misbehaviour

# From one head's size to another's: what the log gave as the proof; () where it was asked and gave none.
Proofs = Mapping[tuple[int, int], Sequence[bytes]]
NO_PROOFS: Proofs = MappingProxyType({})


class View(NamedTuple):
    """A signed head, and the party that was shown it."""

    party: str
    head: bytes


class Verdict(StrEnum):
    """What the heads say together. `SPLIT_VIEW` also where only a proof is missing that the log was asked for."""

    CONSISTENT = "consistent"
    PROOF_NEEDED = "proof-needed"
    SPLIT_VIEW = "split-view"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Heads by size, with who saw them; pairs of sizes that need a proof; what was found; views that do not verify.

    `misbehaviours` are of the log and of witnesses, the accused key is in each.
    """

    heads: tuple[tuple[Checkpoint, tuple[str, ...]], ...]
    needed: tuple[tuple[int, int], ...]
    misbehaviours: tuple[Misbehaviour, ...]
    refused: tuple[tuple[str, EvidenceError], ...]

    @property
    def verdict(self) -> Verdict:
        """Of the views that verify."""
        if self.misbehaviours:
            return Verdict.SPLIT_VIEW
        return Verdict.PROOF_NEEDED if self.needed else Verdict.CONSISTENT


class _Seen(NamedTuple):
    party: str
    note: Note
    head: Checkpoint
    keys: frozenset[NoteKey]  # of the log and of witnesses, that signed it


def compare(
    views: Iterable[View],
    keys: Collection[NoteKey],
    origin: str,
    *,
    witnesses: Collection[NoteKey] = (),
    proofs: Proofs = NO_PROOFS,
) -> Comparison:
    """Hold the heads of the log `origin` against each other, and each witness's cosignatures too.

    A view that a key of the log did not sign, or on which a line of a given witness fails, counts for nothing. Of
    heads of different sizes, neighbours need a proof from one to the next.
    """
    seen, refused = [], []
    for view in views:
        try:
            seen.append(_read(view, keys, origin, witnesses))
        except EvidenceError as error:
            refused.append((view.party, error))
    parties: dict[tuple[int, bytes], list[_Seen]] = {}
    for each in sorted(seen, key=lambda one: (one.head.size, one.head.root)):
        parties.setdefault((each.head.size, each.head.root), []).append(each)
    needed = [pair for pair in _unproven(parties) if pair not in proofs]
    return Comparison(
        heads=tuple((same[0].head, tuple(each.party for each in same)) for same in parties.values()),
        needed=tuple(needed),
        misbehaviours=_misbehaviours(seen, keys, proofs),
        refused=tuple(refused),
    )


def _read(view: View, keys: Collection[NoteKey], origin: str, witnesses: Collection[NoteKey]) -> _Seen:
    note = notes.read(view.head)
    head = checkpoints.verify(note, keys, origin=origin)
    signers = [key for key, _ in notes.known(note, keys)]
    signers += [each.key for each in cosignatures.verify(note, witnesses)]
    return _Seen(view.party, note, head, frozenset(signers))


def _unproven(heads: Iterable[tuple[int, bytes]]) -> list[tuple[int, int]]:
    """Pairs of neighbouring sizes; nothing needs to be proven from an empty log."""
    sizes = sorted({size for size, _ in heads if size})
    return list(pairwise(sizes))


def _misbehaviours(seen: Sequence[_Seen], keys: Collection[NoteKey], proofs: Proofs) -> tuple[Misbehaviour, ...]:
    found: dict[bytes, Misbehaviour] = {}
    for one, other in combinations(seen, 2):
        sizes = sorted((one.head.size, other.head.size))
        proof = proofs.get((sizes[0], sizes[1]))
        for key in sorted(one.keys & other.keys, key=str):
            what = misbehaviour.find(one.note, other.note, key, proof)
            if what and (what.proven or key in keys):  # that a proof is missing is the log's to answer
                found[misbehaviour.write(what)] = what
    return tuple(found.values())
