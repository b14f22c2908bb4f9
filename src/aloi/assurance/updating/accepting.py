"""Measure an update on texts of one's own; where the figures let it be accepted, sign that and write what may run."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path

from msgspec import Struct, to_builtins

from aloi.assurance.loop import SOFTWARE
from aloi.assurance.stating import now
from aloi.assurance.updating.gathering import Gathered
from aloi.errors import AskerError, EvidenceError
from aloi.evidence import acceptedupdates
from aloi.evidence import envelope as dsse
from aloi.evidence.bundle import read as read_file
from aloi.evidence.canonical import digest
from aloi.evidence.decoding import shown
from aloi.evidence.envelope import Envelope
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.updates import (
    DETECTOR,
    DetectorUpdate,
    LanguageMeasured,
    Measured,
    UpdateAcceptance,
    acceptable,
)
from aloi.evidence.verification import VerifiedClaim, verify_statement
from aloi.evidence.vouching import STATEMENT, Dispute, Withdrawal
from aloi.solutions.catalogue import build
from aloi.solutions.detector import updated
from aloi.solutions.updating.measuring import measured, without
from aloi.solutions.updating.texts import Texts, distinct
from aloi.translation import N_


class Judged(Struct, frozen=True, kw_only=True):
    """What an update changes on somebody's texts, and whether that lets it be accepted.

    `left_out` counts texts that it had learnt from; None where these are not known. `unlearnt` names languages of these
    texts of which it learnt nothing.
    """

    update: DetectorUpdate
    threshold: Decimal
    margin: Decimal
    whole: Measured
    languages: tuple[LanguageMeasured, ...]
    left_out: int | None
    unlearnt: tuple[str, ...]
    accepted: bool


def judge(
    update: DetectorUpdate, given: Gathered, learnt: Collection[str] | None, *, threshold: Decimal, margin: Decimal
) -> Judged:
    """Measure it. Raises WrongBase, and AskerError where attacks or ordinary texts are missing."""
    after = updated(update)
    texts, left_out = without(distinct(given.texts), learnt or ())
    _require(texts)
    whole, languages = measured(texts, after, float(threshold))
    known = {one.language for one in update.languages}
    return Judged(
        update=update,
        threshold=threshold,
        margin=margin,
        whole=whole,
        languages=languages,
        left_out=None if learnt is None else left_out,
        unlearnt=tuple(one.language for one in languages if one.language not in known),
        accepted=acceptable(whole, languages, margin),
    )


def _require(texts: Texts) -> None:
    if not texts.attacks or not texts.ordinary:
        raise AskerError(
            N_(
                "an update is measured on attacks and on ordinary texts that it did not learn from; there are "
                "{attacks} and {ordinary}"
            ),
            remedy=N_("give --attacks and --ordinary with texts of your own"),
            attacks=len(texts.attacks),
            ordinary=len(texts.ordinary),
        )


def acceptance(judged: Judged, given: Gathered) -> UpdateAcceptance:
    """The record of what was accepted; `judged` must be."""
    return UpdateAcceptance(
        at=now(),
        base=judged.update.base,
        remedy=build(DETECTOR, {"threshold": float(judged.threshold), "update": to_builtins(judged.update)}).identity,
        threshold=judged.threshold,
        margin=judged.margin,
        whole=judged.whole,
        languages=judged.languages,
        left_out=judged.left_out,
        corpora=tuple(one.digest for one in given.sources),
        software=SOFTWARE,
    )


def accepted_file(update: Envelope, record: UpdateAcceptance, key: SigningKey) -> tuple[Envelope, bytes]:
    """The signed acceptance of an update, and the file that `remedy_options` names."""
    envelope = dsse.sign(state(record, [Subject.of(STATEMENT, digest(dsse.write(update)))]), key)
    return envelope, acceptedupdates.write(update, envelope, key.public)


def spoken_against(folder: Path, update: VerifiedClaim, trusted: Sequence[PublicKey]) -> int:
    """How many statements in a folder, signed by keys that are trusted, dispute an update; what others say is not read.

    Raises EvidenceError ('withdrawn') where a key that signed the update takes it back.
    """
    signers, disputes = {one.key_id for one in update.signers}, 0
    for path in sorted(folder.glob("*.dsse.json")):
        data = read_file(path)
        try:
            claim = verify_statement(data, trusted)
        except EvidenceError as error:
            if error.reason == "unknown-signer":
                continue
            raise
        if [(one.name, one.fingerprint) for one in claim.subject] != [(STATEMENT, update.envelope)]:
            continue
        if isinstance(claim.record, Withdrawal) and signers & {one.key_id for one in claim.signers}:
            raise EvidenceError(
                N_("the update was withdrawn by who signed it: {text}"),
                reason="withdrawn",
                remedy=N_("do not use it; ask for what takes its place"),
                text=shown(claim.record.text, 300),
            )
        disputes += isinstance(claim.record, Dispute)
    return disputes
