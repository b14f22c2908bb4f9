"""The index in tiles and chains. Both follow from the entries: `Log.open` takes them in again, up to the size kept."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables anew."""
    kept = op.get_bind().execute(sa.text("SELECT id, size, subjects FROM index_taken")).mappings().all()
    for table in ("index_taken", "index_nodes", "index_lists"):
        op.drop_table(table)
    taken = op.create_table(
        "index_taken",
        sa.Column(
            "id", sa.Integer, sa.CheckConstraint("id = 1", name="one_index"), primary_key=True, autoincrement=False
        ),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("subjects", NUMBER, nullable=False),
        sa.Column("root", NUMBER),
        sa.Column("segment", NUMBER, nullable=False),
    )
    op.bulk_insert(taken, [{**row, "root": None, "segment": 0} for row in kept])
    op.create_table(
        "index_segments",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("tiles", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "index_needed",
        sa.Column("segment", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("tiles", sa.Integer, nullable=False),
    )
    op.create_table(
        "index_left",
        sa.Column("segment", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("tiles", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "index_lists",
        sa.Column("idx", NUMBER, sa.ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
        sa.Column("place", sa.LargeBinary, primary_key=True),
        sa.Column("before", NUMBER),
        sqlite_with_rowid=False,
    )
