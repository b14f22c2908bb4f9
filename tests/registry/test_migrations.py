import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from log_room import KEYS, ORIGIN, OTHER, SYSTEM, WRITER, admitted, envelope_of, envelopes, key_of
from sqlalchemy import insert, select, text, update

from aloi.errors import EvidenceError, RegistryError
from aloi.evidence import checkpoints, cosignatures, logproof, notes
from aloi.evidence.logproof import LogProof
from aloi.registry import schema
from aloi.registry.check import check
from aloi.registry.database import Database, current, upgrade
from aloi.registry.log import Log


def _upgrade_and_stop(database):
    with database.writing() as connection:
        upgrade(connection)
        raise KeyboardInterrupt


@pytest.fixture
def database(url):
    database = Database(url)
    yield database
    database.close()


def test_the_newest_migration_is_the_revision_that_is_asked_for():
    config = Config()
    config.set_main_option("script_location", "src/aloi/registry/migrations")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [schema.REVISION]
    assert [script.revision for script in scripts.walk_revisions()] == ["0005", "0004", "0003", "0002", "0001"]


def test_an_empty_database_becomes_the_schema(database):
    with database.writing() as connection:
        assert current(connection) is None
        upgrade(connection)
    with database.writing() as connection:
        assert current(connection) == schema.REVISION
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        upgrade(connection)  # nothing to do


def test_a_migration_that_is_cut_off_leaves_nothing(database):
    with pytest.raises(KeyboardInterrupt):
        _upgrade_and_stop(database)
    with database.writing() as connection:
        assert current(connection) is None
        upgrade(connection)


def without_index(note):
    """The checkpoint as a release signed it that had no index."""
    checkpoint = checkpoints.parse(notes.read(note).text)._replace(extensions=())
    return notes.write(checkpoints.sign(checkpoint, ORIGIN, WRITER))


INDEX = {"index_segments", "index_needed", "index_left", "index_lists"}
LACKED = {
    "0001": {"erasures", "submission_keys", "index_taken"} | INDEX,
    "0002": {"submission_keys", "index_taken"} | INDEX,
    "0003": {"submission_keys"} | INDEX,
}
WITHOUT_INDEX = ("0001", "0002")


def copy(log, connection, revision):
    """The log as it stood in the tables of a revision; what it says of its index is as of that revision, too."""
    upgrade(connection, revision)
    with log._database.reading() as source:
        for table in schema.metadata.sorted_tables:
            if table.name in LACKED[revision]:
                continue
            rows = [row._asdict() for row in source.execute(select(table))]
            if table is schema.checkpoints and revision in WITHOUT_INDEX:
                rows = [{**row, "note": without_index(row["note"])} for row in rows]
            if table is schema.index_taken:
                rows = [{name: row[name] for name in ("id", "size", "subjects")} for row in rows]
            if rows:
                connection.execute(insert(table), rows)


@pytest.mark.parametrize("revision", WITHOUT_INDEX)
def test_a_log_of_an_older_release_keeps_every_proof_and_gains_the_index(tmp_path, database, url, revision):
    newer = Log.open(f"sqlite:///{tmp_path}/source.db", WRITER, ORIGIN)
    for first in (0, 700, 1400):
        newer.append(envelopes(first, first + 700), KEYS)
    with database.writing() as connection:
        copy(newer, connection, revision)
    old = notes.read(without_index(newer.checkpoint()))
    kept = [LogProof(index=at, path=tuple(newer.inclusion(at, 2100)), note=old) for at in range(0, 2100, 91)]
    answer = newer.look_up(SYSTEM.fingerprint)
    newer.close()
    log = Log.open(url, WRITER, ORIGIN)
    assert check(url, log.key)[:2] == (2100, 0)
    for proof in kept:
        for each in (proof, logproof.read(log.proof(proof.index))):
            assert each.path == proof.path
            logproof.verify(each, log.entry(proof.index).body, [log.key])
    assert log.look_up(SYSTEM.fingerprint) == answer
    assert log.append(envelopes(2099, 2105), KEYS) == list(range(2099, 2105))
    log.erase(5, "asked")
    assert check(url, log.key).erased == 1
    log.close()


def indexed(tmp_path):
    """A log of which 1,205 entries are published, cosigned, and five more wait; one statement has two signers."""
    log = Log.open(f"sqlite:///{tmp_path}/source.db", WRITER, ORIGIN)
    log.append(envelopes(0, 900), KEYS)
    log.append([envelope_of(7, OTHER), *envelopes(900, 1204)], KEYS)
    log.publish(cosignatures.cosign(notes.read(log.published()), "witness.example/1", key_of(77), 1_800_000_000))
    log.sequence(admitted(1204, 1209), publish=False)
    return log


def test_a_log_with_an_index_in_single_nodes_keeps_what_is_published_as_it_is(tmp_path, database, url):
    newer = indexed(tmp_path)
    with database.writing() as connection:
        copy(newer, connection, "0003")
        connection.execute(text("INSERT INTO index_nodes (address, node) VALUES ('', 'of other tables')"))
    log = Log.open(url, WRITER, ORIGIN)
    assert (log.published(), log.checkpoint()) == (newer.published(), newer.checkpoint())
    assert log.look_up(SYSTEM.fingerprint) == newer.look_up(SYSTEM.fingerprint)
    assert [log.proof(at) for at in range(0, 1205, 150)] == [newer.proof(at) for at in range(0, 1205, 150)]
    assert log.append([envelope_of(7, OTHER), *envelopes(5, 9)], KEYS) == [900, 5, 6, 7, 8]
    log.publish()
    assert check(url, log.key)[:2] == (1210, 0)
    for each in (newer, log):
        each.close()


def test_an_index_that_is_not_the_published_one_is_not_made(tmp_path, database, url):
    newer = indexed(tmp_path)
    with database.writing() as connection:
        copy(newer, connection, "0003")
        connection.execute(update(schema.entries).where(schema.entries.c.idx == 3).values(body=b"{}"))
    with pytest.raises(EvidenceError) as caught:
        Log.open(url, WRITER, ORIGIN)
    assert caught.value.reason == "index-differs"
    with database.reading() as connection:
        assert current(connection) == "0003"
    newer.close()


def test_a_database_of_a_newer_release_is_left_alone(database, url):
    with database.writing() as connection:
        upgrade(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(
        RegistryError, match=f"of revision 0999, made by a newer release; this one knows {schema.REVISION}"
    ):
        Log.open(url, WRITER, ORIGIN)
    with database.reading() as connection:
        assert current(connection) == "0999"
