"""What the tamper suite tampers with: one honest file of each kind with its verifier, and the attacks of the tests."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import log_world
import lookup_world
import published_world
import test_checkpoints
import test_commitments
import test_envelope
import test_log_proofs
import test_lookup
import test_notes
import test_publication
import test_roster
import test_statement
import test_trust_policy
import test_verification
from evidence_world import World, fixed_key

from aloi.errors import EvidenceError
from aloi.evidence import checkpoints, logentry, logproof, notes, trustpolicy
from aloi.evidence import envelope as dsse
from aloi.evidence.canonical import canonical
from aloi.evidence.commitments import Opening, read_opening, verify_opening
from aloi.evidence.domainproof import check_domain_proof
from aloi.evidence.lookup import verify_lookup
from aloi.evidence.notes import NoteKey
from aloi.evidence.statement import claimed
from aloi.evidence.statement import read as read_statement
from aloi.evidence.trustpolicy import verify_logged
from aloi.evidence.verification import verify_bundle
from aloi.registry import misbehaviour
from aloi.registry.copies import MemoryCopy
from aloi.registry.heads import MemoryHeads
from aloi.registry.mirror import Declined, Mirror
from aloi.registry.tiles import pack
from aloi.registry.witness import Conflict, Cosigned, Refused, Witness
from aloi.registry.witnesswire import Request, read_request, write_request
from benchmarks.registry.logs import Log

Verify = Callable[[Any], object]


class Artefact(NamedTuple):
    """A file that verifies, what its verifier tells of it, and the places that are changed in it."""

    name: str
    data: bytes
    span: range
    verify: Verify


class Attack(NamedTuple):
    """Something that must be refused for this reason: `attempt` raises EvidenceError with it."""

    kind: str
    name: str
    attempt: Callable[[], object]
    reason: str


THREE = test_trust_policy.policy(log_world.POLICY.replace("2 University", "3 University"))
KEYS = [fixed_key().public]
LOG = Log("log.example/one", fixed_key(11), [b"entry %d" % number for number in range(300)])


def artefacts() -> Iterator[Artefact]:
    """One of each kind; in each, every witness is needed and nothing stands that nobody signs."""
    envelope = published_world.ENVELOPES[published_world.FIRST]
    logged, policy = published_world.PROOFS["1.tlog-proof"], published_world.POLICY_OF_TWO
    note = log_world.signed("north", "south", "post")
    cosigned, own = notes.write(note), notes.write(note._replace(signatures=note.signatures[:1]))
    found = misbehaviour.find(notes.read(LOG.signed(9)), notes.read(LOG.fork(3).signed(9)), LOG.public)
    assert found
    files: dict[str, tuple[bytes, Verify]] = {
        "bundle": (published_world.BUNDLE, lambda data: verify_bundle(data, KEYS)),
        "envelope": (dsse.write(envelope), lambda data: dsse.verify(dsse.read(data), KEYS)),
        "log entry": (logentry.of(envelope), lambda data: verify_logged(data, logged, policy)),
        "proof": (log_world.proof(note), lambda data: verify_logged(log_world.ENTRY, data, THREE)),
        "checkpoint": (LOG.signed(), lambda data: checkpoints.verify(notes.read(data), [LOG.public])),
        "look-up answer": (
            test_lookup.DATA,
            lambda data: verify_lookup(data, lookup_world.A, lookup_world.POLICY),
        ),
        "opened item": (
            canonical(test_commitments.GOOD),
            lambda data: (_opened(read_opening(data)), read_opening(data)),
        ),
        "tile of hashes": (LOG.fetch_tile(0, 0, 256), _mirrored("fetch_tile", (0, 0, 256))),
        "tile at the edge": (LOG.fetch_tile(0, 1, 44), _mirrored("fetch_tile", (0, 1, 44))),
        "bundle of entries": (LOG.fetch_entries(0, 256), _mirrored("fetch_entries", (0, 256))),
        "evidence of misbehaviour": (
            misbehaviour.write(found),
            lambda data: misbehaviour.verify(data, [LOG.public]),
        ),
        "request to a witness": (write_request(Request(9, tuple(LOG.proof(9)), LOG.signed())), _cosigned),
    }
    yield Artefact("cosignatures", cosigned, range(len(own), len(cosigned)), _witnessed)
    for name, (data, verify) in files.items():
        yield Artefact(name, data, range(len(data)), verify)


def _witnessed(data: bytes) -> object:
    note = notes.read(data)
    return checkpoints.verify(note, THREE.logs), trustpolicy.witnessed(note, THREE)


class _Serving:
    """The log, but for one answer."""

    def __init__(self, call: str, place: tuple[int, ...], data: bytes) -> None:
        self._changed = (call, place, data)

    def __getattr__(self, name: str) -> Callable[..., bytes]:
        call, place, data = self._changed

        def answer(*asked: int) -> bytes:
            served: bytes = data if (name, asked) == (call, place) else getattr(LOG, name)(*asked)
            return served

        return answer


def _mirrored(call: str, place: tuple[int, ...]) -> Verify:
    """What a mirror keeps where one answer of the log is changed."""

    def verify(data: bytes) -> object:
        copy = MemoryCopy()
        pulled = Mirror(LOG.origin, [LOG.public], _Serving(call, place, data), copy).pull()
        if isinstance(pulled, Declined):
            raise pulled.why
        return pulled, copy.entries

    return verify


def _cosigned(data: bytes) -> object:
    """What a witness that cosigned 9 entries of the log answers to a request."""
    store = MemoryHeads()
    witness = Witness("witness.example/1", [fixed_key(21)], {LOG.origin: [LOG.public]}, store)
    assert isinstance(witness.add_checkpoint(0, (), LOG.signed(9), 1), Cosigned)
    answer = witness.add_checkpoint(*read_request(data), 2)
    if isinstance(answer, Conflict | Refused):
        raise EvidenceError("not cosigned", reason=answer.reason)
    return answer, store.known


def attacks() -> Iterator[Attack]:
    """The tables of the tests, each attack with the reason that its table owes it."""
    for kind, (table, attempt) in (_tables() | _others()).items():
        for name, (subject, reason) in table.items():
            yield Attack(kind, name, partial(attempt, subject), reason)


def _tables() -> dict[str, tuple[Mapping[str, tuple[Any, str]], Verify]]:
    """Tables of the tests, and what must refuse the left column of each for the reason in its right one."""
    policy = test_trust_policy.policy()
    known = [test_envelope.KEY.public]
    contradictions = {name: row for name, row in test_verification.CONTRADICTIONS.items() if row[1]}
    malformed = {name: (value, "wrong-type") for name, value in test_envelope.MALFORMED.items()}
    opened = {name: (opening, "not-included") for name, opening in test_commitments.WRONG.items()}
    swapped = {name: (parts, "not-included") for name, parts in test_log_proofs.SWAPPED.items()}
    entry, log = log_world.ENTRY, [log_world.LOG_KEY]
    return {
        "bundles: parts moved": (
            test_verification.EDITS,
            lambda edit: verify_bundle(test_verification.edited(edit), KEYS),
        ),
        "bundles: form": (test_verification.BYTES, lambda data: verify_bundle(data, KEYS)),
        "bundles: claims of a signer": (contradictions, _packed),
        "bundles: proofs that they are logged": (test_publication.ATTACKS, test_publication.verified),
        "envelopes": (test_envelope.HOSTILE, lambda envelope: dsse.verify(envelope, known)),
        "envelopes: form": (malformed, lambda value: dsse.read(json.dumps(value).encode())),
        "statements": (
            test_statement.HOSTILE_STATEMENTS,
            lambda changes: claimed(read_statement(test_statement.altered(**changes))),
        ),
        "opened items": (opened, _opened),
        "domain proofs": (
            test_roster.BAD_TEXT,
            lambda text: check_domain_proof(text.encode(errors="surrogateescape"), test_roster.SERVED),
        ),
        "signed notes": (test_notes.MALFORMED, lambda text: notes.read(text.encode())),
        "verifier keys": (test_notes.KEY_ATTACKS, NoteKey.parse),
        "checkpoints": (test_checkpoints.MALFORMED, checkpoints.parse),
        "cosignatures and policies": (
            test_trust_policy.ATTACKS,
            lambda note: verify_logged(entry, log_world.proof(note), policy),
        ),
        "proofs: form": (test_log_proofs.MALFORMED, lambda text: verify_logged(entry, text.encode(), policy)),
        "proofs: parts of others": (
            swapped,
            lambda parts: logproof.verify(logproof.read(log_world.proof(**parts)), entry, log),
        ),
        "complete look-up": (
            test_lookup.ATTACKS,
            lambda data: verify_lookup(data, lookup_world.A, lookup_world.POLICY),
        ),
    }


def _opened(opening: Opening) -> object:
    return verify_opening(opening, test_commitments.ROOT, len(test_commitments.HASHES))


def _packed(change: Callable[[World], object]) -> object:
    world = World()
    change(world)
    return verify_bundle(world.pack(), KEYS)


def _others() -> dict[str, tuple[Mapping[str, tuple[Any, str]], Verify]]:
    """What a log serves to a mirror beside its signed head, and heads that a witness of 9 entries must not cosign."""
    return {
        "tiles": (_tiles(), _mirrored("fetch_tile", (0, 0, 256))),
        "entries": (_entries(), _mirrored("fetch_entries", (0, 256))),
        "heads shown to a witness": (_heads(), lambda request: _cosigned(write_request(request))),
    }


def _tiles() -> dict[str, tuple[bytes, str]]:
    tile = LOG.fetch_tile(0, 0, 256)
    return {
        "two hashes exchanged": (tile[32:64] + tile[:32] + tile[64:], "tile-mismatch"),
        "the tile of a fork": (LOG.fork(3).fetch_tile(0, 0, 256), "tile-mismatch"),
        "the tile of another place": (LOG.fetch_tile(0, 1, 44).ljust(len(tile), b"\0"), "tile-mismatch"),
        "a tile cut short": (tile[:-32], "tile-size"),
        "a hash too many": (tile + tile[:32], "tile-size"),
        "no tile": (b"", "tile-size"),
    }


def _entries() -> dict[str, tuple[bytes, str]]:
    entries = LOG.entries[:256]
    return {
        "an entry hidden": (pack(entries[:-1]), "entry-mismatch"),
        "an entry changed": (pack([b"another", *entries[1:]]), "entry-mismatch"),
        "two entries exchanged": (pack([entries[1], entries[0], *entries[2:]]), "entry-mismatch"),
        "an entry twice": (pack([entries[0], *entries[:-1]]), "entry-mismatch"),
        "the entries of a fork": (LOG.fork(3).fetch_entries(0, 256), "entry-mismatch"),
        "an entry too many": (pack(entries) + pack([b"more"]), "entry-bundle"),
        "a bundle cut short": (pack(entries)[:-1], "entry-bundle"),
        "a length that lies": (b"\xff\xff" + pack(entries)[2:], "entry-bundle"),
    }


def _heads() -> dict[str, tuple[Request, str]]:
    fork, stranger = LOG.fork(3), Log(LOG.origin, fixed_key(12), LOG.entries)
    other = Log("log.example/two", LOG.key, LOG.entries)
    renumbered = LOG.signed(9).replace(b"\n9\n", b"\n10\n")
    return {
        "another history of the same size": (Request(9, (), fork.signed(9)), "fork"),
        "another history from the beginning": (Request(0, (), fork.signed(9)), "fork"),
        "a larger head of another history": (Request(9, tuple(fork.proof(9)), fork.signed()), "not-consistent"),
        "the proof of another history": (Request(9, tuple(fork.proof(9)), LOG.signed()), "not-consistent"),
        "no proof": (Request(9, (), LOG.signed()), "not-consistent"),
        "a proof from another size": (Request(9, tuple(LOG.proof(8)), LOG.signed()), "not-consistent"),
        "an older head": (Request(0, (), LOG.signed(8)), "rollback"),
        "an older head as if it were new": (Request(8, (), LOG.signed(8)), "rollback"),
        "the empty log again": (Request(0, (), LOG.signed(0)), "rollback"),
        "from the beginning, over what was cosigned": (Request(0, (), LOG.signed()), "old-size"),
        "an old size beyond the head": (Request(301, (), LOG.signed()), "old-size"),
        "signed by a stranger": (Request(9, tuple(LOG.proof(9)), stranger.signed()), "no-known-signature"),
        "another log": (Request(0, (), other.signed()), "unknown-origin"),
        "a size changed after signing": (Request(9, (), renumbered), "bad-signature"),
    }
