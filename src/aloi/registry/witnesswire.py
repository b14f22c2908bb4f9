"""The texts that a witness and its clients exchange (C2SP tlog-witness, "add-checkpoint"), without the network.

body = write_request(Request(old_size, proof, checkpoint))             # the client
reply = reply_to(witness.add_checkpoint(*read_request(body), now))     # the witness
note = cosigned(checkpoint, reply.body, [witness_key])                 # the client again
"""

from collections.abc import Collection
from typing import NamedTuple

from aloi.errors import EvidenceError
from aloi.evidence import cosignatures, notes
from aloi.evidence.checkpoints import decimal
from aloi.evidence.decoding import LIMIT, shown, utf8
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.merkle import EMPTY
from aloi.evidence.notes import Note, NoteKey
from aloi.registry.witness import LONGEST, Answer, Conflict, Cosigned, Status
from aloi.translation import N_

PATH = "add-checkpoint"
TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


class Request(NamedTuple):
    """From which size, with which consistency proof, to which signed checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes


class Reply(NamedTuple):
    """What an HTTP server sends."""

    status: Status
    content_type: str
    body: bytes


def write_request(request: Request) -> bytes:
    """The body to send. Raises EvidenceError as `read_request`."""
    lines = [f"old {request.old_size}", *(to_base64(each) for each in request.proof)]
    body = "".join(f"{line}\n" for line in [*lines, ""]).encode() + request.checkpoint
    if read_request(body) != request:
        raise _refusal(N_("the parts of the request do not come back as they were given"), "request-form")
    return body


def read_request(body: bytes) -> Request:
    """The parts of a body; the checkpoint is not read yet.

    Raises EvidenceError, to be answered with `refusal`: 'too-large', 'not-utf8', 'request-form', 'old-size',
    'proof-path', 'bad-base64'.
    """
    head, blank, checkpoint = utf8(body, LIMIT).partition("\n\n")
    first, *lines = head.split("\n")
    if not blank or not first.startswith("old "):
        raise _refusal(
            N_("this is no request: an old size, a consistency proof, an empty line, a checkpoint"), "request-form"
        )
    size = decimal(first.removeprefix("old "))
    if size is None:
        raise _refusal(N_("“{got}” is not the size of a log"), "old-size", got=shown(first.removeprefix("old ")))
    if len(lines) > LONGEST:
        raise _refusal(
            N_("the proof has {count} hashes; at most {limit} are read"), "proof-path", count=len(lines), limit=LONGEST
        )
    proof = tuple(from_base64(line, "proof") for line in lines)
    if any(len(each) != len(EMPTY) for each in proof):
        raise _refusal(N_("the proof holds what is no hash"), "proof-path")
    return Request(size, proof, checkpoint.encode())


def reply_to(answer: Answer) -> Reply:
    """An answer of the witness as HTTP sends it."""
    if isinstance(answer, Cosigned):
        lines = notes.write(Note("\n", answer.lines)).removeprefix(b"\n\n")
        return Reply(Status.OK, TEXT, lines)
    if isinstance(answer, Conflict):
        return Reply(Status.CONFLICT, SIZE, b"%d\n" % answer.size)
    return Reply(answer.status, TEXT, f"{answer.reason}: {answer.why}\n".encode())


def refusal(error: EvidenceError) -> Reply:
    """What to send where `read_request` refuses the body."""
    return Reply(Status.BAD_REQUEST, TEXT, f"{error.reason}: {error}\n".encode())


def read_size(body: bytes) -> int:
    """The size in the body of a conflict. Raises EvidenceError ('old-size', 'too-large', 'not-utf8')."""
    text = utf8(body, LIMIT)
    size = decimal(text.removesuffix("\n"))
    if size is None or not text.endswith("\n"):
        raise _refusal(N_("“{got}” is not the size of a log"), "old-size", got=shown(text))
    return size


def cosigned(checkpoint: bytes, body: bytes, witnesses: Collection[NoteKey]) -> Note:
    """The checkpoint with the lines of these witnesses that the body of a success brings; all others are left out.

    Raises EvidenceError as `notes.read` and `cosignatures.verify`, and 'no-known-signature'.
    """
    note = notes.read(checkpoint)
    brought = notes.read(note.text.encode() + b"\n" + body)
    found = {each.key for each in cosignatures.verify(brought, witnesses)}
    if not found:
        raise _refusal(N_("the answer holds no cosignature by a witness that you named"), "no-known-signature")
    ids = {(key.name, key.id) for key in found}
    kept = [line for line in note.signatures if (line.name, line.id) not in ids]
    new = [line for line in brought.signatures if (line.name, line.id) in ids]
    return note._replace(signatures=(*kept, *new))


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(message, reason=reason, remedy=N_("send it again in the form of tlog-witness"), **facts)
