"""Bundles to draft from: one with findings, one with a plan alone, and the folder of the run that made one."""

import hashlib
from pathlib import Path

import msgspec

from aloi.assurance.folder import EDITION, RunState
from aloi.evidence.bundle import pack
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.envelope import sign
from aloi.evidence.keys import PrivateKey
from aloi.evidence.records import Record
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Attachment
from aloi.system.description import SystemDescription
from aloi.system.reading import System
from evidence.evidence_world import World, fixed_key, plan

HOSTILE = """# a heading
](javascript:alert(1)) <script>alert(1)</script> `code` **bold** & https://example.org www.example.org"""


def planned() -> bytes:
    """A bundle that holds nothing but a plan."""
    world = World()
    world.claims, world.coverage = [], ()
    return world.pack()


def described(purpose: str) -> SystemDescription:
    """A system in words; nothing in it is asked."""
    told = {
        "name": "bank",
        "title": "A bank",
        "purpose": purpose,
        "owner": "Somebody",
        "languages": ["en", "fr"],
        "prompt": "Answer.",
        "assurance": {"hazards": {"hidden-context-exposure": {"threshold": 0.05}}, "benign": {"max_loss": 0.05}},
        "target": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "model": "model-1"},
    }
    return msgspec.convert(told, SystemDescription)


def run(folder: Path, purpose: str, *, name: str = "bank") -> PrivateKey:
    """The folder of a run: its description, and a bundle whose plan is over its fingerprint."""
    description = described(purpose)
    system = System(description, (), "model-1")
    subject = Subject.of(name, system.fingerprint())
    key = fixed_key()
    statement = state(plan(system=subject.fingerprint), [subject])
    folder.mkdir()
    (folder / "bundle.json").write_bytes(pack([sign(statement, key)], [key.public], key))
    written = RunState(
        edition=EDITION, software="aloi", key="k", description=description, documents=(), model="model-1"
    )
    (folder / "run.json").write_bytes(msgspec.json.encode(written))
    return key


def attach(folder: Path, control: str, name: str, by: str, *, until: str | None = None) -> Path:
    """A signed statement that a file answers a control."""
    record: Record = Attachment(control=control, size=3, approved_by=by, approved_on="2026-11-01", valid_until=until)
    subject = Subject.of(name, "sha256:" + hashlib.sha256(name.encode()).hexdigest())
    payload = state(record, [subject])
    folder.mkdir(exist_ok=True)
    file = folder / f"{digest(payload)[-8:]}.dsse.json"
    file.write_bytes(canonical(sign(payload, fixed_key())))
    return file
