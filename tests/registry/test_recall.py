import random
from collections import Counter

import pytest
from log_room import unsigned
from sqlalchemy import select

from aloi.registry import recall, schema
from aloi.registry.log import BATCH

KEYS = 2**45


@pytest.mark.parametrize("entries", recall.SWEEPS)
def test_a_sweep_passes_every_key_once_a_turn_whatever_the_batches(entries):
    draw = random.Random(entries)
    start = size = draw.randrange(entries) // recall.STEP * recall.STEP
    at = begun = start * KEYS // entries % KEYS
    passed = 0
    while size < start + entries:
        grown = min(start + entries, size + draw.randrange(1, max(BATCH, entries // 400)))
        for low, high in recall.swept(entries, size, grown):
            assert low == at
            assert low < high <= KEYS
            passed += high - low
            at = high % KEYS
        size = grown
    assert (passed, at) == (KEYS, begun)


def test_what_was_logged_long_ago_is_known_in_every_layer(log):
    count, draw = 9_000, random.Random(8)
    at = 0
    while at < count:
        step = min(count - at, draw.choice([1, 90, 256, 1000]))
        log.sequence([unsigned(number) for number in range(at, at + step)])
        at += step
    with log._database.reading() as connection:
        rows = Counter(key // KEYS for key in connection.execute(select(schema.submission_keys.c.key)).scalars())
    assert rows.total() == count
    assert set(rows) >= {0, 1, 2}
    assert rows[0] <= recall.SWEEPS[0]
    for first in range(0, count, BATCH):
        again = [unsigned(number) for number in range(first, first + BATCH)]
        draw.shuffle(again)
        assert log.sequence(again) == [int(each.body) for each in again]


def test_digests_that_share_a_key_are_told_apart(log):
    one, other, third = (unsigned(number)._replace(digest=b"k" * 6 + bytes([number]) * 26) for number in (1, 2, 3))
    assert log.sequence([one, other]) == [0, 1]
    assert log.sequence([other, third, one]) == [1, 2, 0]
    with log._database.reading() as connection:
        assert set(recall.known(connection, {third.digest})) == {(third.digest, 1)}


def test_a_sieve_lets_all_through_until_it_has_read_all_then_what_is_known(log):
    given = [unsigned(number) for number in range(3_000)]
    for first in range(0, 3_000, 1_000):
        log.sequence(given[first : first + 1_000])
    known = {each.digest for each in given}
    fresh = {unsigned(number).digest for number in range(5_000, 5_200)}
    sieve = recall.Sieve()
    with log._database.reading() as connection:
        assert sieve.sift(connection, 3_000, fresh) == fresh  # 1,600 entries read
        passed = sieve.sift(connection, 3_000, fresh)
        assert len(passed) <= 1
        assert known <= set(sieve.sift(connection, 3_000, known | fresh))


def test_what_another_process_logged_is_known(log, opened):
    other = opened()
    for first in range(0, 2_000, 100):
        writer, reader = (log, other) if first % 200 else (other, log)
        given = [unsigned(number) for number in range(first, first + 100)]
        indices = writer.sequence(given)
        assert indices == list(range(first, first + 100))
        assert reader.sequence([*given[:50], unsigned(max(first - 300, 0))])[:50] == indices[:50]
