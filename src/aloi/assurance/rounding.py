"""Take part in a blind round: fix what one found in a registry, and tell it once all have, or the day has passed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from aloi.assurance.stating import SEAL, Seal, keep, kept, now, salt, signed
from aloi.errors import AskerError
from aloi.evidence import bundle as bundles
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import digest
from aloi.evidence.commitments import commit
from aloi.evidence.fields import moment
from aloi.evidence.loggedstatements import LoggedStatement, read_logged
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.evidence.records import Finding, HazardPlan, Plan
from aloi.evidence.roster import read_rosters
from aloi.evidence.rounds import ROUND, Part, Round, RoundState, Taking, read_round
from aloi.evidence.statement import Subject
from aloi.evidence.status import Statuses, read_statuses
from aloi.evidence.trustpolicy import Policy
from aloi.evidence.verification import VerifiedClaim, verify_bundle
from aloi.evidence.vouching import STATEMENT, Commitment, Replication, Sealed
from aloi.registry.sharing import find, share
from aloi.translation import N_


class Venue(NamedTuple):
    """Where a round is held, and whom its answers have to convince."""

    url: str
    policy: Policy


class Mine(NamedTuple):
    """Who takes part here: a key, the words of its organisation, a verified bundle, the folder of what was sealed."""

    key: SigningKey
    organisation: str
    bundle: bytes
    folder: Path


class Seen(NamedTuple):
    """A round by what its log holds, proved to be all."""

    state: RoundState
    statuses: Statuses


async def look(round_: Round, venue: Venue, seconds: float, keys: Sequence[PublicKey] = ()) -> Seen:
    """Where the round stands. Raises RegistryError, EvidenceError as `find`, AskerError where it is another log."""
    found = [await find(venue.url, each, venue.policy) for each in (round_.digest, round_.system)]
    for each in found:
        if each.complete.origin != round_.log:
            raise AskerError(
                N_("{url} shows the log {got}; the round is held in {expected}"),
                remedy=N_("name the registry of that log"),
                url=venue.url,
                got=each.complete.origin,
                expected=round_.log,
            )
    held = {one.index: one for each in found for one in each.held}
    read, _ = read_logged(held.values(), [*keys, *(key for each in found for key in each.keys)])
    statuses = read_statuses(read, read_rosters(read))
    return Seen(read_round(round_, statuses, int(seconds)), statuses)


async def fix(round_: Round, mine: Mine, venue: Venue, seconds: float) -> RoundState:
    """Commit to the findings of a bundle, one commitment for each hazard, and log that.

    What was sealed before is not sealed again: to do the same once more changes nothing. Raises AskerError where the
    key does not take part, a finding is missing, it is too late, or somebody's finding can be read already.
    """
    findings = _findings(round_, mine)
    before = await look(round_, venue, seconds)
    _check_blind(round_, before, findings, seconds)
    envelopes = [_fixed(each, round_, mine) for each in findings]
    for each, shared in zip(findings, await share(venue.url, envelopes, venue.policy), strict=True):
        proof = _path(mine.folder, each, "tlog-proof")
        if not proof.exists():
            proof.write_bytes(shared.proof)
    return (await look(round_, venue, seconds)).state


async def tell(round_: Round, mine: Mine, venue: Venue, seconds: float) -> RoundState:
    """Publish the findings that were fixed, and sign that they repeat blindly what others told.

    Nothing is published while others may still commit. Raises AskerError where nothing was fixed, or something else.
    """
    findings = _findings(round_, mine)
    seals = {each.envelope: _seal(each, mine.folder) for each in findings}
    seen = await look(round_, venue, seconds)
    if not _own(seen.state, mine.key).committed:
        raise AskerError(
            N_("the log {log} holds no commitment of this key for every hazard of the round"),
            remedy=N_("commit first: `aloi round commit`"),
            log=round_.log,
        )
    if seen.state.phase == "committing":
        return seen.state
    opened, _ = bundles.unpack(mine.bundle)
    await share(venue.url, [dsse.write(each) for each in (*opened.envelopes, opened.manifest)], venue.policy)
    seen = await look(round_, venue, seconds)
    repeats = [dsse.write(each) for each in _repeats(seen, mine, seals)]
    if repeats:
        await share(venue.url, repeats, venue.policy)
    return (await look(round_, venue, seconds)).state


def _findings(round_: Round, mine: Mine) -> list[VerifiedClaim]:
    """The bundle's finding on each hazard, in the round's order, signed by the key that takes part."""
    key = mine.key.public
    if key.id not in {each.key for each in round_.participants}:
        raise AskerError(
            N_("the key {key} does not take part in this round"),
            remedy=N_("sign with the key that the round names, or ask whoever opened it for another round"),
            key=key.id,
        )
    claims = {
        claim.record.hazard: claim
        for claim in verify_bundle(mine.bundle, [key]).claims
        if isinstance(claim.record, Finding)
        and claim.record.stage == "measure"
        and claim.subject[0].fingerprint == round_.system
    }
    missing = [each for each in round_.hazards if each not in claims]
    if missing:
        raise AskerError(
            N_("the bundle holds no finding for {hazards} on {system}"),
            remedy=N_("give a bundle with a finding on each hazard of the round"),
            hazards=", ".join(missing),
            system=round_.system,
        )
    return [claims[each] for each in round_.hazards]


def _check_blind(round_: Round, seen: Seen, findings: Sequence[VerifiedClaim], seconds: float) -> None:
    if seconds >= moment(round_.commit_by):
        raise AskerError(
            N_("the round took commitments until {time}"),
            remedy=N_("open another round; what was measured can still be shared"),
            time=round_.commit_by,
        )
    for each in seen.state.taking:
        if any(part.finding for part in each.parts):
            raise AskerError(
                N_("a finding of this round can be read in the log already, by {who}: nothing is blind any more"),
                remedy=N_("share yours as it is, or open another round"),
                who=each.participant.name,
            )
    if any(each.envelope in seen.statuses.statements for each in findings):
        raise AskerError(
            N_("your finding can be read in the log already: to fix it now shows nothing"),
            remedy=N_("take part with a run that you have not shared"),
        )


def _path(folder: Path, finding: VerifiedClaim, ending: str) -> Path:
    assert isinstance(finding.record, Finding)
    return folder / f"{finding.record.hazard}.{ending}"


def _fixed(finding: VerifiedClaim, round_: Round, mine: Mine) -> bytes:
    """The signed commitment to a finding: the one that was made before, or a new one with its seal beside it."""
    path = _path(mine.folder, finding, "dsse.json")
    if path.exists():
        _seal(finding, mine.folder)
        return dsse.write(dsse.read(bundles.read(path)))
    drawn = salt()
    envelope = dsse.write(
        signed(
            lambda: Commitment(
                organisation=mine.organisation, at=now(), commitment=commit(finding.envelope, drawn, "statement")
            ),
            [finding.subject[0], Subject.of(ROUND, round_.digest)],
            mine.key,
        )
    )
    seal = Seal(format=SEAL, commitment=digest(envelope), salt=drawn, text=finding.envelope)
    keep(seal, _path(mine.folder, finding, "seal.json"))
    bundles.write(envelope, path)
    return envelope


def _seal(finding: VerifiedClaim, folder: Path) -> Seal:
    path = _path(folder, finding, "seal.json")
    seal = kept(path)
    if seal.text != finding.envelope:
        raise AskerError(
            N_("{file} seals another finding than the one in this bundle"),
            remedy=N_("give the bundle to which you committed: another one cannot be told in its place"),
            file=path,
        )
    return seal


def _own(state: RoundState, key: SigningKey) -> Taking:
    return next(each for each in state.taking if each.participant.key == key.public.id)


def _repeats(seen: Seen, mine: Mine, seals: dict[str, Seal]) -> Iterator[dsse.Envelope]:
    """What shows that our findings repeat those which others told, where we have not said so yet."""
    own = {part.hazard: part for part in _own(seen.state, mine.key).parts}
    for each in seen.state.taking:
        for part in each.parts:
            here = own[part.hazard]
            if each.participant.key == mine.key.public.id or not part.finding or here.finding not in seals:
                continue
            repeated = {one.finding for one in seen.statuses.statements[part.finding].replications}
            if here.finding not in repeated:
                yield _repeat(here, part, seen.statuses, mine, seals[here.finding])


def _repeat(here: Part, other: Part, statuses: Statuses, mine: Mine, seal: Seal) -> dsse.Envelope:
    planned = [_planned(statuses.statements[each].logged, statuses) for each in (here.finding, other.finding)]
    exact = planned[0] is not None and planned[0] == planned[1]
    return signed(
        lambda: Replication(
            organisation=mine.organisation,
            at=now(),
            of=other.finding,
            kind="exact" if exact else "conceptual",
            sealed=Sealed(commitment=seal.commitment, salt=seal.salt),
        ),
        [Subject.of(STATEMENT, here.finding), Subject.of(STATEMENT, other.finding)],
        mine.key,
    )


def _planned(finding: LoggedStatement, statuses: Statuses) -> HazardPlan | None:
    """What the plan of a finding says of its hazard; None where the log does not hold the plan."""
    assert isinstance(finding.record, Finding)
    plans = (each.logged.record for each in statuses.statements.values() if each.logged.statement == finding.plan)
    hazard = finding.record.hazard
    return next((one for plan in plans if isinstance(plan, Plan) for one in plan.hazards if one.hazard == hazard), None)


def clock() -> float:
    """This moment, in POSIX seconds."""
    return datetime.now(UTC).timestamp()
