"""Answers to a look-up: the index, the log's entries and a checkpoint put into one file."""

from collections.abc import Sequence
from typing import Protocol

from aloi.errors import RegistryError
from aloi.evidence import lookup, notes
from aloi.evidence.decoding import shown
from aloi.evidence.lookup import Answer, LoggedEntry
from aloi.evidence.notes import Note
from aloi.registry.index import Index
from aloi.translation import N_


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

    The look-up follows statements about statements to the last. Raises RegistryError where that is more than a
    verifier reads.
    """
    size = index.store.taken().size
    owed, known = [subject], {subject}
    lookups, found = [], set[int]()
    for each in owed:
        told = index.look_up(each)
        lookups.append(told)
        for place in told.indices:
            statement = index.naming(log.entry(place)).statement
            if statement not in known:
                owed.append(statement)
                known.add(statement)
        found.update(told.indices)
    entries = tuple(
        LoggedEntry(index=place, entry=log.entry(place), path=tuple(log.path(place, size))) for place in sorted(found)
    )
    data = Answer(
        type=lookup.ANSWER,
        checkpoint=notes.write(checkpoint).decode(),
        lookups=tuple(lookups),
        entries=entries,
    )
    written = lookup.write(data)
    if len(written) > lookup.LIMIT:
        raise RegistryError(
            N_("the answer about {subject} is {size} bytes long; verifiers read at most {limit}"),
            remedy=N_("fetch the log's tiles and replay them: all entries are there"),
            subject=shown(subject),
            size=len(written),
            limit=lookup.LIMIT,
        )
    return written
