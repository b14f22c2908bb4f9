"""Nothing that a log does often reads a whole table: SQLite's own plans say so."""

import re

from log_room import KEYS, ORIGIN, OTHER, SYSTEM, WRITER, envelope_of, envelopes
from sqlalchemy import event

from aloi.registry.log import Log

SMALL = {"index_taken", "index_left"}
LAST = {"checkpoints"}  # the newest
OURS = {"CONSTANT", "anon_1"}  # values of the statement itself, and the chain that a look-up makes


def plans(log, act):
    """What SQLite does for each statement that an act asks, once for each."""
    asked = {}

    def remember(_connection, _cursor, statement, parameters, _context, many):
        if not statement.startswith(("PRAGMA", "EXPLAIN", "BEGIN")):
            asked[statement] = parameters[0] if many else parameters

    engine = log._database._engine
    event.listen(engine, "before_cursor_execute", remember)
    act()
    event.remove(engine, "before_cursor_execute", remember)
    with engine.connect() as connection:
        for statement, parameters in asked.items():
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                yield statement, row[3]


def test_no_table_that_grows_with_the_log_is_read_whole(tmp_path):
    log = Log.open(f"sqlite:///{tmp_path}/log.db", WRITER, ORIGIN)
    log.append(envelopes(0, 1_000), KEYS)

    def act():
        for first in range(1_000, 2_000, 50):  # often enough for segments to be removed
            log.append(envelopes(first, first + 50), KEYS)
        log.sequence([], publish=False)
        log.append([envelope_of(5), envelope_of(5, OTHER)], KEYS)
        log.proof(1_234)
        log.consistency(700, 1_900)
        log.look_up(SYSTEM.fingerprint)
        log.erase(17, "asked")

    scanned = set()
    found = list(plans(log, act))
    for statement, step in found:
        if whole := re.match(r"SCAN (\w+)", step):
            scanned.add(whole[1])
            assert whole[1] not in LAST or "LIMIT" in statement
    assert len(found) > 30
    assert scanned <= SMALL | LAST | OURS
    log.close()
