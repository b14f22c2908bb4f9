"""What a law wants to know of a system and of the one who answers for it: six things, none of which it guesses."""

from datetime import date
from typing import Literal

from msgspec import Struct

LegalRole = Literal[
    "provider",
    "deployer",
    "importer",
    "distributor",
    "authorised-representative",
    "product-manufacturer",
    "gpai-provider",
    "gpai-systemic-provider",
    "notified-body",
]
LegalClass = Literal[
    "prohibited",
    "hr-annex3",
    "hr-annex1-A",
    "hr-annex1-B",
    "annex3-not-high-risk",
    "transparency",
    "gpai",
    "gpai-systemic",
]


class Regulation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The six inputs on which the law that applies depends, each of them None as long as nobody said.

    `roles` are those of the owner towards the system; `classes` are those of Regulation (EU) 2024/1689, and may be
    none at all. `day` is the day that is asked about. `placed` is the day on which the first unit of this type and
    model was lawfully on the market or in service. `redesigned` says whether its design changed significantly since
    the cut-off of its class; `public_authorities` whether public authorities are meant to use it.
    """

    roles: tuple[LegalRole, ...] | None = None
    classes: tuple[LegalClass, ...] | None = None
    day: date | None = None
    placed: date | None = None
    redesigned: bool | None = None
    public_authorities: bool | None = None
