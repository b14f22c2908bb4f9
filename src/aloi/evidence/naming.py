"""What an entry of a log names: the systems that its statement is about, and the statement's own digest.

An entry is a signed envelope, or a `LogEntry`: digests alone, for a log that keeps envelopes beside itself so that they
can be erased. Both name the same subjects. What is neither names nothing, and is no evidence to anybody.

These rules are part of `aloi.dev/lookup/v1`: two readers who named differently would compute two indexes.
"""

from collections.abc import Callable
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import envelope, logentry
from aloi.evidence.canonical import digest


class Named(NamedTuple):
    """`statement` is the digest by which others name it; `subjects` are the digests that it names, each once."""

    statement: str
    subjects: tuple[str, ...]


Naming = Callable[[bytes], Named]
NOTHING = Named("", ())


def names(entry: bytes) -> Named:
    """What the entry names; NOTHING where it is neither an envelope with a statement nor a `LogEntry`. Never raises."""
    try:
        told = logentry.read(entry)
        spelt = logentry.write(told)
    except EvidenceError:
        return _of_envelope(entry)
    once = spelt == entry and len(set(told.subjects)) == len(told.subjects)
    return Named(told.statement or told.envelope, told.subjects) if once else _of_envelope(entry)


def _of_envelope(entry: bytes) -> Named:
    try:
        payload, said = logentry.stated(envelope.read(entry))
    except EvidenceError:
        return NOTHING
    return Named(digest(payload), logentry.subjects(said))
