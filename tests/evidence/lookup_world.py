"""A small log with an index, and answers about its systems: what the tests of the look-up change one thing of."""

from collections.abc import Mapping, Sequence

import naive_index
from evidence_world import STRANGER, SYSTEM, fixed_key
from log_world import LOG, ORIGIN, TIMES, WITNESSES
from log_world import POLICY as POLICY_FILE

from aloi.evidence import checkpoints, cosignatures, logentry, notes, policyfile
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.checkpoints import Checkpoint
from aloi.evidence.encoding import from_base64
from aloi.evidence.envelope import read, sign, write
from aloi.evidence.lookup import ANSWER, Answer, IndexHead, LoggedEntry, Lookup, Neighbour
from aloi.evidence.merkle import inclusion, leaf_hash, root
from aloi.evidence.naming import names
from aloi.evidence.notes import Note
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Attachment, Dispute, Endorsement

A, B, NOBODY = SYSTEM.fingerprint, STRANGER.fingerprint, "sha256:" + "d4" * 32
POLICY = policyfile.read(POLICY_FILE.encode(), "trust.policy")
AUTHOR = fixed_key(31)
MANY = tuple("sha256:" + sha.hex() for sha in (naive_index.sha(b"%d" % number) for number in range(12)))


def about(*subjects: str, word: str = "x", key: int = 31) -> bytes:
    """An entry that says something about these digests."""
    record = Attachment(control="c", size=1, approved_by=word, approved_on="2026-11-26")
    return write(sign(state(record, [Subject.of("it", each) for each in subjects]), fixed_key(key)))


def digests(entry: bytes) -> bytes:
    """What a log that keeps envelopes beside itself holds of one, the statement's digest with it."""
    return logentry.of(read(entry), with_statement=True)


def statement_of(entry: bytes) -> str:
    return digest(from_base64(read(entry).payload, "payload"))


def disputed(entry: bytes, by: str = "Institute") -> bytes:
    record = Dispute(organisation=by, at="2026-11-26T00:00:00Z", reason="not so")
    return write(sign(state(record, [Subject.of("statement", statement_of(entry))]), AUTHOR))


def endorsed(entry: bytes) -> bytes:
    record = Endorsement(organisation="University", at="2026-11-26T00:00:00Z")
    return write(sign(state(record, [Subject.of("statement", statement_of(entry))]), AUTHOR))


def history() -> list[bytes]:
    """A log in which A has good and bad results, one of them disputed, and the dispute disputed in turn."""
    entries = [about(A, word="plan"), about(A, word="first"), about(B), about(A, B, word="both")]
    entries.append(disputed(entries[1]))
    entries += [disputed(entries[4], by="Builder"), endorsed(entries[1]), b"no statement", about(*MANY)]
    return [*entries, about(A, word="first", key=32), about(A, word="last")]  # the first statement, signed by another


ENTRIES = history()
OF_A = (0, 1, 3, 9, 10)


def lists_of(entries: Sequence[bytes]) -> dict[str, list[int]]:
    """The index as a dictionary."""
    lists: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        for subject in names(entry).subjects:
            lists.setdefault(subject, []).append(index)
    return lists


LISTS = lists_of(ENTRIES)


def head_of(lists: Mapping[str, Sequence[int]]) -> IndexHead:
    places = {naive_index.place(subject): list(indices) for subject, indices in lists.items()}
    return IndexHead(len(places), naive_index.tree(places))


def checkpoint(entries: Sequence[bytes] = ENTRIES, lists: Mapping[str, Sequence[int]] | None = None) -> Checkpoint:
    """The head of the log, and of its index: the true one, or one over other lists."""
    head = head_of(lists_of(entries) if lists is None else lists)
    return Checkpoint(ORIGIN, len(entries), root(entries), (head.line,))


def signed(head: Checkpoint, *witnesses: str) -> Note:
    note = checkpoints.sign(head, ORIGIN, LOG)
    for each in witnesses or ("north", "south"):
        note = cosignatures.cosign(note, *WITNESSES[each], TIMES[each])
    return note


def look_up(subject: str, lists: Mapping[str, Sequence[int]] = LISTS) -> Lookup:
    """A look-up with its proof, from the definition."""
    places = {naive_index.place(each): list(indices) for each, indices in lists.items()}
    siblings, end = naive_index.way(places, naive_index.place(subject))
    if end is None:
        return Lookup(subject=subject, siblings=siblings)
    if end == naive_index.place(subject):
        return Lookup(subject=subject, siblings=siblings, indices=tuple(places[end]))
    beside = Neighbour(place=end, size=len(places[end]), head=naive_index.list_head(places[end]))
    return Lookup(subject=subject, siblings=siblings, neighbour=beside)


def logged(index: int, entries: Sequence[bytes] = ENTRIES, size: int | None = None) -> LoggedEntry:
    hashes = [leaf_hash(entry) for entry in entries[:size]]
    return LoggedEntry(index=index, entry=entries[index], path=tuple(inclusion(hashes, index)))


def answer(
    subject: str = A,
    entries: Sequence[bytes] = ENTRIES,
    lists: Mapping[str, Sequence[int]] | None = None,
    note: Note | None = None,
) -> Answer:
    """What a log with this index answers: the honest one, or the best that a log with other lists can do."""
    lists = lists_of(entries) if lists is None else lists
    owed, found, lookups = [subject], set(), []
    for each in owed:
        told = look_up(each, lists)
        lookups.append(told)
        there = [index for index in told.indices if index < len(entries)]
        found.update(there)
        owed += dict.fromkeys(says for index in there if (says := names(entries[index]).statement) not in {"", *owed})
    return Answer(
        type=ANSWER,
        checkpoint=notes.write(note or signed(checkpoint(entries, lists))).decode(),
        lookups=tuple(lookups),
        entries=tuple(logged(index, entries) for index in sorted(found)),
    )


def spelt(told: Answer) -> bytes:
    """The bytes that a dishonest log sends: no check on the way out."""
    return canonical(told)
