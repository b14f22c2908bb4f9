"""One byte form for one value (RFC 8785, JSON Canonicalization Scheme), and its digest."""

import hashlib

import msgspec
import rfc8785

from aloi.errors import EvidenceError
from aloi.translation import N_


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of a record or plain value; a Decimal becomes its string.

    Raises EvidenceError ('not-canonical') for what JSON cannot carry exactly: NaN, integers beyond 2^53 - 1, lone
    surrogates, unknown types.
    """
    try:
        return rfc8785.dumps(msgspec.to_builtins(value))
    except (rfc8785.CanonicalizationError, TypeError, RecursionError) as error:
        raise EvidenceError(
            N_("this value has no canonical form: {problem}"),
            reason="not-canonical",
            remedy=N_("tell the one who signed it: it must be signed anew with exact numbers"),
            problem=str(error),
        ) from error


def canonical_texts(record: msgspec.Struct) -> bytes:
    """As `canonical`, sooner, for a record of nothing but texts: where no text needs an escape, both write the same."""
    try:
        data = msgspec.json.encode(record, order="sorted")
    except UnicodeEncodeError:  # a lone surrogate, which `canonical` refuses
        return canonical(record)
    return data if data.isascii() and b"\\" not in data and b"\x7f" not in data else canonical(record)


def digest(data: bytes) -> str:
    """`sha256:<64 hex>` of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
