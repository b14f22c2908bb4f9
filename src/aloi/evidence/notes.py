"""Signed notes: a text and the lines that sign it (C2SP signed-note v1.0.0, https://c2sp.org/signed-note).

    note = sign("example.org/log\\n0\\n47DE…\\n", "example.org/log", key)
    data = write(note)
    verify(read(data), [NoteKey.parse("example.org/log+5f2a…+AQ…")])

What is read is held to one spelling, so that writing it again gives the same bytes. Nothing of a text may be believed
before a key that the reader named has signed it.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown, utf8
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.publickeys import PublicKey, SigningKey
from aloi.translation import N_

LIMIT = 1_000_000
SIGNATURES = 100

# "Signature types": the byte that says what a key signs, and with what
ED25519 = 0x01
COSIGNATURE = 0x04
ML_DSA_COSIGNATURE = 0x06
_ALGORITHMS = {ED25519: "ed25519", COSIGNATURE: "ed25519", ML_DSA_COSIGNATURE: "ml-dsa-44"}

_UNNAMEABLE = re.compile(r"[\s+\x00-\x1f\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "—"
_ID = 4


class NoteKey(msgspec.Struct, frozen=True):
    """A key that verifies, under a name and for one type of signature.

    Raises EvidenceError: 'key-name', or 'key-kind' where the type is unknown or of another algorithm.
    """

    name: str
    kind: int
    public: PublicKey

    def __post_init__(self) -> None:
        check_name(self.name)
        _check_kind(self.kind, {kind for kind, algorithm in _ALGORITHMS.items() if algorithm == self.public.algorithm})

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature line ("Signatures"; tlog-cosignature, "Format")."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public.raw).digest()[:_ID]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.kind]) + self.public.raw)}"

    @classmethod
    def parse(cls, text: str) -> "NoteKey":
        """A key from its text form ("Verifier keys"): name, id in hexadecimal, base64 of type and key.

        Raises EvidenceError: 'verifier-key', 'key-name', 'bad-base64', 'key-kind', 'key-size', 'key-id'.
        """
        name, plus, rest = text.partition("+")
        identifier, second, material = rest.partition("+")
        if not (plus and second and material):
            raise _refusal(N_("“{got}” is not a verifier key: name+id+key"), "verifier-key", got=shown(text))
        data = from_base64(material, "key")
        _check_kind(data[0], set(_ALGORITHMS))
        key = cls(name, data[0], PublicKey.from_raw(_ALGORITHMS[data[0]], data[1:]))
        if key.id.hex() != identifier:
            raise _refusal(
                N_("the key {name} is called {got}, but name and key give {expected}"),
                "key-id",
                name=shown(name),
                got=shown(identifier),
                expected=key.id.hex(),
            )
        return key


class Signature(NamedTuple):
    """One signature line: who signed, by name and id, and the bytes after the id."""

    name: str
    id: bytes
    data: bytes


class Note(NamedTuple):
    """A text, its last newline with it, and the lines under it. Nothing is verified."""

    text: str
    signatures: tuple[Signature, ...]


def read(data: bytes) -> Note:
    """A note from its bytes ("Format").

    Raises EvidenceError: 'too-large', 'not-utf8', 'control-character', 'note-form', 'too-many-signatures',
    'signature-line', 'key-name', 'bad-base64'.
    """
    whole = utf8(data, LIMIT)
    if _CONTROL.search(whole):
        raise _refusal(N_("the note holds a control character; only line feeds may stand in it"), "control-character")
    text, blank, rest = whole.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise _not_a_note()
    lines = rest[:-1].split("\n")
    _check_count(len(lines))
    return Note(text + "\n", tuple(_line(line) for line in lines))


def write(note: Note) -> bytes:
    """The note's bytes."""
    lines = (f"{_DASH} {line.name} {to_base64(line.id + line.data)}\n" for line in note.signatures)
    return f"{note.text}\n{''.join(lines)}".encode()


def sign(text: str, name: str, key: SigningKey) -> Note:
    """The text signed by an Ed25519 key. Raises EvidenceError as `read`, and 'key-kind' for another algorithm."""
    return add(Note(text, ()), NoteKey(name, ED25519, key.public), key.sign(text.encode()))


def add(note: Note, key: NoteKey, signature: bytes) -> Note:
    """The note with one more line. Raises EvidenceError as `read`, and 'repeated-signer'."""
    longer = note._replace(signatures=(*note.signatures, Signature(key.name, key.id, signature)))
    if read(write(longer)) != longer:  # a text without its last line feed would lose what follows its last empty line
        raise _not_a_note()
    known(longer, [key])
    return longer


def verify(note: Note, keys: Iterable[NoteKey]) -> tuple[NoteKey, ...]:
    """The keys among `keys` (of the type Ed25519) that signed the text, in the order of their lines.

    Lines of other keys are ignored, as "Signatures" asks; one line of a known key that fails refuses the note.
    Raises EvidenceError: 'key-kind', 'ambiguous-key', 'repeated-signer', 'bad-signature', 'no-known-signature'.
    """
    found = known(note, keys)
    for key, signature in found:
        _check_kind(key.kind, {ED25519})
        key.public.verify(signature, note.text.encode())
    if not found:
        raise _refusal(
            N_("none of the {count} signatures is by a key that you named"),
            "no-known-signature",
            count=len(note.signatures),
        )
    return tuple(key for key, _ in found)


def known(note: Note, keys: Iterable[NoteKey]) -> list[tuple[NoteKey, bytes]]:
    """The lines whose name and id are those of a given key, nothing verified yet.

    Raises EvidenceError: 'ambiguous-key' where two of `keys` have one name and id, 'repeated-signer'.
    """
    named: dict[tuple[str, bytes], NoteKey] = {}
    for key in keys:
        if named.setdefault((key.name, key.id), key) != key:
            raise _refusal(N_("two keys are both called {key}"), "ambiguous-key", key=_called(key))
    found: dict[NoteKey, bytes] = {}
    for line in note.signatures:
        owner = named.get((line.name, line.id))
        if owner is None:
            continue
        if owner in found:
            raise _refusal(
                N_("the key {key} signed twice; each key counts once"), "repeated-signer", key=shown(_called(owner))
            )
        found[owner] = line.data
    return list(found.items())


def _called(key: NoteKey) -> str:
    return f"{key.name}+{key.id.hex()}"


def _line(line: str) -> Signature:
    words = line.split(" ")
    if len(words) != 3 or words[0] != _DASH:
        raise _refusal(N_("“{got}” is no line that signs a note"), "signature-line", got=shown(line))
    check_name(words[1])
    data = from_base64(words[2], "signature")
    if len(data) <= _ID:
        raise _refusal(N_("“{got}” is no line that signs a note"), "signature-line", got=shown(line))
    return Signature(words[1], data[:_ID], data[_ID:])


def check_name(name: str) -> None:
    """Raises EvidenceError ('key-name') for what cannot name a key."""
    if not name or _UNNAMEABLE.search(name):
        raise _refusal(
            N_("“{got}” cannot name a key: it is empty, or holds a space or a plus"), "key-name", got=shown(name)
        )


def _check_kind(kind: int, allowed: set[int]) -> None:
    if kind not in allowed:
        raise _refusal(
            N_("a key of the signature type {got} cannot stand here; expected: {expected}"),
            "key-kind",
            got=f"{kind:02x}",
            expected=", ".join(f"{each:02x}" for each in sorted(allowed)) or "-",
        )


def _check_count(count: int) -> None:
    if count > SIGNATURES:
        raise _refusal(
            N_("the note has {count} signatures; at most {limit} are read"),
            "too-many-signatures",
            count=count,
            limit=SIGNATURES,
        )


def _not_a_note() -> EvidenceError:
    return _refusal(N_("this is no signed note: a text, an empty line, lines that sign it"), "note-form")


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message, reason=reason, remedy=N_("obtain it again from its author, byte for byte, or correct the key"), **facts
    )
