"""Hands out what no guard read so that nobody but this gateway can read it, and takes it back."""

import base64
import os

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_MARK = "aloi."
# Bytes. Shorter secrets ("EMPTY", "sk-1234", as servers of local models have them) are guessed: what is sealed tells
# whether a guess is right.
ENOUGH = 32


class Seal:
    """Encrypts and authenticates (Fernet: AES-128-CBC, HMAC-SHA256). What it made is URL-safe base64 behind a mark."""

    def __init__(self, secret: bytes = b"") -> None:
        """Who has the same `secret` opens it too, such as this gateway after a new start.

        Without one of `ENOUGH` bytes, nobody else does.
        """
        hashed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"aloi gateway seal")
        self._box = Fernet(base64.urlsafe_b64encode(hashed.derive(secret if len(secret) >= ENOUGH else os.urandom(32))))

    def closed(self, plain: bytes) -> str:
        """What only this seal opens."""
        return _MARK + self._box.encrypt(plain).decode()

    def opened(self, sealed: str) -> bytes | None:
        """What was closed; None for what another made, or somebody changed."""
        try:
            return self._box.decrypt(sealed.removeprefix(_MARK).encode(errors="replace"))
        except InvalidToken:
            return None


def is_ours(sealed: object) -> bool:
    """Whether a text has the mark of a gateway's seal."""
    return isinstance(sealed, str) and sealed.startswith(_MARK)
