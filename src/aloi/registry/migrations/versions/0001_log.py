"""A log: its entries, their payloads apart from them, its tiles and its checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "log",
        sa.Column(
            "id", sa.Integer, sa.CheckConstraint("id = 1", name="one_log"), primary_key=True, autoincrement=False
        ),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "signers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "entries",
        sa.Column("idx", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("signer", sa.Integer, sa.ForeignKey("signers.id"), nullable=False),
        sa.Column("received", NUMBER, nullable=False),
    )
    op.create_table(
        "payloads",
        sa.Column("idx", NUMBER, sa.ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
        sa.Column("envelope", sa.LargeBinary),
    )
    op.create_table(
        "submissions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("signer", sa.Integer, sa.ForeignKey("signers.id"), primary_key=True, autoincrement=False),
        sa.Column("idx", NUMBER, sa.ForeignKey("entries.idx"), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tiles",
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("idx", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("time", NUMBER, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
    )
