"""Sign what was monitored, in a bundle of its own; and read from an earlier one what to compare with."""

from collections.abc import Sequence

from aloi.assurance.monitoring.findings import Monitored
from aloi.errors import AskerError
from aloi.evidence import envelope as dsse
from aloi.evidence.bundle import pack
from aloi.evidence.monitoring import Monitoring, Period
from aloi.evidence.publickeys import SigningKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.verification import Verification
from aloi.translation import N_


def packed(found: Sequence[Monitored], key: SigningKey) -> bytes:
    """A bundle of one statement for each, about the system that its guards served."""
    envelopes = [dsse.sign(state(one.finding, [Subject.of(one.system, one.fingerprint)]), key) for one in found]
    return pack(envelopes, [key.public], key)


def periods(earlier: Verification) -> dict[tuple[str, str], Period]:
    """By fingerprint and set of guards, the exchanges of a verified bundle. Raises AskerError where it has none."""
    found = {}
    for claim in earlier.claims:
        one = claim.record
        if isinstance(one, Monitoring) and one.exchanges.screened:
            found[claim.subject[0].fingerprint, one.guard_set] = Period(
                began=one.began,
                ended=one.ended,
                screened=one.exchanges.screened,
                blocked=one.exchanges.blocked,
                statement=claim.envelope,
            )
    if not found:
        raise AskerError(
            N_("the bundle to compare with tells of no traffic"),
            remedy=N_("name one that `aloi measure --traffic` wrote"),
        )
    return found
