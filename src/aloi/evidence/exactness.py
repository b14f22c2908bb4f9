"""What may stand in a signed record: finite decimals of human size, safe integers, no binary float."""

from decimal import Decimal

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.translation import N_

SAFE_INTEGER = 2**53 - 1  # RFC 8785 section 3.2.2.3: beyond it, readers with binary floats disagree
MAGNITUDE = 64


def require_exact(value: object) -> None:
    """Raise EvidenceError ('float' or 'number-out-of-range') where a number in `value` is not exact.

    Decimals are bounded to 64 digits and exponents within ±64, so that no reader is made to write 10^999999 out.
    """
    _walk(msgspec.to_builtins(value, builtin_types=(Decimal,)), "$")


def _walk(value: object, path: str) -> None:
    if isinstance(value, str):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            _walk(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            _walk(item, f"{path}[{position}]")
    elif isinstance(value, float):
        raise EvidenceError(
            N_("{path} is a binary float; a signed number is a decimal string or an integer"),
            reason="float",
            remedy=N_("tell the one who signed it: it must be signed anew with exact numbers"),
            path=shown(path, 160),
        )
    elif isinstance(value, Decimal):
        _require(_plain(value), path)
    elif isinstance(value, int):
        _require(abs(value) <= SAFE_INTEGER, path)


def _plain(value: Decimal) -> bool:
    return value.is_finite() and len(value.as_tuple().digits) <= MAGNITUDE and abs(value.adjusted()) <= MAGNITUDE


def _require(condition: bool, path: str) -> None:
    if not condition:
        raise EvidenceError(
            N_("the number at {path} is not finite or too large to be read alike everywhere"),
            reason="number-out-of-range",
            remedy=N_("tell the one who signed it: it must be signed anew with exact numbers"),
            path=shown(path, 160),
        )
