"""How Alembic reaches the database: over the connection, and in the transaction, that the caller holds."""

from alembic import context

from aloi.registry.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
