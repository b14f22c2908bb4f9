"""A bundle as OSCAL 1.2 (https://pages.nist.gov/OSCAL/): catalogs, profile, assessment plan, results, plan of action.

Each document is a plain dict, to be written beside the others under the name that they refer to it by. Statistics
stand in properties of Aloi's own namespace, since OSCAL has no place for an interval.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from urllib.parse import quote

from aloi.evidence.records import Plan, Verdict
from aloi.evidence.vouching import Attachment
from aloi.standards.crosswalks.oscal import (
    CATALOG,
    NS,
    Document,
    catalog_of,
    collection,
    collection_of,
    controls_catalog,
    line,
    metadata,
    props,
    requirements_catalog,
    statement,
)
from aloi.standards.exports.source import Source, attachments, figures, title
from aloi.standards.frameworks import Framework
from aloi.standards.gaps import NextStep
from aloi.standards.hub import MEASURED, Hub
from aloi.standards.judging import EvidenceItem, Judgement, by_hazard, judge

PROFILE = "profile.json"
PLAN, RESULTS, POAM = "assessment-plan.json", "assessment-results.json", "plan-of-action.json"
REASONS = {"supported": "pass", "not met": "fail", "partial": "other", "untested": "other"}


def documents(
    source: Source, hub: Hub, frameworks: Sequence[Framework], steps: Mapping[str, Sequence[NextStep]]
) -> dict[str, Document]:
    """File name to document; `steps` are the next steps by framework key."""
    judgements = judge(hub, source.items, today=date.fromisoformat(source.at[:10]))
    made = {
        CATALOG: controls_catalog(source, hub),
        PROFILE: _profile(source, hub),
        PLAN: _plan(source, hub),
        RESULTS: _results(source, hub, judgements),
        POAM: _poam(source, steps),
    }
    for framework in frameworks:
        made[catalog_of(framework.pack)] = requirements_catalog(source, framework.pack)
        if framework.rows:
            made[collection_of(framework.pack)] = collection(source, framework, source.words)
    return made


def _measured(hub: Hub) -> list[str]:
    return [control.id for control in hub.controls if control.proof in MEASURED]


def _profile(source: Source, hub: Hub) -> Document:
    names = _measured(hub)
    return {
        "profile": {
            "uuid": source.name("profile"),
            "metadata": metadata(source, "Controls of Aloi that are proved by measuring"),
            "imports": [{"href": CATALOG, "include-controls": [{"with-ids": names}]}],
        }
    }


def _reviewed(names: Sequence[str]) -> Document:
    return {"control-selections": [{"include-controls": [{"control-id": name} for name in names]}]}


def _bundle(source: Source) -> Document:
    """The bundle as a resource: what is exported can be checked against it alone."""
    hash_ = {"algorithm": "SHA-256", "value": source.verification.digest.removeprefix("sha256:")}
    return {
        "uuid": source.name("bundle"),
        "title": "Signed bundle of evidence",
        "description": "DSSE envelopes over in-toto statements; `aloi verify` checks it offline.",
        "rlinks": [{"href": "bundle.json", "hashes": [hash_]}],
    }


def _components(source: Source) -> list[Document]:
    return [
        {
            "uuid": source.name("system", subject.fingerprint),
            "type": "software",
            "title": line(subject.name),
            "description": "An AI system, named by the digest over all that defines it.",
            "props": props({"fingerprint": subject.fingerprint}),
            "status": {"state": "operational"},
        }
        for subject in source.verification.subject
    ]


def _plan(source: Source, hub: Hub) -> Document:
    plan = source.plan
    task = {
        "uuid": source.name("task"),
        "type": "action",
        "title": "Measure every hazard of the registered plan",
        "props": props(_planned(plan)) if plan else [],
    }
    return {
        "assessment-plan": {
            "uuid": source.name("assessment-plan"),
            "metadata": metadata(source, "Registered plan of measurement"),
            "import-ssp": {"href": f"#{source.name('bundle')}"},
            "reviewed-controls": _reviewed(_measured(hub)),
            "assessment-subjects": [{"type": "component", "include-all": {}}],
            "tasks": [{key: value for key, value in task.items() if value}],
            "back-matter": {"resources": [_bundle(source)]},
        }
    }


def _planned(plan: Plan) -> dict[str, str]:
    return {
        "registered-at": plan.registered_at,
        "alpha": str(plan.alpha),
        "multiplicity": plan.multiplicity,
        "hazards": " ".join(f"{one.hazard}<={one.threshold}" for one in plan.hazards),
    }


def _results(source: Source, hub: Hub, judgements: Mapping[str, Judgement]) -> Document:
    plan = source.plan
    result = {
        "uuid": source.name("result"),
        "title": "Measured results",
        "description": "Each verdict is at the threshold of the plan; what is not claimed stands in the bundle.",
        "start": _moment(plan.registered_at, source.at) if plan else source.at,
        "local-definitions": {"components": _components(source)},
        "reviewed-controls": _reviewed([name for name, one in judgements.items() if one.evidence] or _measured(hub)),
        "observations": [
            *(_observation(source, claim.digest) for claim, _ in source.measured()),
            *(_examined(source, item, record) for item, record in attachments(source)),
        ],
        "findings": [_finding(source, hub, one) for one in judgements.values() if one.evidence],
    }
    return {
        "assessment-results": {
            "uuid": source.name("assessment-results"),
            "metadata": metadata(source, "Results of measurement"),
            "import-ap": {"href": PLAN},
            "results": [{key: value for key, value in result.items() if value}],
            "back-matter": {"resources": [_bundle(source), *_files(source)]},
        }
    }


def _observation(source: Source, digest: str) -> Document:
    claim, record = next(one for one in source.measured() if one[0].digest == digest)
    return {
        "uuid": source.name("observation", digest),
        "title": line(title(record)),
        "description": "A signed statement of the bundle.",
        "props": props({"statement": digest, "kind": claim.name, **figures(record)}),
        "methods": ["TEST"],
        "types": ["finding"],
        "subjects": [{"subject-uuid": source.name("system", source.about(claim)), "type": "component"}],
        "relevant-evidence": [{"href": f"#{source.name('bundle')}", "description": f"Statement {digest}"}],
        "collected": source.at,  # from the bundle; a finding does not say when its trials were asked
    }


def _files(source: Source) -> list[Document]:
    """What was attached: each file by its name and digest, kept elsewhere."""
    return [
        {
            "uuid": source.name("file", item.digest),
            "title": line(item.subject[0].name),
            "description": "A file that somebody approved; its content was not read.",
            "props": props({"size": str(record.size), "approved-by": record.approved_by}),
            "rlinks": [
                {
                    "href": quote(item.subject[0].name),
                    "hashes": [{"algorithm": "SHA-256", "value": item.subject[0].digest.sha256}],
                }
            ],
        }
        for item, record in attachments(source)
    ]


def _examined(source: Source, item: EvidenceItem, record: Attachment) -> Document:
    told = {
        "statement": item.digest,
        "kind": "attachment",
        "control": record.control,
        "approved-by": record.approved_by,
        "valid-until": record.valid_until or "",
    }
    found = {
        "uuid": source.name("observation", item.digest),
        "title": line(f"attachment: {item.subject[0].name} answers {record.control}"),
        "description": "A signed statement beside the bundle. The file was not read.",
        "props": props(told),
        "methods": ["EXAMINE"],
        "types": ["control-objective"],
        "subjects": [{"subject-uuid": source.name("system", source.standing.fingerprint), "type": "component"}],
        "relevant-evidence": [{"href": f"#{source.name('file', item.digest)}", "description": item.subject[0].name}],
        "collected": _moment(f"{record.approved_on}T00:00:00Z", source.at),
        "expires": _moment(f"{record.valid_until}T23:59:59Z", ""),
    }
    return {key: value for key, value in found.items() if value}


def _moment(said: str, otherwise: str) -> str:
    """A moment as OSCAL takes one, in UTC and of the years 1900 to 2999; `otherwise` where it is none."""
    try:
        at = datetime.fromisoformat(said).astimezone(UTC)
    except (ValueError, OverflowError):
        return otherwise
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if 1900 <= at.year <= 2999 else otherwise


def _finding(source: Source, hub: Hub, judgement: Judgement) -> Document:
    observed = {claim.digest for claim, _ in source.measured()} | {item.digest for item, _ in attachments(source)}
    state = "satisfied" if judgement.state == "supported" else "not-satisfied"
    words = hub.control(judgement.control).title.en
    found = {
        "uuid": source.name("finding", judgement.control),
        "title": words,
        "description": f"{judgement.control}: {judgement.state}, at the stated thresholds.",
        "props": props(
            {
                "state": judgement.state,
                "failed": " ".join(judgement.failed),
                "undecided": " ".join(judgement.undecided),
                "missing": " ".join(judgement.missing),
            }
        ),
        "target": {
            "type": "statement-id",
            "target-id": statement(judgement.control),
            "status": {"state": state, "reason": REASONS[judgement.state]},
        },
        "related-observations": [
            {"observation-uuid": source.name("observation", one)} for one in judgement.evidence if one in observed
        ],
    }
    return {key: value for key, value in found.items() if value}


def _poam(source: Source, steps: Mapping[str, Sequence[NextStep]]) -> Document:
    asked: dict[tuple[str, str], list[str]] = {}
    told: dict[tuple[str, str], str] = {}
    for framework, some in steps.items():
        for step in some:
            key = (step.action, step.about)
            asked.setdefault(key, []).append(f"{framework} {step.requirement}")
            told.setdefault(key, step.message.format(**step.facts))
    items = [
        {
            "uuid": source.name("poam", *key),
            "title": line(told[key]),
            "description": f"For {len(names)} requirements: {', '.join(names)}",
            "props": props({"action": key[0], "about": key[1]}),
        }
        for key, names in asked.items()
    ]
    failed = [
        _observation(source, item.digest)
        for verdict, found in by_hazard(source.items).values()
        if verdict is Verdict.NOT_MET
        for item in found
    ]
    nothing = {
        "uuid": source.name("poam"),
        "title": "No gap",
        "description": "Every requirement that was looked at is proven.",
    }
    return {
        "plan-of-action-and-milestones": {
            "uuid": source.name("plan-of-action"),
            "metadata": metadata(source, "For each gap, the cheapest next evidence"),
            "system-id": {"identifier-type": NS, "id": source.standing.fingerprint},
            "local-definitions": {"components": _components(source)},
            **({"observations": failed} if failed else {}),
            "poam-items": items or [nothing],
            "back-matter": {"resources": [_bundle(source)]},
        }
    }
