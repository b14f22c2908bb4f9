"""The index by subject: its nodes, its lists, and how far it is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "index_taken",
        sa.Column(
            "id", sa.Integer, sa.CheckConstraint("id = 1", name="one_index"), primary_key=True, autoincrement=False
        ),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("subjects", NUMBER, nullable=False),
    )
    op.create_table(
        "index_nodes",
        sa.Column("address", sa.String(256), primary_key=True),
        sa.Column("node", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "index_lists",
        sa.Column("place", sa.LargeBinary, primary_key=True),
        sa.Column("idx", NUMBER, sa.ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
