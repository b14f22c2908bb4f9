"""Base64 with one spelling per value, so that no character of an envelope can change unseen."""

import binascii

from aloi.errors import EvidenceError
from aloi.translation import N_


def to_base64(data: bytes) -> str:
    """RFC 4648 section 4, with padding, on one line."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def from_base64(text: str, what: str) -> bytes:
    """The bytes behind `text`; `what` names the field. Raises EvidenceError ('bad-base64').

    DSSE lets a verifier take the URL-safe alphabet as well; we take the standard one alone (RFC 4648 section 3.5:
    trailing bits zero, padding present), because two spellings of one envelope would be two digests of one proof.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise _refusal(what) from error
    if to_base64(data) != text:
        raise _refusal(what)
    return data


def _refusal(what: str) -> EvidenceError:
    return EvidenceError(
        N_("the field {what} is not base64 in its one canonical spelling"),
        reason="bad-base64",
        remedy=N_("the evidence is damaged or was re-written: obtain it again from its author"),
        what=what,
    )
