"""What a log asks of its database. Each function works in the transaction that its caller has open."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from aloi.registry import schema
from aloi.registry.admission import Admitted

Place = tuple[int, int]


class Head(NamedTuple):
    """A checkpoint as it is stored; `note` is the signed text, byte for byte."""

    size: int
    time: int
    note: bytes


class Stored(msgspec.Struct, frozen=True):
    """An entry and what is kept beside it; `envelope` is None once it was erased, for `reason`, `at` a time."""

    index: int
    body: bytes
    kind: str
    signers: str
    received: int
    envelope: bytes | None
    erased_at: int | None
    erased_for: str | None


class Owner(NamedTuple):
    """Whose log it is: its name, and the key (SubjectPublicKeyInfo) that signs its checkpoints."""

    origin: str
    key: bytes


_heads = select(schema.checkpoints.c.size, schema.checkpoints.c.time, schema.checkpoints.c.note)
_newest = _heads.order_by(schema.checkpoints.c.size.desc()).limit(1)
_signers = select(schema.signers.c.name, schema.signers.c.id).where(
    schema.signers.c.name.in_(bindparam("names", expanding=True))
)
_add_entries, _add_payloads = insert(schema.entries), insert(schema.payloads)
_change_head = (
    update(schema.checkpoints).where(schema.checkpoints.c.size == bindparam("at")).values(note=bindparam("now"))
)
_add_tiles, _add_head = insert(schema.tiles), insert(schema.checkpoints)
# Level by level: for pairs of numbers, SQLite reads every tile that there is.
_tiles = select(schema.tiles.c.idx, schema.tiles.c.hashes).where(
    schema.tiles.c.level == bindparam("level"), schema.tiles.c.idx.in_(bindparam("indices", expanding=True))
)
_change = (
    update(schema.tiles)
    .where(schema.tiles.c.level == bindparam("at_level"), schema.tiles.c.idx == bindparam("at_idx"))
    .values(hashes=bindparam("now"))
)
_entries = (
    select(
        schema.entries.c.idx,
        schema.entries.c.body,
        schema.entries.c.kind,
        schema.signers.c.name,
        schema.entries.c.received,
        schema.payloads.c.envelope,
        schema.erasures.c.at,
        schema.erasures.c.reason,
    )
    .join(schema.signers, schema.signers.c.id == schema.entries.c.signer)
    .outerjoin(schema.payloads, schema.payloads.c.idx == schema.entries.c.idx)
    .outerjoin(schema.erasures, schema.erasures.c.idx == schema.entries.c.idx)
)
_bodies = (
    select(schema.entries.c.body)
    .where(schema.entries.c.idx >= bindparam("start"))
    .order_by(schema.entries.c.idx)
    .limit(bindparam("count"))
)
_entry = _entries.where(schema.entries.c.idx == bindparam("index"))
_page = (
    _entries.where(schema.entries.c.idx >= bindparam("start")).order_by(schema.entries.c.idx).limit(bindparam("count"))
)


def owner(connection: Connection) -> Owner | None:
    """Whose log this is; None for one that nobody opened yet."""
    row = connection.execute(select(schema.log.c.origin, schema.log.c.key)).first()
    return Owner(row.origin, bytes(row.key)) if row else None


def put_owner(connection: Connection, owner: Owner) -> None:
    """Say whose log it is, once."""
    connection.execute(insert(schema.log), [{"id": 1, "origin": owner.origin, "key": owner.key}])


def newest(connection: Connection) -> Head:
    """The newest checkpoint; an open log has one."""
    return _head(connection.execute(_newest).one())


def heads(connection: Connection, above: int, up_to: int) -> list[Head]:
    """The checkpoints of sizes in (above, up_to], smallest first."""
    size = schema.checkpoints.c.size
    found = connection.execute(_heads.where(size > above, size <= up_to).order_by(size))
    return [_head(row) for row in found]


def head(connection: Connection, size: int) -> Head | None:
    """The checkpoint of a size; None where there is none."""
    row = connection.execute(_heads.where(schema.checkpoints.c.size == size)).first()
    return _head(row) if row else None


def put_head(connection: Connection, head: Head) -> None:
    """Keep a checkpoint, in place of the one of its size: with other lines under it."""
    changed = connection.execute(_change_head, {"at": head.size, "now": head.note})
    if not changed.rowcount:
        connection.execute(_add_head, [head._asdict()])


def signer_ids(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """The numbers under which signers are kept; new ones are given a number."""
    ids = _signer_ids(connection, names)
    missing = sorted(set(names) - set(ids))
    if missing:
        connection.execute(insert(schema.signers), [{"name": name} for name in missing])
        ids |= _signer_ids(connection, missing)
    return ids


def put_entries(connection: Connection, first: int, batch: Sequence[tuple[Admitted, int]], received: int) -> None:
    """Keep entries from index `first` on, each with the number of its signers."""
    numbered = list(enumerate(batch, start=first))
    entries = [
        {"idx": index, "body": item.body, "kind": item.kind, "signer": signer, "received": received}
        for index, (item, signer) in numbered
    ]
    payloads = [{"idx": index, "envelope": item.envelope} for index, (item, _) in numbered]
    connection.execute(_add_entries, entries)
    connection.execute(_add_payloads, payloads)


def tiles(connection: Connection, places: Collection[Place]) -> dict[Place, bytes]:
    """The tiles at these places, those that there are."""
    asked: dict[int, list[int]] = {}
    for level, index in places:
        asked.setdefault(level, []).append(index)
    return {
        (level, row.idx): bytes(row.hashes)
        for level, indices in asked.items()
        for row in connection.execute(_tiles, {"level": level, "indices": indices})
    }


def put_tiles(connection: Connection, changed: Mapping[Place, bytes], held: Collection[Place]) -> None:
    """Keep tiles; those in `held` are there already, with fewer hashes."""
    old = [{"at_level": at[0], "at_idx": at[1], "now": hashes} for at, hashes in changed.items() if at in held]
    new = [{"level": at[0], "idx": at[1], "hashes": hashes} for at, hashes in changed.items() if at not in held]
    if old:
        connection.execute(_change, old)
    if new:
        connection.execute(_add_tiles, new)


def count_tiles(connection: Connection) -> dict[int, int]:
    """How many tiles each level has."""
    counted = select(schema.tiles.c.level, func.count().label("tiles")).group_by(schema.tiles.c.level)
    return {row.level: row.tiles for row in connection.execute(counted)}


def entry(connection: Connection, index: int) -> Stored | None:
    """One entry; None where the log has no such index."""
    row = connection.execute(_entry, {"index": index}).first()
    return _stored(row) if row else None


def page(connection: Connection, start: int, count: int) -> list[Stored]:
    """Up to `count` entries from index `start` on, in order."""
    return [_stored(row) for row in connection.execute(_page, {"start": start, "count": count})]


def bodies(connection: Connection, start: int, count: int) -> list[bytes]:
    """Up to `count` entries from index `start` on, in order, without what is kept beside them."""
    return [bytes(body) for body in connection.execute(_bodies, {"start": start, "count": count}).scalars()]


def erase(connection: Connection, index: int, at: int, reason: str) -> None:
    """Empty the payload of an entry, and say when and why."""
    connection.execute(update(schema.payloads).where(schema.payloads.c.idx == index).values(envelope=None))
    connection.execute(insert(schema.erasures), [{"idx": index, "at": at, "reason": reason}])


def _signer_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    found = connection.execute(_signers, {"names": list(names)})
    return {row.name: row.id for row in found}


def _head(row: Row[int, int, bytes]) -> Head:
    return Head(row.size, row.time, bytes(row.note))


def _stored(row: Row[*tuple[Any, ...]]) -> Stored:
    envelope = None if row.envelope is None else bytes(row.envelope)
    return Stored(row.idx, bytes(row.body), row.kind, row.name, row.received, envelope, row.at, row.reason)
