"""Open one item of a run to an auditor: what was asked and answered, with the proof that the run signed it."""

from typing import Literal

from aloi.assurance.folder import RunFolder
from aloi.errors import AskerError
from aloi.evidence.bundle import read as read_bundle
from aloi.evidence.canonical import canonical
from aloi.evidence.commitments import Part, reveal
from aloi.evidence.items import sample_of, verify_item
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.records import BenignRate, Finding, Hunt
from aloi.evidence.verification import VerifiedClaim, verify_bundle
from aloi.science.trials import TrialLog, named, texts
from aloi.translation import N_

BENIGN = "benign"
BOTH: frozenset[Part] = frozenset({"prompt", "answer"})


def open_item(
    folder: RunFolder,
    hazard: str,
    number: int,
    *,
    stage: Literal["measure", "confirm"] = "measure",
    hunt: bool = False,
    parts: frozenset[Part] = BOTH,
) -> bytes:
    """The file of one item: the trial `number`, from 1 on, behind what the run's bundle says of a hazard, or 'benign'.

    Raises AskerError where there is no such claim or trial, or the run sealed nothing, and EvidenceError
    ('not-included') where the log is no longer what was signed.
    """
    secret = folder.secret()
    if not secret:
        raise AskerError(
            N_("the run in {folder} sealed no items: it was begun by an earlier version"),
            remedy=N_("measure again to have items that can be opened"),
            folder=folder.path,
        )
    claim = _claim(folder, hazard, stage, hunt=hunt)
    with TrialLog(folder.trials, secret) as log:
        seals = log.seals("hunt" if hunt else stage, hazard, _arm(log, claim) if hunt else None)
        if not 1 <= number <= len(seals):
            raise AskerError(
                N_("there is no item {number} of {hazard}: items run from 1 to {count}"),
                remedy=N_("name one of them"),
                number=number,
                hazard=hazard,
                count=len(seals),
            )
        trial = log.get(seals[number - 1][0])
    opening = reveal(secret, named(trial.key), *texts(trial), [each for _, each in seals], number - 1, parts=parts)
    data = canonical(opening)
    verify_item(data, [claim])
    return data


def _claim(folder: RunFolder, hazard: str, stage: str, *, hunt: bool) -> VerifiedClaim:
    """What the bundle says of the hazard at that stage."""
    key = PublicKey.from_pem(read_bundle(folder.public_key))
    claims = verify_bundle(read_bundle(folder.bundle), [key]).claims
    kinds = (Hunt,) if hunt else (Finding, BenignRate)
    known: list[str] = []
    for claim in claims:
        if isinstance(claim.record, kinds):
            about = getattr(claim.record, "hazard", BENIGN)
            if (about, claim.record.stage) == (hazard, stage):
                return claim
            known.append(f"{about} --stage {claim.record.stage}")
    raise AskerError(
        N_("the bundle says nothing of {hazard} at the stage {stage}; it speaks of: {known}"),
        remedy=N_("name one of these"),
        hazard=hazard,
        stage=stage,
        known=", ".join(known) or "-",
    )


def _arm(log: TrialLog, claim: VerifiedClaim) -> str:
    """The arm that a hunt was made on: the one whose trials are those that it signed."""
    assert isinstance(claim.record, Hunt)
    hazard, sample = claim.record.hazard, sample_of(claim)
    arms = sorted({key.arm for key, _ in log.seals("hunt", hazard)})
    return next((arm for arm in arms if log.sample("hunt", hazard, arm) == sample), arms[0] if arms else "")
