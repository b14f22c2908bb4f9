"""A bundle as a CycloneDX 1.7 ML-BOM (ECMA-424): the system with its model card, and declarations about it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from aloi import __version__
from aloi.evidence.records import BenignRate, Coverage, Effect, Finding, Hunt, Verdict
from aloi.evidence.vouching import Attachment
from aloi.standards.crosswalks.oscal import told_stale
from aloi.standards.exports.source import Measured, Source, attachments, figures, title
from aloi.standards.frameworks import Framework
from aloi.standards.judging import EvidenceItem
from aloi.standards.pack import freshness

SPEC = "1.7"
Document = dict[str, Any]


def bom(source: Source, coverages: Sequence[tuple[Framework, Coverage]]) -> Document:
    """The document. A requirement that evidence reaches has an attestation; one that is not met has a counter-claim.

    No score of conformance is given: the verdicts stand as they are, at their thresholds.
    """
    subject = source.standing
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{source.name('bom')}",
        "version": 1,
        "metadata": {
            "timestamp": source.at,
            "tools": {"components": [{"type": "application", "name": "aloi", "version": __version__}]},
            "component": _component(source, subject.fingerprint, subject.name),
        },
        "components": [
            _component(source, one.fingerprint, one.name) for one in source.verification.subject if one != subject
        ],
        "declarations": _declarations(source, coverages),
        "definitions": {"standards": [_standard(framework, source.at) for framework, _ in coverages]},
    }
    return {key: value for key, value in document.items() if value}


def _system(fingerprint: str) -> str:
    return f"system:{fingerprint}"


def _component(source: Source, fingerprint: str, name: str) -> Document:
    metrics = [
        metric
        for claim, record in source.measured()
        if isinstance(record, Finding | BenignRate) and source.about(claim) == fingerprint
        for metric in [_metric(record)]
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": _system(fingerprint),
        "name": name,
        "description": "An AI system, named by the digest over model, instructions, tools, documents and guards.",
        "hashes": [{"alg": "SHA-256", "content": fingerprint.removeprefix("sha256:")}],
        **({"modelCard": {"quantitativeAnalysis": {"performanceMetrics": metrics}}} if metrics else {}),
    }


def _metric(record: Finding | BenignRate) -> Document:
    estimate = record.estimate
    kind = "rate of ordinary requests answered"
    part = f"stage {record.stage}"
    if isinstance(record, Finding):
        kind = f"rate of {record.counts}: {record.hazard}"
        part = f"{part}; verdict {record.verdict} at threshold {record.threshold}"
    return {
        "type": kind,
        "value": str(estimate.value),
        "slice": part,
        "confidenceInterval": {"lowerBound": str(estimate.low), "upperBound": str(estimate.high)},
    }


def _declarations(source: Source, coverages: Sequence[tuple[Framework, Coverage]]) -> Document:
    assessors = [
        {"bom-ref": f"assessor:{signer}", "organization": {"name": f"holder of key {signer}"}}
        for signer in source.signers
    ]
    measured = list(source.measured())
    against = {claim.digest for claim, record in measured if _refuted(record)}
    pieces = [
        *(
            _Piece(claim.digest, source.about(claim), claim.name, title(record), figures(record))
            for claim, record in measured
        ),
        *(_attached(source, item, record) for item, record in attachments(source)),
    ]
    known = {piece.digest for piece in pieces}
    attestations = [
        {
            "summary": f"{framework.pack.title.en} ({framework.pack.key}): what the evidence says, no conformity",
            "assessor": assessors[0]["bom-ref"],
            "map": rows,
        }
        for framework, coverage in coverages
        if (rows := _map(framework, coverage, known, against))
    ]
    return {
        "assessors": assessors,
        "attestations": attestations,
        "claims": [
            {
                "bom-ref": f"claim:{piece.digest}",
                "target": _system(piece.system),
                "predicate": piece.title,
                "reasoning": "A signed statement.",
                "evidence": [f"evidence:{piece.digest}"],
            }
            for piece in pieces
        ],
        "evidence": [
            {
                "bom-ref": f"evidence:{piece.digest}",
                "propertyName": piece.kind,
                "description": f"Statement {piece.digest}, seen with bundle {source.verification.digest}",
                "data": [
                    {"name": name, "contents": {"attachment": {"content": value}}}
                    for name, value in piece.figures.items()
                ],
            }
            for piece in pieces
        ],
    }


class _Piece(NamedTuple):
    """One statement: of which system, of which kind, and what it says."""

    digest: str
    system: str
    kind: str
    title: str
    figures: dict[str, str]


def _attached(source: Source, item: EvidenceItem, record: Attachment) -> _Piece:
    file = item.subject[0]
    told = {
        "file": file.name,
        "sha256": file.digest.sha256,
        "control": record.control,
        "approved-by": record.approved_by,
        "approved-on": record.approved_on,
    }
    said = f"attachment: {file.name} answers {record.control}"
    return _Piece(item.digest, source.standing.fingerprint, "attachment", said, told)


def _refuted(record: Measured) -> bool:
    if isinstance(record, Effect):
        return not record.accepted
    return isinstance(record, Finding | Hunt) and record.verdict is Verdict.NOT_MET


def _map(framework: Framework, coverage: Coverage, known: set[str], against: set[str]) -> list[Document]:
    rows = []
    for item in coverage.requirements:
        found = [one for one in item.evidence if one in known]
        if not found:
            continue
        row: Document = {"requirement": _requirement(framework, item.requirement)}
        for name, some in (
            ("claims", [one for one in found if one not in against]),
            ("counterClaims", [one for one in found if one in against]),
        ):
            if some:
                row[name] = [f"claim:{one}" for one in some]
        row["conformance"] = {"rationale": f"{item.state}; the mapping is {item.mapping}"}
        rows.append(row)
    return rows


def _requirement(framework: Framework, requirement: str) -> str:
    return f"requirement:{framework.pack.key}:{requirement}"


def _standard(framework: Framework, at: str) -> Document:
    pack = framework.pack
    checked = freshness(pack, date.fromisoformat(at[:10]))
    known = f"Ids, in the words of Aloi; checked on {pack.checked_on}."
    return {
        "bom-ref": f"standard:{pack.key}",
        "name": pack.title.en,
        "version": pack.edition,
        "description": " ".join((known, *told_stale(checked), *(one.en for one in pack.doubts()))),
        "owner": pack.publisher,
        "requirements": [
            {
                "bom-ref": _requirement(framework, one.id),
                "identifier": one.id,
                "title": one.title.en,
                "properties": [{"name": "aloi:certainty", "value": pack.sure(one)}],
            }
            for one in pack.requirements
        ],
    }
