"""What a law wants to know of a system and of the one who answers for it, none of which it guesses."""

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


class Circumstances(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What decides beside role, class and day, each None as long as nobody said.

    `placed` is the day on which the first unit of this type and model was lawfully on the market or in service.
    `redesigned` says whether its design changed significantly since the cut-off of its class; `public_authorities`
    whether public authorities are meant to use it; `annex_x` whether it is a component of a large-scale IT system of
    Annex X. The others say what Article 50 asks of a system: whether it deals directly with people (50(1)), makes
    synthetic audio, image, video or text (50(2)), recognises emotions or sorts people by biometrics (50(3)), makes
    deep fakes, or text that informs the public on matters of public interest (50(4)).
    """

    placed: date | None = None
    redesigned: bool | None = None
    public_authorities: bool | None = None
    annex_x: bool | None = None
    interacts: bool | None = None
    generates: bool | None = None
    emotions_or_biometrics: bool | None = None
    deep_fakes: bool | None = None
    informs_public: bool | None = None


Practice = Literal["interacts", "generates", "emotions_or_biometrics", "deep_fakes", "informs_public"]


class Regulation(Circumstances, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The inputs on which the law that applies depends, each of them None as long as nobody said.

    `roles` are those of the owner towards the system; `classes` are those of Regulation (EU) 2024/1689, and may be
    none at all. `day` is the day that is asked about.
    """

    roles: tuple[LegalRole, ...] | None = None
    classes: tuple[LegalClass, ...] | None = None
    day: date | None = None
