"""Keys that sign, and their files: PKCS#8 PEM, readable by their owner alone, never overwritten."""

import os
import stat
from pathlib import Path

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from aloi.errors import AskerError, UnknownName
from aloi.evidence.publickeys import ALGORITHMS, PublicKey
from aloi.translation import N_

__all__ = ["ALGORITHMS", "PrivateKey", "PublicKey", "load", "load_public", "save"]

Supported = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA44PrivateKey
_LIMIT = 65536


class PrivateKey:
    """A key that signs. It shows its public half only: no repr, error or pickle holds the secret."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Supported) -> None:
        """Wrap a private key of `cryptography`. Raises EvidenceError ('unknown-algorithm') for other curves."""
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @classmethod
    def generate(cls, algorithm: str = "ed25519") -> "PrivateKey":
        """A fresh key: 'ed25519', 'p256' or 'ml-dsa-44'. Raises UnknownName, or AskerError where it is not at hand."""
        try:
            match algorithm:
                case "ed25519":
                    return cls(ed25519.Ed25519PrivateKey.generate())
                case "p256":
                    return cls(ec.generate_private_key(ec.SECP256R1()))
                case "ml-dsa-44":
                    return cls(mldsa.MLDSA44PrivateKey.generate())
        except UnsupportedAlgorithm:
            raise _unsupported(algorithm) from None
        raise UnknownName(N_("key algorithm"), algorithm, ALGORITHMS)

    @property
    def algorithm(self) -> str:
        """One of `ALGORITHMS`."""
        return self.public.algorithm

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`: raw for Ed25519 and ML-DSA-44, DER for P-256 (ECDSA with SHA-256)."""
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(data, ec.ECDSA(hashes.SHA256()))
        return self._key.sign(data)

    def pem(self, passphrase: bytes | None = None) -> bytes:
        """PKCS#8 PEM, encrypted where a passphrase is given. This is the secret itself."""
        protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)

    @classmethod
    def from_pem(cls, data: bytes, passphrase: bytes | None = None) -> "PrivateKey":
        """Raises AskerError: not a private key, passphrase missing, wrong or not needed, or another algorithm."""
        try:
            key = load_pem_private_key(data, passphrase or None)
        except TypeError:
            raise _passphrase_mistake(given=bool(passphrase)) from None
        except UnsupportedAlgorithm:
            raise _unsupported("-") from None
        except (ValueError, InternalError):  # its text may quote the file: `from None` keeps it out of every trace
            raise AskerError(
                N_("this private key cannot be opened: the passphrase is wrong or the file is damaged"),
                remedy=N_("check the passphrase, or restore the file from your backup"),
            ) from None
        if not isinstance(key, Supported):
            raise _unsupported(type(key).__name__)
        return cls(key)

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.id})"


def save(key: PrivateKey, path: Path, passphrase: bytes | None = None) -> None:
    """Write the private key to a new file of mode 0600. Raises AskerError where the file exists or cannot be made."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise AskerError(
            N_("{path} exists already; a key is never overwritten"),
            remedy=N_("choose another name, or move the old key away first"),
            path=path,
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(key.pem(passphrase))
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        path.unlink(missing_ok=True)  # half a key is no key
        raise _unwritable(path, error) from error


def load(path: Path, passphrase: bytes | None = None) -> PrivateKey:
    """Read a private key. Raises AskerError where others than its owner may read the file, and as `from_pem`."""
    try:
        # what is checked is the open file, not its name; a pipe in its place must not hold us up
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123 - Path opens names only
            _require_private(path, os.fstat(file.fileno()))
            return PrivateKey.from_pem(file.read(_LIMIT), passphrase)
    except OSError as error:
        raise _unreadable(path, error) from error


def load_public(path: Path) -> PublicKey:
    """Read a public key. Raises AskerError where the file cannot be read, EvidenceError as `PublicKey.from_pem`."""
    try:
        return PublicKey.from_pem(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error) from error


def _require_private(path: Path, status: os.stat_result) -> None:
    if status.st_mode & 0o077 or not stat.S_ISREG(status.st_mode):
        raise AskerError(
            N_("the private key {path} can be read or changed by others (mode {mode})"),
            remedy=N_("run `chmod 600 {path}`; if others had access, make a new key"),
            path=path,
            mode=f"{stat.S_IMODE(status.st_mode):04o}",
        )


def _unreadable(path: Path, error: OSError) -> AskerError:
    return AskerError(
        N_("the key file {path} cannot be read: {problem}"),
        remedy=N_("check the name of the file"),
        path=path,
        problem=error.strerror or error,
    )


def _unwritable(path: Path, error: OSError) -> AskerError:
    return AskerError(
        N_("the key file {path} cannot be written: {problem}"),
        remedy=N_("choose a folder you may write to"),
        path=path,
        problem=error.strerror,
    )


def _unsupported(algorithm: str) -> AskerError:
    return AskerError(
        N_("keys of the kind {algorithm} cannot be used here; known: {known}"),
        remedy=N_("make one with `aloi keys new`"),
        algorithm=algorithm,
        known=", ".join(ALGORITHMS),
    )


def _passphrase_mistake(*, given: bool) -> AskerError:
    if given:
        return AskerError(
            N_("a passphrase was given, but this private key is not encrypted"),
            remedy=N_("leave ALOI_KEY_PASSPHRASE out"),
        )
    return AskerError(N_("this private key is encrypted"), remedy=N_("give its passphrase in ALOI_KEY_PASSPHRASE"))
