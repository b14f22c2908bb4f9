"""The tables of a log, alike in SQLite and PostgreSQL. `migrations/` makes them; a test holds the two together.

`entries` and `tiles` are for ever. `payloads` can be emptied, row by row, without touching them. The index stands at
the published checkpoint, which `index_taken` names by its size. Times are POSIX seconds.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

REVISION = "0005"

_Number = BigInteger().with_variant(Integer(), "sqlite")  # SQLite: only INTEGER is the row's own number

metadata = MetaData()

log = Table(
    "log",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_log"), primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
)

signers = Table(
    "signers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

entries = Table(
    "entries",
    metadata,
    Column("idx", _Number, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("signer", Integer, ForeignKey("signers.id"), nullable=False),
    Column("received", _Number, nullable=False),
)

payloads = Table(
    "payloads",
    metadata,
    Column("idx", _Number, ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
    Column("envelope", LargeBinary),
)

erasures = Table(
    "erasures",
    metadata,
    Column("idx", _Number, ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
    Column("at", _Number, nullable=False),
    Column("reason", Text, nullable=False),
)

# By which the same statement, signed by the same, is known again: digest of the payload, and who signed.
submissions = Table(
    "submissions",
    metadata,
    Column("idx", _Number, ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("signer", Integer, ForeignKey("signers.id"), nullable=False),
)

# No foreign key: each move from layer to layer would look for an entry anywhere in the log.
submission_keys = Table(
    "submission_keys",
    metadata,
    Column("key", _Number, primary_key=True, autoincrement=False),
    Column("idx", _Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

tiles = Table(
    "tiles",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("idx", _Number, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("time", _Number, nullable=False),
    Column("note", LargeBinary, nullable=False),
)

# `root` is where the tile of the index's root stands, `segment` the number of the next segment: none is used twice.
index_taken = Table(
    "index_taken",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_index"), primary_key=True, autoincrement=False),
    Column("size", _Number, nullable=False),
    Column("subjects", _Number, nullable=False),
    Column("root", _Number),
    Column("segment", _Number, nullable=False),
)

index_segments = Table(
    "index_segments",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=False),
    Column("tiles", LargeBinary, nullable=False),
)

# How many tiles of a segment the index still needs, but for those that `index_left` names since.
index_needed = Table(
    "index_needed",
    metadata,
    Column("segment", _Number, primary_key=True, autoincrement=False),
    Column("tiles", Integer, nullable=False),
)

index_left = Table(
    "index_left",
    metadata,
    Column("segment", _Number, primary_key=True, autoincrement=False),
    Column("tiles", LargeBinary, nullable=False),
)

# The list of a place goes from its last entry, which the index names, to the one `before`, and so on.
index_lists = Table(
    "index_lists",
    metadata,
    Column("idx", _Number, ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
    Column("place", LargeBinary, primary_key=True),
    Column("before", _Number),
    sqlite_with_rowid=False,
)
