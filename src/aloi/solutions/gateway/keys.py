"""Who may ask: the keys that the environment holds. They are compared by digest, and shown nowhere."""

from collections.abc import Mapping
from hashlib import sha256

from aloi.errors import AskerError
from aloi.solutions.gateway.failures import Failed
from aloi.system.description import GatewayKey
from aloi.translation import N_

ANYBODY = "anybody"
SHORTEST = 16


class Keys:
    """The keys of one gateway; without any, whoever reaches it may ask."""

    def __init__(self, named: Mapping[bytes, str]) -> None:
        self._named = dict(named)

    def __bool__(self) -> bool:
        return bool(self._named)

    def holder(self, headers: Mapping[bytes, bytes]) -> str:
        """The name of who sends these headers: `Authorization: Bearer …`, or `x-api-key`. Raises Failed: 401."""
        if not self._named:
            return ANYBODY
        given = headers.get(b"x-api-key", b"")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            given = token
        name = self._named.get(sha256(given.strip()).digest())
        if name is None:
            raise Failed(
                401,
                "unknown-key",
                N_("the key is missing, or is none that this gateway knows"),
                remedy=N_("send it as `Authorization: Bearer` or `x-api-key`; whoever runs the gateway hands keys out"),
            )
        return name


def read_keys(described: tuple[GatewayKey, ...], environment: Mapping[str, str]) -> Keys:
    """The keys that the environment holds. Raises AskerError where one is not set, is short, or stands twice."""
    named: dict[bytes, str] = {}
    for one in described:
        value = environment.get(one.env, "").strip()
        if not value.isascii() or not value.isprintable() or len(value) < SHORTEST:
            raise AskerError(
                N_("the environment variable {name} holds no key of the gateway: got {got} characters, needs {least}"),
                remedy=N_("set it to {least} random characters of ASCII at least; `openssl rand -hex 32` prints some"),
                name=one.env,
                got=len(value),
                least=SHORTEST,
            )
        if sha256(value.encode()).digest() in named:
            raise AskerError(
                N_("the environment variable {name} holds the same key as another of the gateway"),
                remedy=N_("give each of `gateway.keys` a key of its own"),
                name=one.env,
            )
        named[sha256(value.encode()).digest()] = one.name
    return Keys(named)
