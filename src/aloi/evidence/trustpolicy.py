"""Whom a reader believes that something was logged: which logs, which witnesses, and how many who run them apart.

policy = policyfile.read(data, "trust.policy")
logged = verify_logged(entry, proof, policy)
logged.index, logged.witnesses
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence import cosignatures, logproof
from aloi.evidence.decoding import shown
from aloi.evidence.notes import Note, NoteKey
from aloi.translation import N_

NONE = "none"


class Witness(NamedTuple):
    """A witness under its name in the file, its key, and who runs it."""

    name: str
    key: NoteKey
    operator: str


class Group(NamedTuple):
    """Satisfied where `threshold` of its members are; members are operators, or groups above it in the file."""

    name: str
    threshold: int
    members: tuple[str, ...]


class Policy(NamedTuple):
    """What a policy file says. `groups` stand in the order of the file; `quorum` names an operator, a group or none."""

    logs: tuple[NoteKey, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def counted(self) -> frozenset[str]:
        """The operators on whom the quorum depends."""
        needed = {self.quorum}
        for group in reversed(self.groups):
            if group.name in needed:
                needed.update(group.members)
        return frozenset(needed & {witness.operator for witness in self.witnesses})

    def holds(self, operators: Collection[str]) -> bool:
        """Whether these operators are a quorum."""
        satisfied = {NONE, *operators}
        for group in self.groups:
            if sum(member in satisfied for member in group.members) >= group.threshold:
                satisfied.add(group.name)
        return self.quorum in satisfied

    def seen_by(self, witnesses: Iterable["Witnessed"]) -> int | None:
        """The first POSIX second by which a quorum had signed; None where the policy asks for no witness."""
        signed: set[str] = set()
        for each in sorted(witnesses, key=lambda witness: witness.time):
            signed.add(each.operator)
            if self.holds(signed):
                return each.time
        return None


class Witnessed(NamedTuple):
    """A witness that counts: its name and operator in the policy, and the POSIX second that it signed."""

    name: str
    operator: str
    time: int


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved: the entry stands at `index` of the log's first `size` entries. Each operator counts once."""

    origin: str
    index: int
    size: int
    root: bytes
    witnesses: tuple[Witnessed, ...]


def verify_logged(entry: bytes, proof: bytes, policy: Policy) -> Logged:
    """That a log of the policy holds the entry, and that enough operators saw the log's head.

    We check (1) the file's form, (2) the log's signature and origin, (3) the inclusion path, (4) every cosignature by
    a witness of the policy, and the quorum. Times are told, not judged. Raises EvidenceError as `logproof.read`,
    `logproof.verify` and `witnessed`.
    """
    read_proof = logproof.read(proof)  # (1)
    checkpoint = logproof.verify(read_proof, entry, policy.logs)  # (2), (3)
    return Logged(
        origin=checkpoint.origin,
        index=read_proof.index,
        size=checkpoint.size,
        root=checkpoint.root,
        witnesses=witnessed(read_proof.note, policy),  # (4)
    )


def witnessed(note: Note, policy: Policy) -> tuple[Witnessed, ...]:
    """The witnesses of the policy that cosigned the head and count, once they are a quorum.

    Raises EvidenceError as `cosignatures.verify`, and 'too-few-witnesses'.
    """
    by_key = {witness.key: witness for witness in policy.witnesses}
    signed = [(by_key[each.key], each.time) for each in cosignatures.verify(note, by_key)]
    if not policy.holds({witness.operator for witness, _ in signed}):
        raise EvidenceError(
            N_("the log's head was cosigned for {got}; that is no quorum of {quorum}"),
            reason="too-few-witnesses",
            remedy=N_("ask the log for a proof with more cosignatures, or change your policy"),
            got=shown(", ".join(f"{witness.name} ({witness.operator})" for witness, _ in signed)) or "-",
            quorum=shown(policy.quorum),
        )
    counted = policy.counted()
    return tuple(Witnessed(each.name, each.operator, time) for each, time in signed if each.operator in counted)
