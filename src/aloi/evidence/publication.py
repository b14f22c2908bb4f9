"""Which statements of a bundle a log is proved to hold, and what that shows of the plan beside its results.

A proof names no statement: it fits the one that it was made for, and no other. What a log shows is by when a statement
was there. It does not show when something was measured, nor what else its author had logged. Times are POSIX seconds.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, logentry, logproof, trustpolicy
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.envelope import Envelope
from aloi.evidence.logproof import LogProof
from aloi.evidence.merkle import inclusion_root, leaf_hash
from aloi.evidence.notes import Note
from aloi.evidence.predicates import NonClaim, claim_type
from aloi.evidence.records import Record
from aloi.evidence.statement import Statement
from aloi.evidence.trustpolicy import Policy, Witnessed
from aloi.translation import N_

Order = Literal["seen-before", "logged-before", "after", "alone"]


class Stands(NamedTuple):
    """A statement as it stands in a bundle: the digest of its bytes, and the envelope that signs it."""

    digest: str
    envelope: Envelope
    statement: Statement


class Seen(Record, frozen=True, kw_only=True):
    """A witness that counts, who runs it, and when it says that it saw the log's head."""

    witness: str
    operator: str
    time: int


class Publication(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A proof that holds: the statement is entry `index` of the first `size` of a log.

    `name` is that of its predicate, 'manifest' for the bundle as a whole, empty where it is not one of ours. `by` is
    the first second by which a quorum of the policy had seen it there; None where the policy asks for no witness.
    """

    digest: str
    name: str
    proof: str
    log: str
    index: int
    size: int
    seen: tuple[Seen, ...]
    by: int | None


class Registration(Record, frozen=True, kw_only=True, omit_defaults=False):
    """That a log held the plan by `plan_by`, and how that stands to the results that are proved to be in it.

    `order` is 'seen-before' (a quorum saw the log with the plan and without any of these results), 'logged-before' (the
    plan stands before them, and nobody is shown to have looked in between), 'after' (a result was in a log before the
    plan is shown to be) or 'alone' (no result is proved to be in this log). `results_by` is the earliest `by` of these
    results, `gap` the seconds from `plan_by` to it, by the witnesses' clocks; None unless the order is 'seen-before'.
    """

    log: str
    plan_by: int
    order: Order
    results: int
    results_by: int | None
    gap: int | None


class _Head(NamedTuple):
    checkpoint: Checkpoint
    witnesses: tuple[Witnessed, ...]


def verify_proofs(proofs: Mapping[str, bytes], stands: Iterable[Stands], policy: Policy) -> tuple[Publication, ...]:
    """What each proof (by the name of its file) shows, in the order of logs and of their entries.

    We check of each, as `trustpolicy.verify_logged` does: (1) its form, (2) the log's signature and origin, (3) every
    cosignature by a witness of the policy, and the quorum, (4) that its path leads from one of the statements to the
    signed root. Raises EvidenceError, with the file in `where`: as `logproof.read`, `checkpoints.verify` and
    `trustpolicy.witnessed`, and 'not-included'.
    """
    heads: dict[Note, _Head] = {}  # most proofs of a bundle share one
    read: dict[str, LogProof] = {}
    for file, data in proofs.items():
        try:
            proof = logproof.read(data)  # (1)
            if proof.note not in heads:
                checkpoint = checkpoints.verify(proof.note, policy.logs)  # (2)
                heads[proof.note] = _Head(checkpoint, trustpolicy.witnessed(proof.note, policy))  # (3)
        except EvidenceError as error:
            error.where = file
            raise
        read[file] = proof
    waiting = deque((each, _leaves(each)) for each in stands)
    in_order = sorted(read, key=lambda file: (heads[read[file].note].checkpoint.origin, read[file].index, file))
    return tuple(_published(file, read[file], heads[read[file].note], waiting, policy) for file in in_order)


def registrations(published: Sequence[Publication]) -> tuple[Registration, ...]:
    """What the plan's proofs show, log by log; nothing without a time that witnesses say."""
    plans: dict[str, tuple[int, Publication]] = {}
    for each in published:
        if each.name == "plan" and each.by is not None and each.by <= plans.get(each.log, (each.by,))[0]:
            plans[each.log] = each.by, each
    results = [(each.by, each) for each in published if each.name != "plan" and each.by is not None]
    return tuple(_registration(by, plan, results) for by, plan in plans.values())


def left_unclaimed(codes: Iterable[str], registered: Iterable[Registration]) -> tuple[str, ...]:
    """The non-claims once a log shows the plan: 'earlier-runs' stands in the place of 'registration-time'."""
    shown = any(each.order != "after" for each in registered)
    return tuple(NonClaim.EARLIER_RUNS if shown and each == NonClaim.REGISTRATION_TIME else each for each in codes)


def _leaves(stands: Stands) -> list[bytes]:
    return [leaf_hash(each) for each in logentry.forms(stands.envelope, stands.statement, stands.digest)]


def _published(
    file: str, proof: LogProof, head: _Head, waiting: deque[tuple[Stands, list[bytes]]], policy: Policy
) -> Publication:
    """The statement that the proof fits. Proofs come in the log's order, which is mostly that of the bundle."""
    size, root = head.checkpoint.size, head.checkpoint.root
    for _ in range(len(waiting)):
        stands, leaves = waiting[0]
        waiting.rotate(-1)
        if any(inclusion_root(leaf, proof.index, size, proof.path) == root for leaf in leaves):  # (4)
            known = claim_type(stands.statement.predicate_type)
            return Publication(
                digest=stands.digest,
                name=known[0] if known else "",
                proof=file,
                log=head.checkpoint.origin,
                index=proof.index,
                size=size,
                seen=tuple(Seen(witness=one.name, operator=one.operator, time=one.time) for one in head.witnesses),
                by=policy.seen_by(head.witnesses),
            )
    error = EvidenceError(
        N_("the proof is of none of this bundle's statements"),
        reason="not-included",
        remedy=N_("obtain the proofs that were made for this bundle, or leave this one out"),
    )
    error.where = file
    raise error


def _registration(plan_by: int, plan: Publication, results: Sequence[tuple[int, Publication]]) -> Registration:
    same = [(by, each) for by, each in results if each.log == plan.log]
    earlier = any(by < plan_by for by, each in results if each.log != plan.log)
    order: Order = "alone"
    if earlier or any(each.index < plan.index for _, each in same):
        order = "after"
    elif same:
        apart = all(each.index >= plan.size and by >= plan_by for by, each in same)
        order = "seen-before" if apart else "logged-before"
    results_by = min((by for by, _ in same), default=None)
    return Registration(
        log=plan.log,
        plan_by=plan_by,
        order=order,
        results=len({each.digest for _, each in same}),
        results_by=results_by,
        gap=results_by - plan_by if results_by is not None and order == "seen-before" else None,
    )
