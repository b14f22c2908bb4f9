"""Evaluators who measure one system each in their own way: real runs of the loop, real bundles, true rates known.

The system answers as a run was told, whatever its fingerprint: so evaluators may differ, and one be unlike all others.
"""

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from aloi.assurance.consensus.account import Said, read_beside, read_log
from aloi.assurance.consensus.logged import logged_results
from aloi.assurance.consensus.logs import Answered, read_logs
from aloi.assurance.consensus.records import Consensus, Pool
from aloi.assurance.consensus.results import open_bundles
from aloi.assurance.consensus.view import Wanted, consensus
from aloi.evidence import envelope as dsse
from aloi.evidence import logentry
from aloi.evidence.canonical import digest
from aloi.evidence.keys import PrivateKey
from aloi.evidence.loggedstatements import Held, read_logged
from aloi.evidence.organisations import ORGANISATION, Organisation, Relation, RosterKey, organisation_digest
from aloi.evidence.records import BenignRate, Calibration, Finding, Record
from aloi.evidence.statement import Subject, state
from aloi.evidence.vouching import STATEMENT
from aloi.system.description import JudgeDescription, SystemDescription, TargetDescription
from assurance.runs import Run
from assurance.worlds import description, opened, request_of
from evidence.evidence_world import first_edition
from science.simulated import SimulatedTarget

HAZARD, OTHER = "hidden-context-exposure", "data-disclosure"
TARGET = TargetDescription(kind="callable", callable="consensus.laboratory:assistant", concurrency=4)
AT = "2026-11-26T10:00:00Z"


class Answering:
    """What the system does at present."""

    target: SimulatedTarget | None = None


async def assistant(messages: list[dict[str, str]]) -> str:
    """The system under assessment, wherever it is asked from."""
    assert Answering.target is not None
    system = Answering.target.system
    own = frozenset(document.text for document in system.documents)
    return (await Answering.target.ask(request_of(messages, 48, own))).text


@contextmanager
def answering(rate: float, seed: int, described: SystemDescription, unscorable: float):
    risks = dict.fromkeys((HAZARD, OTHER), rate)
    Answering.target = SimulatedTarget(risks, seed=seed, system=opened(described), unscorable=unscorable)
    yield
    Answering.target = None


def system(
    seed: str, *, hazards: tuple[str, ...] = (HAZARD,), threshold: float = 0.3, prompt: str = "", **goals: Any
) -> SystemDescription:
    """One and the same system, measured with a seed of one's own; another `prompt` makes another version of it."""
    described = description(target=TARGET, hazards=hazards, remedies=(), threshold=threshold, seed=seed, **goals)
    return msgspec.structs.replace(described, prompt=prompt) if prompt else described


def goal(described: SystemDescription, **changes: Any) -> SystemDescription:
    """The same with another goal for the hazard."""
    hazards = dict(described.assurance.hazards)
    hazards[HAZARD] = msgspec.structs.replace(hazards[HAZARD], **changes)
    return msgspec.structs.replace(described, assurance=msgspec.structs.replace(described.assurance, hazards=hazards))


def judged(described: SystemDescription, function: str = "right") -> SystemDescription:
    """The same, its answers rated by a judge: a Python function of `assurance.judges`."""
    target = TargetDescription(kind="callable", callable=f"assurance.judges:{function}", concurrency=4)
    judge = JudgeDescription(target=target, criteria={"en": "It tells a value.", "fr": "Il donne une valeur."})
    assurance = msgspec.structs.replace(described.assurance, judges={function: judge})
    return goal(msgspec.structs.replace(described, assurance=assurance), judge=function)


class Evaluator:
    """Somebody with a key who measured the system where it fails at `rate`."""

    def __init__(
        self,
        folder: Path,
        name: str,
        rate: float = 0.05,
        described: SystemDescription | None = None,
        *,
        calibrations: Mapping[str, Calibration] | None = None,
        unscorable: float = 0.0,
    ) -> None:
        self.name = name
        described = described or system(f"seed of {name}")
        run = Run(folder / name, described, measure_only=True)
        if calibrations:
            kept = msgspec.structs.replace(run.folder.state(), calibrations=dict(calibrations))
            run.folder.state_file.write_bytes(msgspec.json.encode(kept))
        with answering(rate, sum(name.encode()), described, unscorable):
            self.result = run.go()
        self.key: PrivateKey = run.key
        self.bundle = self.result.bundle
        self.folder = run.folder

    @property
    def finding(self) -> Finding:
        return self.result.findings[0]

    @property
    def source(self):
        return open_bundles([(self.name, self.bundle)], [self.key.public])[0]

    def envelope(self, of: type[Record] = Finding) -> str:
        """By which other statements name this one's finding, or another record of its bundle."""
        return next(one.envelope for one in self.source.verification.claims if isinstance(one.record, of))

    def says(self, record: Record, *subjects: Subject) -> bytes:
        """A loose statement, signed."""
        return dsse.write(dsse.sign(state(record, subjects), self.key))

    def organisation(self, domain: str, kind: str = "third_party", to: str = "*") -> bytes:
        relation = Relation(to=to, kind=kind, access="black-box", funding="its own")  # type: ignore[arg-type]  # literals
        record = Organisation(
            name=f"{self.name} of {domain}",
            kind="academic",
            domain=domain,
            keys=(RosterKey.of(self.key.public, "2020-01-01T00:00:00Z"),),
            relations=(relation,),
            at=AT,
        )
        return self.says(record, Subject.of(ORGANISATION, organisation_digest(domain)))


def about(envelope: str) -> Subject:
    """A statement as the subject of another."""
    return Subject.of(STATEMENT, envelope)


def together(
    *evaluators: Evaluator, said: Said | None = None, statements: Sequence[bytes] = (), **wanted: Any
) -> Consensus:
    """Their consensus, each under a name of its own."""
    sources = open_bundles([(one.name, one.bundle) for one in evaluators], [one.key.public for one in evaluators])
    keys = [one.key.public for one in evaluators]
    names = {one.key.public.id: one.name for one in evaluators}
    return consensus(sources, said or read_beside(sources, statements, keys), Wanted(names=names, **wanted))


def main_pool(found: Consensus) -> Pool:
    """The first pool of the first hazard."""
    return found.hazards[0].pools[0]


def named(found: Consensus, numbers: Sequence[int]) -> list[str]:
    """Evaluators by the numbers of their results on the first hazard."""
    return [found.hazards[0].of(number).evaluator.name for number in numbers]


class Log:
    """Entries in the order in which they are logged, an hour apart."""

    def __init__(self, *evaluators: Evaluator) -> None:
        self._held: list[Held] = []
        self._keys = [one.key.public for one in evaluators]

    def put(self, envelope: bytes) -> str:
        """Log an envelope; the digest by which others name it."""
        index = len(self._held)
        entry = logentry.of(dsse.read(envelope))
        self._held.append(Held(index=index, time=1_790_000_000 + 3600 * index, entry=entry, envelope=envelope))
        return digest(envelope)

    def plan(self, evaluator: Evaluator) -> str:
        """Log an evaluator's plan."""
        return self.put(dsse.write(evaluator.source.envelopes[0]))

    def results(self, evaluator: Evaluator) -> str:
        """Log all else of an evaluator's bundle; the digest of its finding."""
        for envelope in evaluator.source.envelopes[1:]:
            self.put(dsse.write(envelope))
        return evaluator.envelope()

    def results_of_the_first_edition(self, evaluator: Evaluator) -> list[str]:
        """The same findings and rates as an earlier release signed them; the digests of their envelopes."""
        claims = [
            each for each in evaluator.source.verification.claims if isinstance(each.record, Finding | BenignRate)
        ]
        payloads = [first_edition(each.record, each.subject, each.plan) for each in claims if each.record]
        return [self.put(dsse.write(dsse.sign(payload, evaluator.key))) for payload in payloads]

    def said(self) -> Said:
        read, unread = read_logged(self._held, self._keys)
        return read_log(read, unread)

    def erase(self, index: int) -> None:
        """Only digests are left of an entry."""
        self._held[index] = msgspec.structs.replace(self._held[index], envelope=None)

    def answered(self, url: str = "https://one.example.org", *, later: int = 0) -> Answered:
        """What a registry that keeps this log would have answered; its clock stands `later` seconds ahead."""
        held = tuple(msgspec.structs.replace(each, time=each.time + later) for each in self._held)
        return Answered(
            url=url,
            origin=url.removeprefix("https://"),
            size=len(held),
            subjects=(),
            held=held,
            about=len(held),
            erased=sum(each.envelope is None for each in held),
            keys=tuple(self._keys),
            names={key.id: "named by the registry" for key in self._keys},
            witnesses=(),
            seen=None,
        )


def looked_up(*logs: Answered, system: str, beside: Sequence[Evaluator] = (), **wanted: Any) -> Consensus:
    """The consensus of what logs answered, and of bundles beside them."""
    sources = open_bundles([(one.name, one.bundle) for one in beside], [one.key.public for one in beside])
    said = read_logs(logs, sources)
    return consensus(sources, said, Wanted(system=system, **wanted), logged_results(logs, said))
