"""Three registries on one machine, a public institute, a company and a university, each witnessing the two others.

`make bench BENCH=federation`. Six processes serve; statements are published in all three and looked up under a policy
that asks for both other houses. Then the company cheats in four ways, and what its readers are told is printed: by the
commands that they have, with the reason and the exit code.
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import text

from aloi.evidence import cosignatures, logentry, notes
from aloi.evidence import envelope as dsse
from aloi.evidence.keys import PrivateKey, load
from aloi.evidence.naming import NOTHING, Named, names
from aloi.evidence.notes import ED25519, NoteKey, Signature
from aloi.evidence.policyfile import read as read_policy
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import Endorsement
from aloi.registry import indexstore, misbehaviour
from aloi.registry.backup import backup, restore
from aloi.registry.database import Database
from aloi.registry.log import Log
from aloi.registry.sharing import find, share
from benchmarks.bars import bar
from benchmarks.registry.processes import COMMAND, free_port, serving

HOUSES = ("institute", "company", "university")
AUTHOR = PrivateKey.generate()
SYSTEM = Subject.of("assistant", "sha256:" + "5e" * 32)
FIRST, SINGLE = 200, 40
UNFAVOURABLE, NEXT, OTHER = 7_777, 8_888, 9_999


def envelope(number: int) -> bytes:
    """A statement about the one system."""
    record = Endorsement(organisation=f"evaluator {number}", at="2026-11-26")
    return dsse.write(dsse.sign(state(record, [SYSTEM]), AUTHOR))


class House:
    """A registry and a witness, begun by their commands, in a folder."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.folder = root / name
        self.origin, self.witness_name = f"{name}.example/log", f"{name}.example/witness"
        self.port, self.witness_port = free_port(), free_port()
        run("registry", "init", self.folder, "--name", self.origin)
        run("registry", "witness", "init", self.folder / "witness", "--name", self.witness_name)
        self.key = load(self.folder / "log.pem")
        self.witness = load(self.folder / "witness" / "witness.pem")
        (self.folder / "author.pem").write_bytes(AUTHOR.public.pem())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_key(self) -> NoteKey:
        return NoteKey(self.origin, ED25519, self.key.public)

    @property
    def witness_key(self) -> NoteKey:
        return cosignatures.witness_key(self.witness_name, self.witness)

    def write(self, houses: list["House"]) -> None:
        """registry.yaml, witness.yaml and the policy of this log's readers: both other houses must have seen it."""
        others = [each for each in houses if each is not self]
        self.settings(self.folder, self.port, others)
        witness = {
            "name": self.witness_name,
            "keys": ["witness.pem"],
            "listen": f"127.0.0.1:{self.witness_port}",
            "requests_per_minute": 100_000,
            "logs": [str(each.log_key) for each in others],
            "follow": [{"log": each.origin, "url": each.url} for each in others],
        }
        (self.folder / "witness" / "witness.yaml").write_text(json.dumps(witness))
        lines = [f"log {self.log_key}"]
        for each in others:
            lines += [f"witness {each.name} {each.witness_key}", f"operator House-{each.name} {each.name}"]
        lines += [f"group both all {' '.join(f'House-{each.name}' for each in others)}", "quorum both"]
        (self.folder / "trust.policy").write_text("\n".join(lines) + "\n")

    def settings(self, folder: Path, port: int, witnesses: list["House"]) -> Path:
        """A registry.yaml for this log in a folder."""
        folder.mkdir(exist_ok=True)
        for name in ("log.pem", "author.pem"):
            if not (folder / name).exists():
                shutil.copy(self.folder / name, folder / name)
        told = {
            "name": self.origin,
            "key": "log.pem",
            "listen": f"127.0.0.1:{port}",
            "submitters": [{"name": "evaluator", "keys": ["author.pem"], "per_hour": 100_000}],
            "witnesses": [
                {"key": str(each.witness_key), "url": f"http://127.0.0.1:{each.witness_port}"} for each in witnesses
            ],
            "limits": {"requests_per_minute": 100_000},
        }
        file = folder / "registry.yaml"
        file.write_text(json.dumps(told))
        return file

    def database(self, folder: Path | None = None) -> str:
        return f"sqlite:///{folder or self.folder}/registry.db"


def run(*words: object) -> tuple[int, str]:
    """A command, run to its end: its exit code, and the reason and sentence where it failed."""
    ended = subprocess.run(
        [*COMMAND, *map(str, words), "--json"], capture_output=True, text=True, timeout=120, check=False
    )
    told = json.loads(ended.stdout or "{}")
    reason = told.get("reason") or told.get("error", "")
    return ended.returncode, reason if ended.returncode else ""


def honest(houses: list[House]) -> None:
    """Publish in all three, and look everything up."""
    for house in houses:
        policy = read_policy((house.folder / "trust.policy").read_bytes(), "trust.policy")
        asyncio.run(share(house.url, [envelope(number) for number in range(FIRST)], policy))
        waits = []
        for number in range(FIRST, FIRST + SINGLE):
            start = time.perf_counter()
            asyncio.run(share(house.url, [envelope(number)], policy))
            waits.append((time.perf_counter() - start) * 1_000)
        found = asyncio.run(find(house.url, SYSTEM.fingerprint, policy))
        seen = " and ".join(each.operator for each in found.complete.witnesses)
        waits.sort()
        print(
            f"{house.origin}: {len(found.held)} statements looked up, seen by {seen}; from publishing one to its "
            f"verified proof: median {statistics.median(waits):.0f} ms, 95 % within {waits[int(SINGLE * 0.95)]:.0f} ms"
        )
        many = FIRST + SINGLE
        bar(f"{house.name}: statements found", str(len(found.held)), str(many), met=len(found.held) == many)


def told(what: str, reader: str, got: tuple[int, str], wanted: tuple[int, str]) -> None:
    """What a reader of the company's log is told."""
    bar(f"{what}: {reader}", " ".join(map(str, got)), " ".join(map(str, wanted)), met=got == wanted)


def look_up(company: House, url: str) -> tuple[int, str]:
    """What a reader is told whose policy asks for both other houses."""
    return run("lookup", SYSTEM.fingerprint, "--from", url, "--policy", company.folder / "trust.policy")


def mirrored(house: House, company: House, url: str) -> tuple[int, str]:
    """What a house is told that keeps a copy of the company's log."""
    return run("registry", "mirror", url, house.folder / "copy", "--policy", company.folder / "trust.policy")


def fork(company: House, root: Path, given: list[int], name: str) -> Log:
    """Another history under the company's key, in a folder of its own."""
    folder = root / name
    company.settings(folder, 0, [])
    log = Log.open(company.database(folder), company.key, company.origin)
    for first in range(0, len(given), 500):
        log.append([envelope(number) for number in given[first : first + 500]], [AUTHOR.public])
    return log


def split_view(company: House, institute: House, root: Path) -> None:
    """Some readers are shown a log without one statement, and with another in its place."""
    given = [*range(FIRST + SINGLE - 1), OTHER]
    fork(company, root, given, "fork").close()
    with serving("serve", root / "fork" / "registry.yaml") as url:
        told("split view", "a reader", look_up(company, url), (4, "too-few-witnesses"))
        told("split view", "a mirror", mirrored(institute, company, url), (4, "fork"))
    (evidence,) = (institute.folder / "copy" / "evidence").iterdir()
    proven = misbehaviour.verify(evidence.read_bytes(), [company.log_key]).proven
    bar("split view: evidence that a stranger checks offline", str(proven), "True", met=proven)


def rollback(company: House, university: House, older: Path, houses: list[House], root: Path) -> None:
    """The log is put back to a copy from before."""
    folder = root / "older"
    file = company.settings(folder, 0, [each for each in houses if each is not company])
    restore(older, company.database(folder), company.log_key)
    with serving("serve", file) as url:
        told("rollback", "a mirror", mirrored(university, company, url), (4, "rollback"))
        told("rollback", "who publishes", (*published(company, url, root)[:1], ""), (5, ""))


def published(company: House, url: str, root: Path) -> tuple[int, str]:
    """What somebody is told who publishes a statement."""
    file = root / "one.dsse.json"
    file.write_bytes(envelope(NEXT))
    policy, author = company.folder / "trust.policy", company.folder / "author.pem"
    return run("share", file, "--to", url, "--policy", policy, "--trust", author, "--proofs", root / "proofs")


def hidden_entry(company: House, institute: House, root: Path) -> None:
    """The running log gains an unfavourable statement, under its signed root and in no look-up."""
    hidden = logentry.of(dsse.read(envelope(UNFAVOURABLE)))

    def lying(entry: bytes) -> Named:
        return NOTHING if entry == hidden else names(entry)

    honest_names, indexstore.names = indexstore.names, lying
    try:
        log = Log.open(company.database(), company.key, company.origin)
        log.append([envelope(UNFAVOURABLE)], [AUTHOR.public])
        log.close()
    finally:
        indexstore.names = honest_names
    told("hidden entry", "a reader", look_up(company, company.url), (4, "too-few-witnesses"))
    told("hidden entry", "who publishes next", published(company, company.url, root), (4, "too-few-witnesses"))
    told("hidden entry", "a mirror", mirrored(institute, company, company.url), (4, "false-index"))


def forged_cosignature(company: House) -> None:
    """The company signs in the institute's name."""
    forger = PrivateKey.generate()
    database = Database(company.database())
    with database.writing() as connection:
        size, kept = connection.execute(text("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1")).one()
        note = notes.read(kept)
        plain = note._replace(signatures=tuple(line for line in note.signatures if line.name == company.origin))
        line = cosignatures.cosign(plain, "institute.example/witness", forger, 1_900_000_000).signatures[-1]
        theirs = next(each for each in note.signatures if each.name == "institute.example/witness")
        rest = tuple(each for each in note.signatures if each is not theirs)
        forged = notes.write(note._replace(signatures=(*rest, Signature(theirs.name, theirs.id, line.data))))
        connection.execute(
            text("UPDATE checkpoints SET note = :note WHERE size = :size"), {"note": forged, "size": size}
        )
    database.close()
    told("forged cosignature", "a reader", look_up(company, company.url), (4, "bad-signature"))


def main() -> None:
    """Print what happens."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        root = Path(folder)
        houses = [House(root, name) for name in HOUSES]
        institute, company, university = houses
        for house in houses:
            house.write(houses)
        for house in houses:
            stack.enter_context(serving("witness", "serve", house.folder / "witness" / "witness.yaml"))
        for house in houses:
            stack.enter_context(serving("serve", house.folder / "registry.yaml"))
        older = root / "older.db"
        backup(company.database(), older, company.log_key)
        honest(houses)
        for house in (institute, university):
            told("the honest log", f"the {house.name}'s mirror", mirrored(house, company, company.url), (0, ""))
        split_view(company, institute, root)
        rollback(company, university, older, houses, root)
        forged_cosignature(company)
        hidden_entry(company, institute, root)


if __name__ == "__main__":
    main()
