"""What an organisation says of itself: its name, its domain, its keys, and how it stands to what it evaluates."""

from typing import Annotated, Literal

from msgspec import Meta

from aloi.errors import EvidenceError
from aloi.evidence.canonical import digest
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.fields import Digest, Domain, DomainOrAny, KeyId, Name, Text, Time, moment
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import Record
from aloi.translation import N_

ORGANISATION = "organisation"
ANYTHING = "*"

Revocation = Literal["compromised", "superseded", "retired", "other"]


class RosterKey(Record, frozen=True, kw_only=True):
    """A key that speaks for the organisation from `valid_from` on, to `valid_until` or for as long as it is listed.

    `public_key` is its SubjectPublicKeyInfo DER in base64. `revoked_at` is when it stopped, `revocation` says why.
    """

    id: KeyId
    public_key: Annotated[str, Meta(max_length=4_096)]
    valid_from: Time
    valid_until: Time | None = None
    revoked_at: Time | None = None
    revocation: Revocation | None = None

    def __post_init__(self) -> None:
        start = moment(self.valid_from)
        if self.valid_until is not None and moment(self.valid_until) <= start:
            raise ValueError(N_("the key's time ends before it begins"))
        if self.revoked_at is not None:
            moment(self.revoked_at)
        if (self.revoked_at is None) != (self.revocation is None):
            raise ValueError(N_("a revoked key tells when and why"))

    @classmethod
    def of(cls, key: PublicKey, valid_from: str, valid_until: str | None = None) -> "RosterKey":
        """A key that stands."""
        return cls(id=key.id, public_key=to_base64(key.der), valid_from=valid_from, valid_until=valid_until)

    def key(self) -> PublicKey:
        """The key itself. Raises EvidenceError: 'bad-base64', 'key-id', or as `PublicKey`."""
        key = PublicKey(from_base64(self.public_key, "public_key"))
        if key.id != self.id:
            raise EvidenceError(
                N_("the key listed as {id} is {got}"),
                reason="key-id",
                remedy=N_("ask the organisation to list its keys anew"),
                id=self.id,
                got=key.id,
            )
        return key


class Relation(Record, frozen=True, kw_only=True):
    """How the organisation stands to whoever runs or builds the systems that it evaluates.

    `to` is their domain, or `*` for everybody else. `kind` has the words of Every Eval Ever 0.3
    (`evaluator_relationship`); `access` those of Casper et al. 2024, https://arxiv.org/abs/2401.14446. `funding` says
    who pays.
    """

    to: DomainOrAny
    kind: Literal["first_party", "third_party", "collaborative", "other"]
    access: Literal["black-box", "grey-box", "white-box", "outside-the-box"]
    funding: Text


class Organisation(Record, frozen=True, kw_only=True):
    """An organisation and its key roster. The subject is its domain: `organisation_digest`.

    The first statement has the `sequence` 0; each later one names the envelope of the one before as `previous`.
    """

    name: Name
    kind: Literal["public", "private", "academic"]
    domain: Domain
    keys: Annotated[tuple[RosterKey, ...], Meta(min_length=1, max_length=64)]
    relations: Annotated[tuple[Relation, ...], Meta(min_length=1, max_length=64)]
    at: Time
    sequence: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    previous: Digest | None = None

    def __post_init__(self) -> None:
        moment(self.at)
        if (self.sequence == 0) != (self.previous is None):
            raise ValueError(N_("the first statement names none before it, and each later one does"))
        if len({each.id for each in self.keys}) != len(self.keys):
            raise ValueError(N_("a key stands twice"))
        if len({each.to for each in self.relations}) != len(self.relations):
            raise ValueError(N_("a relation is told twice"))


def organisation_digest(domain: str) -> str:
    """The digest by which an organisation is looked up: of its domain's ASCII bytes."""
    return digest(domain.encode("ascii"))
