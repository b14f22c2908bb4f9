"""Complete look-up: all that a log holds about a system, or that it holds nothing, proved offline.

    told = verify_lookup(data, "sha256:…", policy)
    told.indices  # where the entries stand in the log: all of them, and no others
    told.lists    # the same, subject by subject

An answer holds a checkpoint of the log, one look-up for every subject owed, and the entries with their inclusion
paths. Owed are the system and, one after the other, every statement that an entry brings: what is said of a statement
(withdrawn, disputed, endorsed) names the statement's digest. The checkpoint commits to the index in a line of its own,

    aloi.dev/lookup/v1 <subjects> <base64 of the root>

What a dishonest log leaves out of its own index, an answer cannot show. Whoever replays the log computes the root
anew, so it is their cosignature that vouches for completeness: name those as witnesses in the policy.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, notes, prefixtree, trustpolicy
from aloi.evidence.canonical import canonical
from aloi.evidence.checkpoints import Checkpoint, decimal
from aloi.evidence.decoding import decode, shown
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.fields import Digest, Hash
from aloi.evidence.logproof import LONGEST
from aloi.evidence.merkle import leaf_hash, verify_inclusion
from aloi.evidence.naming import Named, Naming, names
from aloi.evidence.notes import COSIGNATURE
from aloi.evidence.records import Record
from aloi.evidence.trustpolicy import Policy, Witnessed
from aloi.translation import N_

LIMIT = 1 << 24
ANSWER: Final = "https://aloi.dev/lookup-answer/v1"
LINE = "aloi.dev/lookup/v1"

Index = Annotated[int, Meta(ge=0, lt=2**53)]


class IndexHead(NamedTuple):
    """How many subjects the index holds, and its root."""

    subjects: int
    root: bytes

    @property
    def line(self) -> str:
        """The extension line that commits a checkpoint to it."""
        return f"{LINE} {self.subjects} {to_base64(self.root)}"


class Neighbour(Record, frozen=True, kw_only=True):
    """The leaf of another subject where the one asked for would stand."""

    place: Hash
    size: Annotated[int, Meta(ge=1, lt=2**53)]
    head: Hash


class Lookup(Record, frozen=True, kw_only=True):
    """What the index holds of one subject: its list or, where it has none, the neighbour in its place, if any.

    `siblings` are the hashes beside the way, from the root down.
    """

    subject: Digest
    siblings: Annotated[tuple[Hash, ...], Meta(max_length=prefixtree.BITS)]
    indices: tuple[Index, ...] = ()
    neighbour: Neighbour | None = None


class LoggedEntry(Record, frozen=True, kw_only=True):
    """An entry, where it stands in the log, and its inclusion path."""

    index: Index
    entry: bytes
    path: Annotated[tuple[Hash, ...], Meta(max_length=LONGEST)]


class Answer(Record, frozen=True, kw_only=True):
    """Look-ups in the order in which they are owed; entries in the order of the log, each once."""

    type: Literal["https://aloi.dev/lookup-answer/v1"]
    checkpoint: str
    lookups: Annotated[tuple[Lookup, ...], Meta(min_length=1)]
    entries: tuple[LoggedEntry, ...]


class Complete(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved: of the log's first `size` entries, those of `entries` are about the subject, and no others.

    `lists` holds the log indices of every subject followed: the system first, then statements about it.
    """

    origin: str
    size: int
    root: bytes
    index: IndexHead
    subject: str
    lists: Mapping[str, tuple[int, ...]]
    entries: Mapping[int, bytes]
    witnesses: tuple[Witnessed, ...]

    @property
    def indices(self) -> tuple[int, ...]:
        """Where the entries stand in the log, in its order."""
        return tuple(self.entries)


def write(answer: Answer) -> bytes:
    """The answer's bytes."""
    return canonical(answer)


def read(data: bytes) -> Answer:
    """An answer from its bytes, nothing verified yet. Raises EvidenceError as `decode`, and 'lookup-form'."""
    answer = decode(data, Answer, limit=LIMIT, floats=False)
    if write(answer) != data:
        raise _refusal(N_("the answer is not in its one canonical spelling"), "lookup-form")
    return answer


def index_head(checkpoint: Checkpoint) -> IndexHead:
    """The head of the index to which a checkpoint commits. Raises EvidenceError: 'no-index', 'index-line',
    'bad-base64', 'index-count'.
    """
    lines = [words for line in checkpoint.extensions if (words := line.split(" "))[0] == LINE]
    if not lines:
        raise _refusal(
            N_("the checkpoint of {origin} commits to no index"), "no-index", origin=shown(checkpoint.origin)
        )
    subjects = decimal(lines[0][1]) if len(lines) == 1 and len(lines[0]) == 3 else None
    root = from_base64(lines[0][2], "index root") if subjects is not None else b""
    if subjects is None or len(root) != len(prefixtree.EMPTY):
        raise _refusal(
            N_("the line of the checkpoint that commits to an index is not one line of: {expected}"),
            "index-line",
            expected=f"{LINE} <subjects> <base64>",
        )
    if (subjects == 0) != (root == prefixtree.EMPTY):
        raise _miscounted(subjects)
    return IndexHead(subjects, root)


def verify_lookup(data: bytes, subject: str, policy: Policy, naming: Naming = names) -> Complete:
    """That these are all entries about the subject (`sha256:<64 hex>`) under a checkpoint of a log of the policy.

    We check (1) the answer's form, (2) the log's signature and origin, (3) the quorum, counting cosignatures over the
    whole checkpoint only: one with ML-DSA-44 leaves out the line of the index; (4) the line of the index, (5) that
    each entry stands in the log, (6) for every subject owed the path to the index's root, and that the entries listed
    are there and name it. Raises EvidenceError as `read`, `notes.read`, `checkpoints.verify`,
    `trustpolicy.witnessed`, `index_head` and `verify_inclusion`; 'entry-order', 'entry-missing', 'entry-stray',
    'lookup-subject', 'lookup-missing', 'lookup-stray', 'lookup-form', 'list-order', 'not-indexed',
    'false-absence', 'foreign-leaf', 'index-count', 'not-named'.
    """
    answer = read(data)  # (1)
    note = notes.read(answer.checkpoint.encode())
    checkpoint = checkpoints.verify(note, policy.logs)  # (2)
    covering = tuple(witness for witness in policy.witnesses if witness.key.kind == COSIGNATURE)
    witnesses = trustpolicy.witnessed(note, policy._replace(witnesses=covering))  # (3)
    index = index_head(checkpoint)  # (4)
    entries = _logged(answer.entries, checkpoint)  # (5)
    lists = _follow(subject, answer.lookups, {place: naming(entry) for place, entry in entries.items()})
    for told in answer.lookups:  # (6)
        _check(told, index)
    return Complete(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root,
        index=index,
        subject=subject,
        lists=lists,
        entries=entries,
        witnesses=witnesses,
    )


def _logged(told: Iterable[LoggedEntry], checkpoint: Checkpoint) -> dict[int, bytes]:
    entries: dict[int, bytes] = {}
    last = -1
    for each in told:
        if each.index <= last:
            raise _refusal(
                N_("entry {index} of the log stands in the answer after entry {last}"),
                "entry-order",
                index=each.index,
                last=last,
            )
        verify_inclusion(leaf_hash(each.entry), each.index, checkpoint.size, each.path, checkpoint.root)
        entries[each.index] = each.entry
        last = each.index
    return entries


def _follow(subject: str, lookups: tuple[Lookup, ...], named: Mapping[int, Named]) -> dict[str, tuple[int, ...]]:
    """The lists in the order in which they are owed: of the subject, then of each statement found, once."""
    owed, known, used = [subject], {subject}, set[int]()
    lists: dict[str, tuple[int, ...]] = {}
    for told in lookups:
        if len(lists) == len(owed):
            raise _refusal(N_("the answer looks up {got}, which nobody asked for"), "lookup-stray", got=told.subject)
        wanted = owed[len(lists)]
        if told.subject != wanted:
            raise _refusal(
                N_("the answer looks up {got} where {expected} is owed"),
                "lookup-subject",
                got=told.subject,
                expected=shown(wanted),
            )
        lists[wanted] = told.indices
        for index in told.indices:
            if index not in named:
                raise _refusal(N_("entry {index} is listed and not in the answer"), "entry-missing", index=index)
            if wanted not in named[index].subjects:
                raise _refusal(
                    N_("entry {index} of the log does not name {subject}"),
                    "not-named",
                    index=index,
                    subject=shown(wanted),
                )
            used.add(index)
            if named[index].statement not in known:
                owed.append(named[index].statement)
                known.add(named[index].statement)
    if len(lists) < len(owed):
        raise _refusal(
            N_("the answer does not look up {expected}, a statement that it holds"),
            "lookup-missing",
            expected=owed[len(lists)],
        )
    if stray := sorted(set(named) - used):
        raise _refusal(N_("entry {index} is in no list of the answer"), "entry-stray", index=stray[0])
    return lists


def _check(told: Lookup, index: IndexHead) -> None:
    """One look-up against the index's root."""
    place = prefixtree.place(told.subject)
    end = _end_of_list(told, place) if told.indices else _end_of_absence(told, place)
    prefixtree.verify_path(place, end, told.siblings, index.root)
    shown_to_exist = sum(each != prefixtree.EMPTY for each in (end, *told.siblings))
    if index.subjects < shown_to_exist:
        raise _miscounted(index.subjects)


def _end_of_list(told: Lookup, place: bytes) -> bytes:
    if told.neighbour is not None:
        raise _refusal(N_("a look-up tells both a list and that there is none"), "lookup-form")
    if any(left >= right for left, right in zip(told.indices, told.indices[1:], strict=False)):
        raise _refusal(
            N_("the list of {subject} is not in the order of the log, each entry once"),
            "list-order",
            subject=told.subject,
        )
    return prefixtree.leaf_hash(place, len(told.indices), prefixtree.list_head(told.indices))


def _end_of_absence(told: Lookup, place: bytes) -> bytes:
    other = told.neighbour
    if other is None:
        return prefixtree.EMPTY
    if other.place == place:
        raise _refusal(
            N_("what should prove that {subject} is absent is its own leaf"), "false-absence", subject=told.subject
        )
    depth = len(told.siblings)
    if prefixtree.bits(other.place)[:depth] != prefixtree.bits(place)[:depth]:
        raise _refusal(
            N_("the leaf beside {subject} does not belong where it is shown"), "foreign-leaf", subject=told.subject
        )
    return prefixtree.leaf_hash(other.place, other.size, other.head)


def _miscounted(subjects: int) -> EvidenceError:
    return _refusal(N_("the index cannot hold {subjects} subjects"), "index-count", subjects=subjects)


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(message, reason=reason, remedy=N_("ask the log again, and keep this answer"), **facts)
