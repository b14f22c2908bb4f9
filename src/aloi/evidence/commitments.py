"""Sealed items: the prompts and answers of a run stay home, and one of them can be opened later and proved.

A run publishes one Merkle root. Its leaf for a trial is two salted commitments, of the prompt and of the answer, so
that either can be opened without the other. Salts are 32 bytes drawn from the run's secret by HMAC-SHA256: opening one
tells nothing about another, and a prompt of few likely texts cannot be guessed from its commitment.
"""

import hmac
from collections.abc import Sequence
from typing import Literal

from aloi.errors import EvidenceError
from aloi.evidence.fields import Hash
from aloi.evidence.merkle import inclusion, leaf_hash, verify_inclusion
from aloi.evidence.records import Record
from aloi.translation import N_

Part = Literal["prompt", "answer"]
What = Literal["prompt", "answer", "statement", "incident"]

_DOMAIN = b"https://aloi.dev/commitment/v1"
_SIZE = 32


class Opened(Record, frozen=True, kw_only=True, tag="opened"):
    """A part shown: its UTF-8 text and the salt of its commitment."""

    text: str
    salt: Hash


class Withheld(Record, frozen=True, kw_only=True, tag="withheld"):
    """A part kept sealed: its commitment alone."""

    commitment: Hash


class Opening(Record, frozen=True, kw_only=True):
    """One trial opened to an auditor: what is shown, and the proof that it belonged to the run of `size` trials."""

    index: int
    size: int
    prompt: Opened | Withheld
    answer: Opened | Withheld
    proof: tuple[Hash, ...]


def salt(secret: bytes, index: int, part: Part) -> bytes:
    """The salt of one part of one trial. Raises ValueError where the run's secret is shorter than 32 bytes."""
    if len(secret) < _SIZE:
        raise ValueError(f"a run's secret has at least {_SIZE} random bytes, got {len(secret)}")
    return hmac.digest(secret, b"%s\x00salt\x00%d\x00%s" % (_DOMAIN, index, part.encode()), "sha256")


def commit(text: str, salt: bytes, what: What) -> bytes:
    """The commitment to a text: HMAC-SHA256 keyed by its salt, hiding and binding."""
    return hmac.digest(salt, b"%s\x00%s\x00%s" % (_DOMAIN, what.encode(), text.encode()), "sha256")


def seal(secret: bytes, index: int, prompt: str, answer: str) -> bytes:
    """The leaf hash of one trial, ready for `merkle.Tree.append`."""
    return leaf_hash(
        commit(prompt, salt(secret, index, "prompt"), "prompt")
        + commit(answer, salt(secret, index, "answer"), "answer")
    )


def reveal(
    secret: bytes,
    index: int,
    prompt: str,
    answer: str,
    hashes: Sequence[bytes],
    *,
    parts: frozenset[Part] = frozenset({"prompt", "answer"}),
) -> Opening:
    """Open `parts` of trial `index` of a run whose leaf hashes are `hashes`.

    Raises EvidenceError ('not-included') where the texts are not those that were sealed.
    """
    if not 0 <= index < len(hashes) or seal(secret, index, prompt, answer) != hashes[index]:
        raise _mismatch()

    def part(name: Part, text: str) -> Opened | Withheld:
        key = salt(secret, index, name)
        return Opened(text=text, salt=key) if name in parts else Withheld(commitment=commit(text, key, name))

    return Opening(
        index=index,
        size=len(hashes),
        prompt=part("prompt", prompt),
        answer=part("answer", answer),
        proof=tuple(inclusion(hashes, index)),
    )


def verify_opening(opening: Opening, root: str) -> None:
    """Raises EvidenceError ('not-included') unless the opening leads to the run's `root` (`sha256:<64 hex>`)."""
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
        N_("these texts are not the ones that were sealed in this run"),
        reason="not-included",
        remedy=N_("open the trial from the run's own folder, with the secret it was sealed with"),
    )
