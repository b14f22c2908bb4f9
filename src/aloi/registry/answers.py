"""Answers to a look-up: the index, the log's entries and a checkpoint put into one file."""

from collections.abc import Sequence
from typing import Protocol

from aloi.errors import RegistryError
from aloi.evidence import lookup, notes
from aloi.evidence.decoding import shown
from aloi.evidence.lookup import Answer, LoggedEntry, Lookup
from aloi.evidence.notes import Note
from aloi.registry.index import Index
from aloi.translation import N_

MOST = lookup.LIMIT // 300  # entries: none is told in fewer bytes


class TooLong(RegistryError):
    """More is logged about a subject than a verifier reads at once."""


class Log(Protocol):
    """What an answer needs of a log; a plain function each."""

    def entry(self, index: int) -> bytes:
        """The entry at an index."""
        ...

    def path(self, index: int, size: int) -> Sequence[bytes]:
        """The inclusion path of an entry in the tree of the first `size`."""
        ...


def answer(subject: str, index: Index, log: Log, checkpoint: Note) -> bytes:
    """All that the log holds about the subject (`sha256:<64 hex>`), under a checkpoint of as many entries as the index.

    The look-up follows statements about statements to the last. Raises TooLong where that is more than a verifier
    reads.
    """
    size = index.store.taken().size
    owed, known = [subject], {subject}
    lookups: list[Lookup] = []
    found: dict[int, bytes] = {}
    for each in owed:
        told = index.look_up(each)
        lookups.append(told)
        if len(found) + len(told.indices) > MOST:
            raise _too_long(subject)
        for place in told.indices:
            entry = found.setdefault(place, log.entry(place))
            statement = index.naming(entry).statement
            if statement not in known:
                owed.append(statement)
                known.add(statement)
    entries = tuple(
        LoggedEntry(index=place, entry=found[place], path=tuple(log.path(place, size))) for place in sorted(found)
    )
    data = Answer(
        type=lookup.ANSWER,
        checkpoint=notes.write(checkpoint).decode(),
        lookups=tuple(lookups),
        entries=entries,
    )
    written = lookup.write(data)
    if len(written) > lookup.LIMIT:
        raise _too_long(subject)
    return written


def _too_long(subject: str) -> TooLong:
    return TooLong(
        N_("more is logged about {subject} than the {limit} bytes that verifiers read at once"),
        remedy=N_("fetch the log's tiles and replay them: all entries are there"),
        subject=shown(subject),
        limit=lookup.LIMIT,
    )
