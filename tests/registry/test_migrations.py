import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from log_room import KEYS, ORIGIN, WRITER, envelopes
from sqlalchemy import insert, select, text

from aloi.errors import RegistryError
from aloi.evidence import logproof
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
    assert [script.revision for script in scripts.walk_revisions()] == ["0002", "0001"]


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


def test_a_log_of_revision_1_keeps_every_proof(tmp_path, database, url):
    newer = Log.open(f"sqlite:///{tmp_path}/source.db", WRITER, ORIGIN)
    for first in (0, 130, 260):
        newer.append(envelopes(first, first + 130), KEYS)
    proofs = [newer.proof(index) for index in range(0, 390, 13)]
    with newer._database.reading() as source, database.writing() as connection:
        upgrade(connection, "0001")
        for table in schema.metadata.sorted_tables:
            if table is not schema.erasures:
                rows = [row._asdict() for row in source.execute(select(table))]
                connection.execute(insert(table), rows)
    newer.close()
    log = Log.open(url, WRITER, ORIGIN)
    assert check(url, log.key).entries == 390
    assert [log.proof(index) for index in range(0, 390, 13)] == proofs
    for index, proof in zip(range(0, 390, 13), proofs, strict=True):
        logproof.verify(logproof.read(proof), log.entry(index).body, [log.key])
    assert log.append(envelopes(389, 395), KEYS) == list(range(389, 395))
    log.erase(5, "asked")
    assert check(url, log.key).erased == 1
    log.close()


def test_a_database_of_a_newer_release_is_left_alone(database, url):
    with database.writing() as connection:
        upgrade(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(RegistryError, match="of revision 0999, made by a newer release; this one knows 0002"):
        Log.open(url, WRITER, ORIGIN)
    with database.reading() as connection:
        assert current(connection) == "0999"
