"""Every parser that reads what strangers send: how it is called, valid inputs to start from, and how it writes again.

A parser gives a value or refuses; `write` gives the input back, byte for byte, where the format has one spelling.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from aloi.errors import AskerError, EvidenceError, InvalidFile, RegistryError
from aloi.evidence import (
    bundle,
    checkpoints,
    cosignatures,
    encoding,
    envelope,
    logentry,
    logproof,
    lookup,
    naming,
    notes,
    policyfile,
    statement,
)
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.commitments import read_opening
from aloi.evidence.domainproof import check_domain_proof
from aloi.evidence.keys import PrivateKey
from aloi.evidence.loggedstatements import Held, read_logged
from aloi.evidence.notes import NoteKey
from aloi.evidence.publickeys import PublicKey
from aloi.registry import heads, misbehaviour, tiles, witnesswire
from aloi.registry.client import Entry, Registry, _Receipts
from aloi.registry.server.configuration import File as RegistryFile
from aloi.registry.server.witnessfile import File as WitnessFile
from aloi.registry.witnesswire import Request
from aloi.system import loading
from benchmarks.registry.logs import Log, fixed_key

TESTS = Path(__file__).parents[2] / "tests"
sys.path[:0] = [str(TESTS / "evidence"), str(TESTS)]

import log_world  # noqa: E402 - its folder is put on the path first
import lookup_world  # noqa: E402
import published_world  # noqa: E402
import test_commitments  # noqa: E402
import test_roster  # noqa: E402
from evidence_world import first_edition  # noqa: E402

REFUSALS = (EvidenceError, AskerError, InvalidFile, RegistryError)


class Parser(NamedTuple):
    """`write` is None where several inputs give one value; `share` is how often it is chosen, against 1 for most."""

    parse: Callable[[bytes], Any]
    seeds: Sequence[bytes]
    write: Callable[[Any], bytes] | None = None
    share: float = 1.0


LOG = Log("log.example/one", fixed_key(11), [b"entry %d" % number for number in range(9)])
HEAD = log_world.signed("north", "post")
KEYS = [*map(log_world.witness_key, log_world.WITNESSES), log_world.LOG_KEY]
OWN = notes.write(HEAD._replace(signatures=HEAD.signatures[:1]))
PEM = fixed_key(1).pem()


def _claim(data: bytes) -> object:
    read = statement.read(data)
    return statement.claimed(read)


def _found() -> bytes:
    found = misbehaviour.find(notes.read(LOG.signed(9)), notes.read(LOG.fork(3).signed(9)), LOG.public)
    assert found
    return misbehaviour.write(found)


def _yaml(kind: type) -> Callable[[bytes], object]:
    return lambda data: loading.read(data, "file.yaml", kind)


def _line(data: bytes) -> object:
    note = HEAD._replace(signatures=(HEAD.signatures[0], HEAD.signatures[1]._replace(data=data)))
    return cosignatures.verify(note, KEYS[:-1])


def _memory(body: bytes) -> object:
    """A file whose digest is right, whatever it holds."""
    return heads._parse(digest(body).encode() + b"\n" + body, LOG.origin)  # noqa: SLF001 - what reads the folder asks for nothing else


def _answered(kind: type) -> Callable[[bytes], object]:
    """What a client reads of a registry's answer."""
    client = Registry(None, "https://registry.example.org")  # type: ignore[arg-type]  # it asks nobody here
    return lambda data: client._decoded(data, kind)  # noqa: SLF001 - the part behind the network


def _logged(data: bytes) -> object:
    """An envelope that came beside a look-up, whatever it holds."""
    return read_logged([Held(index=0, time=0, entry=data, envelope=data)])


def _served(data: bytes) -> object:
    return check_domain_proof(data, test_roster.SERVED)


BESIDE = (TESTS / "evidence" / "golden" / "beside-v1.jsonl").read_bytes().splitlines()
RECEIPT = b'{"entries":[{"index":1,"envelope":"sha256:00","proof":"c2sp.org/tlog-proof@v1\\n"}]}'
SERVER = Path(__file__).parents[2] / "src" / "aloi" / "registry" / "server"
PARSERS: Mapping[str, Parser] = MappingProxyType(
    {
        "bundle": Parser(lambda data: bundle.unpack(data)[0], [published_world.BUNDLE], canonical, 0.2),
        "envelope": Parser(envelope.read, [envelope.write(each) for each in published_world.ENVELOPES[:3]]),
        "statement": Parser(
            _claim,
            [
                *published_world.WORLD.statements(),
                *(first_edition(record, about) for record, about in published_world.WORLD.claims[4:8]),
                *(logentry.stated(envelope.read(each))[0] for each in BESIDE),
            ],
        ),
        "logged statement": Parser(_logged, BESIDE),
        "opened item": Parser(read_opening, [msgspec.json.encode(test_commitments.GOOD)]),
        "domain proof": Parser(_served, [test_roster.TEXT.encode()]),
        "registry's receipts": Parser(_answered(_Receipts), [RECEIPT]),
        "registry's entry": Parser(_answered(Entry), [b'{"index":1,"entry":"{}","received":5,"erased":null}']),
        "log entry": Parser(logentry.read, [logentry.of(each) for each in published_world.ENVELOPES[:3]]),
        "naming": Parser(naming.names, lookup_world.ENTRIES),
        "note": Parser(notes.read, [notes.write(HEAD), *map(LOG.signed, (0, 9))], notes.write),
        "verifier key": Parser(
            lambda data: NoteKey.parse(data.decode(errors="surrogateescape")),
            [str(key).encode() for key in KEYS],
            lambda key: str(key).encode(),
        ),
        "checkpoint": Parser(
            lambda data: checkpoints.parse(data.decode(errors="surrogateescape")),
            [notes.read(LOG.signed(size)).text.encode() for size in (0, 1, 9)],
            lambda head: checkpoints.text(head).encode(errors="surrogateescape"),
        ),
        "cosignature": Parser(_line, [HEAD.signatures[1].data]),
        "index head": Parser(
            lambda data: lookup.index_head(checkpoints.parse(f"o\n1\n{'A' * 43}=\n{data.decode(errors='replace')}\n")),
            [lookup_world.checkpoint().extensions[0].encode()],
        ),
        "proof": Parser(logproof.read, [log_world.proof(), *published_world.PROOFS.values()], logproof.write),
        "look-up answer": Parser(
            lookup.read,
            [lookup_world.spelt(lookup_world.answer(each)) for each in (lookup_world.B, lookup_world.NOBODY)],
            lookup.write,
        ),
        "trust policy": Parser(lambda data: policyfile.read(data, "policy"), [log_world.POLICY.encode()]),
        "base64": Parser(
            lambda data: encoding.from_base64(data.decode(errors="surrogateescape"), "x"),
            [b"YQ==", b"AAAA", b"+/+/", b"YWI="],
            lambda value: encoding.to_base64(value).encode(),
        ),
        "public key": Parser(
            PublicKey, [fixed_key(1).public.der, log_world.WITNESSES["post"][1].public.der], lambda key: key.der
        ),
        "public key file": Parser(PublicKey.from_pem, [fixed_key(1).public.pem()]),
        "private key file": Parser(PrivateKey.from_pem, [PEM], None, 0.3),
        "misbehaviour": Parser(misbehaviour.read, [_found()], misbehaviour.write),
        "witness request": Parser(
            witnesswire.read_request,
            [witnesswire.write_request(Request(5, tuple(LOG.proof(5)), LOG.signed()))],
            witnesswire.write_request,
        ),
        "witness conflict": Parser(witnesswire.read_size, [b"0\n", b"20852163\n"], b"%d\n".__mod__),
        "witness lines": Parser(
            lambda data: witnesswire.cosigned(OWN, data, KEYS[:-1]),
            [notes.write(HEAD).removeprefix(OWN)],
        ),
        "witness memory": Parser(_memory, [b"time 5\n\n" + LOG.signed()]),
        "bundle of entries": Parser(
            tiles.unpack, [LOG.fetch_entries(0, 9)], lambda value: tiles.pack(value) if value else b""
        ),
        "tile path": Parser(
            lambda data: tiles.parse(data.decode(errors="replace")),
            [b"tile/0/x001/234.p/5", b"tile/entries/000", b"tile/3/255"],
            lambda tile: tile.path.encode(),
        ),
        "witness.yaml": Parser(_yaml(WitnessFile), [(SERVER / "witness.yaml").read_bytes()], None, 0.2),
        "registry.yaml": Parser(_yaml(RegistryFile), [(SERVER / "registry.yaml").read_bytes()], None, 0.2),
    }
)
