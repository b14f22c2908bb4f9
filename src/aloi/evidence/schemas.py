"""The JSON Schemas of what is signed, made from the records themselves."""

from typing import Any

import msgspec

from aloi.evidence.bundle import FORMAT, Bundle
from aloi.evidence.envelope import Envelope
from aloi.evidence.evalresults import REPORTS
from aloi.evidence.predicates import CLAIMS, predicate_type
from aloi.evidence.rounds import FORMAT as ROUND_FORMAT
from aloi.evidence.rounds import Round

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File stem to JSON Schema (2020-12), one per edition of a predicate and file format. `$id` is the format's URI.

    A record's cross-field rules (an estimate inside its interval) are not expressible here; `verify_bundle` has them.
    """
    kinds: dict[str, tuple[str, Any]] = {
        **{f"{name}.v1": (predicate_type(name, 1), kind) for name, kind in CLAIMS.items()},
        **{f"{name}.v2": (predicate_type(name, 2), kind) for name, kind in REPORTS.items()},
        "envelope.v1": ("https://aloi.dev/envelope/v1", Envelope),
        "bundle.v1": (FORMAT, Bundle),
        "round.v1": (ROUND_FORMAT, Round),
    }
    return {stem: _schema(uri, kind) for stem, (uri, kind) in kinds.items()}


def _schema(uri: str, kind: Any) -> dict[str, Any]:
    schema = {"$schema": DIALECT, "$id": uri} | msgspec.json.schema(kind)
    # As JSON reads it back: msgspec leaves default values as the records hold them, tuples and enums.
    return msgspec.json.decode(msgspec.json.encode(schema), type=dict[str, Any])
