"""One thing of a log is changed behind its back, and the check says which."""

import pytest
from log_room import KEYS, ORIGIN, OTHER, WRITER, admitted, envelope_of, envelopes, key_of
from sqlalchemy import delete, insert, select, update

from aloi.errors import EvidenceError
from aloi.evidence.notes import ED25519, NoteKey
from aloi.registry import check as checking
from aloi.registry import schema
from aloi.registry.check import Checked, check
from aloi.registry.log import Log

ENTRIES, PAYLOADS, TILES, HEADS = schema.entries, schema.payloads, schema.tiles, schema.checkpoints
KEYS_OF = schema.submission_keys
LISTS, SEGMENTS = schema.index_lists, schema.index_segments
KEY = NoteKey(ORIGIN, ED25519, WRITER.public)


@pytest.fixture
def log(opened):
    log = opened()
    for first in (0, 100, 250, 400):
        log.sequence(admitted(first, first + 100 + first // 4))
    log.erase(7, "asked")
    return log


def test_a_whole_log_is_whole(log, url, monkeypatch):
    size = 575  # numbers 400 to 411 come twice
    assert check(url, log.key) == Checked(entries=size, erased=1, checkpoints=5, tiles=4, subjects=1)
    monkeypatch.setattr(checking, "PAGE", 7)
    assert check(url, log.key) == Checked(entries=size, erased=1, checkpoints=5, tiles=4, subjects=1)


def test_an_empty_log_is_whole(opened, url):
    assert check(url, opened().key) == Checked(0, 0, 1, 0, 0)


def flip(table, column, *where):
    """Statements that change one byte in the middle of one cell."""

    def change(connection):
        cell = bytearray(connection.execute(select(column).where(*where)).scalar_one())
        cell[len(cell) // 2] ^= 1
        connection.execute(update(table).where(*where).values({column: bytes(cell)}))

    return change


def run(*statements):
    def change(connection):
        for statement in statements:
            connection.execute(statement)

    return change


def replace_envelope(connection):
    """Another envelope that is whole and signed, under an entry that is not its own."""
    connection.execute(update(PAYLOADS).where(PAYLOADS.c.idx == 3).values(envelope=envelope_of(9_999, OTHER)))


def drop_the_end(connection):
    """The last ten entries, as if they had never come, with all that belongs to them but tiles and checkpoints."""
    for table in (schema.submission_keys, schema.submissions, PAYLOADS, schema.index_lists, ENTRIES):
        connection.execute(delete(table).where(table.c.idx >= 565))


def lengthen_tile(connection):
    """One hash more than the log has entries for."""
    (hashes,) = connection.execute(select(TILES.c.hashes).where(TILES.c.level == 1)).one()
    connection.execute(update(TILES).where(TILES.c.level == 1).values(hashes=bytes(hashes) + b"x" * 32))


ALTERED = {
    "a byte of an entry": (flip(ENTRIES, ENTRIES.c.body, ENTRIES.c.idx == 3), "entry-altered"),
    "a byte of an erased entry": (flip(ENTRIES, ENTRIES.c.body, ENTRIES.c.idx == 7), None),
    "a byte of an envelope": (flip(PAYLOADS, PAYLOADS.c.envelope, PAYLOADS.c.idx == 3), "entry-altered"),
    "another envelope": (replace_envelope, "entry-altered"),
    "another kind": (run(update(ENTRIES).where(ENTRIES.c.idx == 3).values(kind="finding")), "entry-altered"),
    "an envelope gone": (run(update(PAYLOADS).where(PAYLOADS.c.idx == 3).values(envelope=None)), "entry-missing"),
    "a payload's row gone": (run(delete(PAYLOADS).where(PAYLOADS.c.idx == 3)), "entry-missing"),
    "an erasure unsaid": (run(delete(schema.erasures)), "entry-missing"),
    "an erasure that was none": (
        run(insert(schema.erasures).values(idx=5, at=9_999_999_999, reason="none")),
        "entry-missing",
    ),
    "the end gone": (drop_the_end, "entry-missing"),
    "a time before": (run(update(ENTRIES).where(ENTRIES.c.idx == 300).values(received=1)), "entry-time"),
    "not known again": (run(delete(schema.submissions).where(schema.submissions.c.idx == 300)), "entry-unnamed"),
    "known by no key": (run(delete(KEYS_OF).where(KEYS_OF.c.idx == 300)), "entry-unnamed"),
    "known by another key": (run(update(KEYS_OF).where(KEYS_OF.c.idx == 300).values(key=5)), "entry-unnamed"),
    "known as another": (
        flip(schema.submissions, schema.submissions.c.digest, schema.submissions.c.idx == 300),
        "entry-unnamed",
    ),
    "a full tile": (flip(TILES, TILES.c.hashes, TILES.c.level == 0, TILES.c.idx == 1), "tile-differs"),
    "a partial tile": (flip(TILES, TILES.c.hashes, TILES.c.level == 0, TILES.c.idx == 2), "tile-differs"),
    "an upper tile": (flip(TILES, TILES.c.hashes, TILES.c.level == 1), "tile-differs"),
    "a tile gone": (run(delete(TILES).where(TILES.c.level == 0, TILES.c.idx == 0)), "tile-differs"),
    "a tile of nothing": (run(insert(TILES).values(level=2, idx=0, hashes=b"x" * 32)), "tile-unknown"),
    "a tile too long": (
        lengthen_tile,
        "tile-unknown",
    ),
    "a checkpoint's note": (flip(HEADS, HEADS.c.note, HEADS.c.size == 225), "checkpoint-differs"),
    "a checkpoint's size": (run(update(HEADS).where(HEADS.c.size == 225).values(size=226)), "checkpoint-differs"),
    "a checkpoint's time": (run(update(HEADS).where(HEADS.c.size == 225).values(time=1)), "checkpoint-time"),
    "the newest checkpoint gone": (run(delete(HEADS).where(HEADS.c.size == 575)), "checkpoint-missing"),
    "every checkpoint gone": (run(delete(HEADS)), "checkpoint-missing"),
    "an entry out of its list": (run(delete(LISTS).where(LISTS.c.idx == 300)), "index-differs"),
    "a list of nothing": (run(insert(LISTS).values(place=b"x" * 32, idx=3)), "index-differs"),
    "a list cut short": (run(update(LISTS).where(LISTS.c.idx == 300).values(before=None)), "index-differs"),
    "a list that leaps": (run(update(LISTS).where(LISTS.c.idx == 300).values(before=298)), "index-differs"),
    "a node": (flip(SEGMENTS, SEGMENTS.c.tiles, SEGMENTS.c.id == 3), "index-differs"),
    "a node cut short": (run(update(SEGMENTS).values(tiles=b"\0\x90\x81")), "index-differs"),
    "a node gone": (run(delete(SEGMENTS)), "index-differs"),
    "a tile that is above itself": (
        run(update(SEGMENTS).values(tiles=b"\0\x4a\1" + b"x" * 64 + b"\x40" + (3 << 16).to_bytes(8))),
        "index-differs",
    ),
    "an index that begins nowhere": (run(update(schema.index_taken).values(root=99 << 16)), "index-differs"),
    "a tile that is needed uncounted": (run(delete(schema.index_needed)), "index-differs"),
    "a tile that is counted as left": (
        run(insert(schema.index_left).values(segment=99, tiles=(3).to_bytes(8))),
        "index-differs",
    ),
    "an index that lags": (run(update(schema.index_taken).values(size=225)), "index-differs"),
    "an index of nothing signed": (run(update(schema.index_taken).values(size=300)), "checkpoint-missing"),
    "a subject too many": (run(update(schema.index_taken).values(subjects=2)), "index-differs"),
    "no index": (run(delete(schema.index_taken)), "index-differs"),
}


@pytest.mark.parametrize("case", ALTERED)
def test_the_first_difference_is_told(log, url, case):
    change, reason = ALTERED[case]
    with log._database.writing() as connection:
        change(connection)
    with pytest.raises(EvidenceError) as caught:
        check(url, log.key)
    assert caught.value.reason == (reason or caught.value.reason)
    assert caught.value.remedy


def test_a_log_written_anew_by_its_own_key_is_another_log(tmp_path):
    logs = [Log.open(f"sqlite:///{tmp_path}/{name}.db", WRITER, ORIGIN) for name in "ab"]
    logs[0].append(envelopes(0, 10), KEYS)
    logs[1].append([*envelopes(0, 9), envelope_of(99)], KEYS)
    with logs[1]._database.reading() as connection:
        forged = connection.execute(select(HEADS.c.note).where(HEADS.c.size == 10)).scalar_one()
    with logs[0]._database.writing() as connection:
        connection.execute(update(HEADS).where(HEADS.c.size == 10).values(note=forged))
    with pytest.raises(EvidenceError, match="the checkpoint of size 10 does not have the root of its entries"):
        check(f"sqlite:///{tmp_path}/a.db", KEY)
    for each in logs:
        each.close()


def test_a_log_of_another_key_is_not_the_one_that_was_asked_for(log, url):
    with pytest.raises(EvidenceError) as caught:
        check(url, NoteKey(ORIGIN, ED25519, key_of(9).public))
    assert caught.value.reason == "checkpoint-differs"
