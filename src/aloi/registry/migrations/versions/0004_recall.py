"""Digests by which statements are known again stand beside their entries, and are found by keys in layers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PAGE = 10_000
BITS = 45
LAST = 3 << BITS


def upgrade() -> None:
    """Make the tables, and fill them from the one that was."""
    op.rename_table("submissions", "submissions_by_digest")
    if op.get_context().dialect.name != "sqlite":  # names of constraints stay with a table; SQLite has none here
        op.execute("ALTER TABLE submissions_by_digest RENAME CONSTRAINT submissions_pkey TO submissions_by_digest_pkey")
    submissions = op.create_table(
        "submissions",
        sa.Column("idx", NUMBER, sa.ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("signer", sa.Integer, sa.ForeignKey("signers.id"), nullable=False),
    )
    keys = op.create_table(
        "submission_keys",
        sa.Column("key", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("idx", NUMBER, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    old = sa.table("submissions_by_digest", sa.column("digest"), sa.column("signer"), sa.column("idx"))
    connection = op.get_bind()
    columns = [submissions.c.idx, submissions.c.digest, submissions.c.signer]
    connection.execute(
        submissions.insert().from_select(columns, sa.select(old.c.idx, old.c.digest, old.c.signer).order_by(old.c.idx))
    )
    place = sa.tuple_(old.c.digest, old.c.signer)
    after: tuple[bytes, int] = (b"", 0)
    pages = sa.select(old).order_by(old.c.digest, old.c.signer).limit(PAGE)
    while found := connection.execute(pages.where(place > after)).all():
        after = (found[-1].digest, found[-1].signer)
        rows = sorted((LAST + (int.from_bytes(row.digest) >> 256 - BITS), row.idx) for row in found)
        connection.execute(keys.insert(), [{"key": key, "idx": idx} for key, idx in rows])
    op.drop_table("submissions_by_digest")
