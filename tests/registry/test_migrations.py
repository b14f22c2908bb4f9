import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from log_room import KEYS, ORIGIN, SYSTEM, WRITER, envelopes
from sqlalchemy import insert, select, text

from aloi.errors import RegistryError
from aloi.evidence import checkpoints, logproof, notes
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
    assert [script.revision for script in scripts.walk_revisions()] == ["0003", "0002", "0001"]


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


LACKED = {
    "0001": {"erasures", "index_taken", "index_nodes", "index_lists"},
    "0002": {"index_taken", "index_nodes", "index_lists"},
}


@pytest.mark.parametrize("revision", LACKED)
def test_a_log_of_an_older_release_keeps_every_proof_and_gains_the_index(tmp_path, database, url, revision):
    newer = Log.open(f"sqlite:///{tmp_path}/source.db", WRITER, ORIGIN)
    for first in (0, 700, 1400):
        newer.append(envelopes(first, first + 700), KEYS)
    with newer._database.reading() as source, database.writing() as connection:
        upgrade(connection, revision)
        for table in schema.metadata.sorted_tables:
            if table.name not in LACKED[revision]:
                rows = [row._asdict() for row in source.execute(select(table))]
                if table is schema.checkpoints:
                    rows = [{**row, "note": without_index(row["note"])} for row in rows]
                if rows:
                    connection.execute(insert(table), rows)
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


def test_a_database_of_a_newer_release_is_left_alone(database, url):
    with database.writing() as connection:
        upgrade(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(RegistryError, match="of revision 0999, made by a newer release; this one knows 0003"):
        Log.open(url, WRITER, ORIGIN)
    with database.reading() as connection:
        assert current(connection) == "0999"
