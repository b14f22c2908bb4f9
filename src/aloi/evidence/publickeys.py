"""Keys that verify: Ed25519 first, P-256 and ML-DSA-44 beside it.

A public key has exactly one encoding here, its SubjectPublicKeyInfo DER, and one name, `<algorithm>:<sha256 of that
DER in hex>`. For these three algorithms the DER is a fixed prefix and the raw key, so nothing needs a DER parser.
"""

import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.encoding import to_base64
from aloi.translation import N_

_ECDSA = ec.ECDSA(hashes.SHA256())
# Possessive, so that hostile text costs linear time.
_PEM = re.compile(rb"-----BEGIN ([A-Z ]++)-----\s++([A-Za-z0-9+/=][A-Za-z0-9+/=\s]*+)-----END \1-----")


class _Scheme(NamedTuple):
    prefix: bytes
    size: int
    load: Callable[[bytes], object]


def _p256(point: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


_SCHEMES: Mapping[str, _Scheme] = MappingProxyType(
    {
        # RFC 8410 section 4
        "ed25519": _Scheme(bytes.fromhex("302a300506032b6570032100"), 32, ed25519.Ed25519PublicKey.from_public_bytes),
        # RFC 5480 section 2.1.1; the raw key is the uncompressed point, 04 || x || y
        "p256": _Scheme(bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"), 65, _p256),
        # RFC 9881 section 4
        "ml-dsa-44": _Scheme(
            bytes.fromhex("30820532300b06096086480165030403110382052100"),
            1312,
            mldsa.MLDSA44PublicKey.from_public_bytes,
        ),
    }
)
ALGORITHMS = tuple(_SCHEMES)


def _scheme(der: bytes) -> tuple[str, _Scheme]:
    for algorithm, scheme in _SCHEMES.items():
        if der.startswith(scheme.prefix) and len(der) == len(scheme.prefix) + scheme.size:
            return algorithm, scheme
    raise EvidenceError(
        N_("this public key is of an unknown algorithm; known: {known}"),
        reason="unknown-algorithm",
        remedy=N_("ask the signer for a key of a known algorithm, or use a newer release of Aloi"),
        known=", ".join(ALGORITHMS),
    )


class PublicKey:
    """A key that verifies. `id` names it, `algorithm` is one of `ALGORITHMS`, `der` is its SubjectPublicKeyInfo."""

    __slots__ = ("_key", "algorithm", "der", "id")

    def __init__(self, der: bytes) -> None:
        """From SubjectPublicKeyInfo DER. Raises EvidenceError: 'unknown-algorithm' or 'invalid-key'."""
        algorithm, scheme = _scheme(der)
        try:
            self._key = scheme.load(der[len(scheme.prefix) :])
        except UnsupportedAlgorithm:
            raise EvidenceError(
                N_("this machine's cryptography cannot verify {algorithm}"),
                reason="unsupported-algorithm",
                remedy=N_("install a newer release of the package cryptography"),
                algorithm=algorithm,
            ) from None
        except ValueError as error:
            raise EvidenceError(
                N_("this public key is not a point of its curve"),
                reason="invalid-key",
                remedy=N_("obtain the evidence again from its author"),
            ) from error
        self.algorithm = algorithm
        self.der = bytes(der)
        self.id = f"{algorithm}:{hashlib.sha256(der).hexdigest()}"

    @classmethod
    def from_raw(cls, algorithm: str, raw: bytes) -> "PublicKey":
        """From the bare key of one of `ALGORITHMS`. Raises EvidenceError: 'key-size' or 'invalid-key'."""
        scheme = _SCHEMES[algorithm]
        if len(raw) != scheme.size:
            raise EvidenceError(
                N_("a key of {algorithm} has {expected} bytes; this one has {got}"),
                reason="key-size",
                remedy=N_("obtain the key again from its owner"),
                algorithm=algorithm,
                expected=scheme.size,
                got=len(raw),
            )
        return cls(scheme.prefix + raw)

    @property
    def raw(self) -> bytes:
        """The bare key, without what names its algorithm."""
        return self.der[len(_SCHEMES[self.algorithm].prefix) :]

    @classmethod
    def from_pem(cls, data: bytes) -> "PublicKey":
        """From the text of a key file (RFC 7468, `PUBLIC KEY`). Raises AskerError where it holds something else."""
        found = _PEM.findall(data[:65536])
        if len(found) != 1 or found[0][0] != b"PUBLIC KEY":
            got = ", ".join(label.decode() for label, _ in found) or "-"
            raise AskerError(
                N_("this file does not hold exactly one public key; it holds: {got}"),
                remedy=N_("give the signer's public key, a file that begins with -----BEGIN PUBLIC KEY-----"),
                got=got,
            )
        try:
            return cls(binascii.a2b_base64(found[0][1]))
        except binascii.Error as error:
            raise AskerError(N_("this public key file is damaged"), remedy=N_("obtain it again")) from error

    def pem(self) -> bytes:
        """The text of a key file."""
        body = to_base64(self.der)
        lines = [body[start : start + 64] for start in range(0, len(body), 64)]
        return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]).encode()

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises EvidenceError ('bad-signature') unless this key signed exactly `data`."""
        try:
            if isinstance(self._key, ec.EllipticCurvePublicKey):
                self._key.verify(signature, data, _ECDSA)
            elif isinstance(self._key, ed25519.Ed25519PublicKey | mldsa.MLDSA44PublicKey):
                self._key.verify(signature, data)
        except InvalidSignature:
            raise EvidenceError(
                N_("the signature by {key} does not fit: what was signed has been changed"),
                reason="bad-signature",
                remedy=N_("obtain the evidence again from its author"),
                key=self.id,
            ) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"PublicKey({self.id})"


class SigningKey(Protocol):
    """What signs: a private key in memory, or later an agent, a token or a key service."""

    @property
    def public(self) -> PublicKey:
        """The key that verifies what this one signs."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`."""
        ...
