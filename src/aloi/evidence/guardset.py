"""The digest by which a set of remedies is named, in evidence and by what runs."""

from collections.abc import Iterable, Sequence

from aloi.evidence.canonical import canonical, digest
from aloi.evidence.records import Effect, Plan, Record, RemedyIdentity


def guard_set(remedies: Sequence[RemedyIdentity]) -> str:
    """`sha256:` over names, versions and digests, in the order in which they stand around the model."""
    return digest(canonical([{"name": one.name, "version": one.version, "digest": one.digest} for one in remedies]))


def measured_set(records: Iterable[Record | None]) -> str:
    """The guard set that stands after a bundle's claims: guards in place, and the remedies that were accepted last.

    Empty where nothing stands around the model.
    """
    in_place: tuple[RemedyIdentity, ...] = ()
    accepted: tuple[RemedyIdentity, ...] = ()
    for record in records:
        if isinstance(record, Plan):
            in_place = record.in_place
        elif isinstance(record, Effect) and record.accepted:
            accepted = record.remedies
    return guard_set((*in_place, *accepted)) if in_place or accepted else ""
