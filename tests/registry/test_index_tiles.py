"""Tiles of an index: their bytes, and what is written and kept of them as a log grows."""

import random

import pytest
from log_room import ORIGIN, SUBMITTER, WRITER
from sqlalchemy import func, select

from aloi.evidence import checkpoints, logentry, lookup, notes
from aloi.evidence.canonical import digest
from aloi.evidence.logentry import LogEntry
from aloi.registry import indexstore, schema
from aloi.registry.admission import Admitted
from aloi.registry.index import Branch, Index, Leaf, MemoryNodes
from aloi.registry.indexcheck import recomputed
from aloi.registry.indextiles import SEGMENT, Tile, Writer, offset_of, pack, packed, segment_of, unpack, unpacked
from aloi.registry.log import Log

SEGMENTS, NEEDED = schema.index_segments, schema.index_needed


def entry(number, *systems):
    """What the door lets through of a statement about some systems; its signature is not what is tested."""
    known = digest(f"statement {number}".encode())
    body = LogEntry(
        envelope=known,
        predicate_type="https://aloi.dev/predicate/endorsement/v1",
        signers=(SUBMITTER.public.id,),
        subjects=tuple(dict.fromkeys(digest(f"system {system}".encode()) for system in systems)),
    )
    return Admitted(b"{}", logentry.write(body), bytes.fromhex(known[7:]), "endorsement", SUBMITTER.public.id)


def drawn(draw, first, count, systems):
    return [entry(number, *draw.choices(range(systems), k=2)) for number in range(first, first + count)]


def hash_of(draw):
    return draw.randbytes(32)


def node(draw, depth):
    if depth < 4 and draw.random() < 0.6:
        return Branch(hash_of(draw), hash_of(draw))
    size = draw.choice([1, 2, 3, 255, 256, 2**40 - 1])
    return Leaf(hash_of(draw), size, tuple(hash_of(draw) for _ in range(size.bit_count())), draw.randrange(2**62))


@pytest.mark.parametrize("seed", range(20))
def test_a_tile_is_read_as_it_was_written(seed):
    draw = random.Random(seed)
    writer, wanted = Writer(seed), {}
    for _ in range(60):
        addresses = [format(code, "b")[1:] for code in draw.sample(range(1, 32), draw.randint(1, 30))]
        nodes = {address: packed(node(draw, len(address))) for address in addresses}
        lower = {address: draw.randrange(2**62) for address in addresses if len(address) == 4}
        nodes = {address: data for address, data in nodes.items() if address not in lower or draw.random() < 0.5}
        tile = Tile(nodes, lower)
        wanted[writer.put(tile)] = tile
    segments = {number: data for number, _, data in writer.segments()}
    assert list(segments) == list(range(seed, writer.next))
    assert sum(count for _, count, _ in writer.segments()) == len(wanted)
    for place, tile in wanted.items():
        found = unpack(segments[segment_of(place)], offset_of(place))
        assert found == tile
        assert all(packed(unpacked(data)) == data for data in found.nodes.values())
        assert len(segments[segment_of(place)]) <= max(SEGMENT, len(pack(tile)))


def test_two_writers_by_turns_keep_one_index_and_what_it_needs(log, opened):
    draw, other, index = random.Random(1), opened(), Index(MemoryNodes())
    size = 0
    for turn in range(150):
        batch = drawn(draw, size, draw.choice([1, 1, 2, 9]), 10 + 5 * turn)
        draw.choice([log, log, other]).sequence(batch, publish=draw.random() < 0.7)
        size += len(batch)
        for each in batch:
            index.append(each.body)
    other.publish()
    said = checkpoints.verify(notes.read(log.published()), [log.key], origin=ORIGIN)
    assert lookup.index_head(said) == index.head()
    with log._database.reading() as connection:
        assert recomputed(connection) == (index.head(), None)
        for system in (0, 3, 700, 9_999):
            subject = digest(f"system {system}".encode())
            stored = Index(indexstore.StoredNodes(connection, indexstore.since(connection)))
            assert stored.look_up(subject) == index.look_up(subject)
        kept = set(connection.execute(select(SEGMENTS.c.id)).scalars())
        needed = dict(connection.execute(select(NEEDED)).all())
        last = connection.execute(select(schema.index_taken.c.segment)).scalar_one()
    assert kept == set(needed)
    assert all(tiles > 0 for tiles in needed.values())
    assert last > len(kept) + 20  # the others were removed


def written(log):
    """Bytes of the tiles that one more batch writes, and the first segment that has them."""
    with log._database.reading() as connection:
        first = connection.execute(select(schema.index_taken.c.segment)).scalar_one()
    log.sequence([entry(10**6, "a"), entry(10**6 + 1, "b"), entry(10**6 + 2, "c")])
    with log._database.reading() as connection:
        sizes = connection.execute(select(func.length(SEGMENTS.c.tiles)).where(SEGMENTS.c.id >= first)).scalars()
        return sum(sizes)


def test_what_a_batch_writes_grows_with_the_depth_and_not_with_the_index(tmp_path):
    found = []
    for systems in (250, 4_000):
        log = Log.open(f"sqlite:///{tmp_path}/{systems}.db", WRITER, ORIGIN)
        for first in range(0, systems, 500):
            log.sequence([entry(number, number) for number in range(first, min(systems, first + 500))])
        found.append(written(log))
        log.close()
    assert found[1] < found[0] + 3 * 1_500  # three tiles more: sixteen times the systems, four levels
