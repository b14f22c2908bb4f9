"""When and why the payload of an entry was erased."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "erasures",
        sa.Column("idx", NUMBER, sa.ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
