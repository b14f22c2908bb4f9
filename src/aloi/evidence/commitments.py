"""Sealed items: the prompts and answers of a run stay home, and one of them can be opened later and proved.

A run publishes one Merkle root for each record. Its leaf for a trial is two salted commitments, of the prompt and of
the answer, so that either can be opened without the other. Salts are 32 bytes drawn from the run's secret by
HMAC-SHA256: opening one tells nothing about another, and a prompt of few likely texts cannot be guessed.
"""

import hmac
from collections.abc import Sequence
from typing import Literal

from aloi.errors import EvidenceError
from aloi.evidence.decoding import decode, shown
from aloi.evidence.fields import Hash
from aloi.evidence.merkle import inclusion, leaf_hash, verify_inclusion
from aloi.evidence.records import Record
from aloi.translation import N_

Part = Literal["prompt", "answer"]
What = Literal["prompt", "answer", "statement", "incident"]

FORMAT = "https://aloi.dev/opening/v1"
SECRET_SIZE = 32
_DOMAIN = b"https://aloi.dev/commitment/v1"


class Opened(Record, frozen=True, kw_only=True, tag="opened"):
    """A part shown: its UTF-8 text and the salt of its commitment."""

    text: str
    salt: Hash


class Withheld(Record, frozen=True, kw_only=True, tag="withheld"):
    """A part kept sealed: its commitment alone."""

    commitment: Hash


class Opening(Record, frozen=True, kw_only=True):
    """One trial opened to an auditor: what is shown, and the proof that it was one of the `size` behind a record."""

    format: str
    index: int
    size: int
    prompt: Opened | Withheld
    answer: Opened | Withheld
    proof: tuple[Hash, ...]


def salt(secret: bytes, trial: str, part: Part) -> bytes:
    """The salt of one part of the trial of that name, which a run has once.

    Raises ValueError where the run's secret is shorter than 32 bytes.
    """
    if len(secret) < SECRET_SIZE:
        raise ValueError(f"a run's secret has at least {SECRET_SIZE} random bytes, got {len(secret)}")
    return hmac.digest(secret, b"%s\x00salt\x00%s\x00%s" % (_DOMAIN, part.encode(), trial.encode()), "sha256")


def commit(text: str, salt: bytes, what: What) -> bytes:
    """The commitment to a text: HMAC-SHA256 keyed by its salt, hiding and binding."""
    return hmac.digest(salt, b"%s\x00%s\x00%s" % (_DOMAIN, what.encode(), text.encode()), "sha256")


def seal(secret: bytes, trial: str, prompt: str, answer: str) -> bytes:
    """The leaf hash of one trial, ready for `merkle.Tree.append`."""
    return leaf_hash(
        commit(prompt, salt(secret, trial, "prompt"), "prompt")
        + commit(answer, salt(secret, trial, "answer"), "answer")
    )


def reveal(
    secret: bytes,
    trial: str,
    prompt: str,
    answer: str,
    hashes: Sequence[bytes],
    index: int,
    *,
    parts: frozenset[Part] = frozenset({"prompt", "answer"}),
) -> Opening:
    """Open `parts` of the trial that stands at `index` of the leaf hashes of a record.

    Raises EvidenceError ('not-included') where the texts are not those that were sealed there.
    """
    if not 0 <= index < len(hashes) or seal(secret, trial, prompt, answer) != hashes[index]:
        raise _mismatch()

    def part(name: Part, text: str) -> Opened | Withheld:
        key = salt(secret, trial, name)
        return Opened(text=text, salt=key) if name in parts else Withheld(commitment=commit(text, key, name))

    return Opening(
        format=FORMAT,
        index=index,
        size=len(hashes),
        prompt=part("prompt", prompt),
        answer=part("answer", answer),
        proof=tuple(inclusion(hashes, index)),
    )


def read_opening(data: bytes) -> Opening:
    """An opening from its file. Raises EvidenceError as `decode`, and 'unknown-format'."""
    opening = decode(data, Opening)
    if opening.format != FORMAT:
        raise EvidenceError(
            N_("this item is of the format “{got}”; this release reads {expected}"),
            reason="unknown-format",
            remedy=N_("use a newer release of Aloi"),
            got=shown(opening.format),
            expected=FORMAT,
        )
    return opening


def verify_opening(opening: Opening, root: str, size: int) -> None:
    """Raises EvidenceError ('not-included') unless the opening leads to the root (`sha256:<64 hex>`) of `size` trials.

    The size is asked for because a proof alone does not fix it (RFC 9162 section 2.1.3.2).
    """
    if opening.size != size:
        raise _mismatch()
    leaf = leaf_hash(_commitment(opening.prompt, "prompt") + _commitment(opening.answer, "answer"))
    try:
        expected = bytes.fromhex(root.removeprefix("sha256:"))
    except ValueError:
        raise _mismatch() from None
    verify_inclusion(leaf, opening.index, opening.size, opening.proof, expected)


def _commitment(part: Opened | Withheld, name: Part) -> bytes:
    return part.commitment if isinstance(part, Withheld) else commit(part.text, part.salt, name)


def _mismatch() -> EvidenceError:
    return EvidenceError(
        N_("this item is not one of those that were sealed in this run"),
        reason="not-included",
        remedy=N_("open it anew from the run's own folder; if it still differs, it is not what was signed"),
    )
