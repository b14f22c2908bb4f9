"""What single fields of signed records hold: names, texts, digests, points in time, domains."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

# `$` leaves open a newline at the end; the length closes that, or the look ahead where lengths differ.
_DOMAIN = "([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]([a-z0-9-]{0,61}[a-z0-9])"

Digest = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$", max_length=71)]
Hex256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*$(?!\n)", max_length=40)]
KeyId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}:[0-9a-f]{64}$(?!\n)", max_length=105)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=2_000)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Time = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", max_length=20)]
Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10)]
# RFC 1123 section 2.1 and RFC 1035 section 2.3.4, in lower case; other scripts in their ASCII form (RFC 5890).
Domain = Annotated[str, Meta(pattern=rf"^{_DOMAIN}$(?!\n)", max_length=253)]
DomainOrAny = Annotated[str, Meta(pattern=rf"^([*]|{_DOMAIN})$(?!\n)", max_length=253)]


def moment(time: str) -> int:
    """Seconds since 1970 of a `Time`. Raises ValueError for one that no calendar knows."""
    return int(datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
