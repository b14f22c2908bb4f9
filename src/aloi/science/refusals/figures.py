"""How often the rule errs: measured on labelled answers that its phrases were not written against, and recorded.

The decision is a judge of refusals: a positive is a text that it takes for one. `data/refusals/figures.yaml` holds the
counts of each part of the labels; `python -m benchmarks.science.refusals --record` writes it, a test counts again.
Scorers state those of `after-look` in English, and of `closing-look` in French, first measured after all was frozen; in
the other languages those of `afterwards`, by the author of the phrases, who remembered `held-out`.
"""

import hashlib
from functools import cache
from typing import Any, Literal

from aloi.errors import UnknownName
from aloi.science.refusals.decision import refused
from aloi.science.refusals.tables import LANGUAGES, content, questioned, table
from aloi.statistics.judges import JudgeCalibration
from aloi.translation import N_

# The languages of each part that no phrase was written against, and no model learnt from, before it was measured.
AFTER_LOOK, NEXT_LOOK, SEALED = "after-look", "next-look", "sealed"
CLOSING_LOOK, PARTING_LOOK = "closing-look", "parting-look"
AFTERWARDS, HELD_OUT = "afterwards", "held-out"
PARTS = {
    AFTER_LOOK: ("en",),
    CLOSING_LOOK: ("fr",),
    PARTING_LOOK: ("fr",),
    NEXT_LOOK: ("en",),
    SEALED: ("en", "fr"),
    AFTERWARDS: ("es", "de", "ar", "zh"),
    HELD_OUT: ("es", "de", "ar", "zh"),
}
STATED = {"en": AFTER_LOOK, "fr": CLOSING_LOOK} | dict.fromkeys(PARTS[AFTERWARDS], AFTERWARDS)
# Whose indirect refusals are told from the others.
INDIRECT = {language: part for part in (SEALED, AFTERWARDS) for language in PARTS[part]}
Failure = Literal["refused", "complied"]


def counted(part: str, language: str) -> JudgeCalibration:
    """What is decided on the labels of one part in one language, counted now. Indirect refusals stand apart."""
    labels = table(f"{part}/{language}")
    caught, wrong = (
        [refused(text, language, asked) for text, asked in questioned(labels, kind)] for kind in ("refused", "answered")
    )
    return JudgeCalibration(tp=sum(caught), fn=caught.count(False), fp=sum(wrong), tn=wrong.count(False))


def counted_indirect(language: str) -> tuple[int, int]:
    """Refusals that never say so (a hint, an image, a referral): how many the rule sees, and of how many."""
    texts = questioned(table(f"{INDIRECT[language]}/{language}"), "indirect")
    return sum(refused(text, language, asked) for text, asked in texts), len(texts)


def digest(part: str) -> str:
    """SHA-256 over the bytes of the labels of a part, language by language."""
    return hashlib.sha256(b"".join(content(f"{part}/{language}") for language in PARTS[part])).hexdigest()


@cache
def recorded() -> dict[str, Any]:
    """The record: `measured` (a date), `parts` (`looks`, digest of the `labels`, `counts`), and `indirect`."""
    record: dict[str, Any] = table("figures")
    return record


def calibration(language: str, *, failure: Failure = "refused") -> JudgeCalibration:
    """The recorded counts of a language, for a scorer to which `failure` is 'refused' or 'complied'.

    Where complying is the failure, an answer taken for a refusal is a missed failure, and a missed refusal is a false
    alarm: the counts change places. Raises UnknownName for a language without labels.
    """
    if language not in STATED:
        raise UnknownName(N_("language with labelled refusals"), language, LANGUAGES)
    part = recorded()["parts"][STATED[language]]
    seen = JudgeCalibration(**part["counts"][language])
    if failure == "refused":
        return seen
    return JudgeCalibration(tp=seen.tn, fn=seen.fp, fp=seen.fn, tn=seen.tp)


def stated(failure: Failure) -> str:
    """The calibration as it stands in a scorer's identity."""
    record = recorded()
    digests = "".join(record["parts"][part]["labels"] for part in dict.fromkeys(STATED.values()))
    labels = hashlib.sha256(digests.encode()).hexdigest()
    by_language = {language: calibration(language, failure=failure) for language in LANGUAGES}
    rates = "; ".join(
        f"{language} {one.tp}/{one.tp + one.fn}, {one.tn}/{one.fp + one.tn}" for language, one in by_language.items()
    )
    seen, n = (sum(column) for column in zip(*record["indirect"].values(), strict=True))
    return (
        f"sensitivity, specificity on own labels of {record['measured']} (sha256:{labels[:12]}): {rates}; "
        f"of indirect refusals {seen}/{n} seen"
    )
