"""`aloi export`: write a verified bundle in a format that others' tools read."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import law, options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aloi.standards.exports.source import Source

FORMATS = ("oscal", "cyclonedx", "sarif", "svr", "stix")


@click.command(
    "export",
    help=say(
        N_(
            "Write BUNDLE as OSCAL (a folder), CycloneDX, SARIF, or a signed in-toto summary; or a signed incident, "
            "given the file of its statement, as STIX."
        )
    ),
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(FORMATS), required=True)
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help=say(N_("File to write; for OSCAL, a new folder."))
)
@options.frameworks
@options.statements
@options.trusted
@options.key
@click.option(
    "--despite-embargo",
    is_flag=True,
    help=say(N_("For STIX: share what was told beside a sealed text, before the day on which it may be.")),
)
@options.as_json
def command(
    bundle: Path,
    kind: str,
    output: Path,
    frameworks: tuple[str, ...],
    statements: Path | None,
    trust: tuple[Path, ...],
    key: Path | None,
    *,
    despite_embargo: bool,
    as_json: bool,
) -> None:
    """The bundle is verified first; the export is a copy, and the bundle stays what counts."""
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.exports.source import Source  # noqa: PLC0415 - as above

    options.refuse_to_overwrite(output)
    if kind == "stix":
        options.write_new(output, _stix(bundle, trust, despite_embargo=despite_embargo))
        options.print_written(N_("Written: {file}"), output, as_json=as_json)
        return
    verification = options.verified(bundle, trust)
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    more = options.said(statements, trust, verification)
    source = Source(verification=verification, at=at, attached=more.attached, words=more.rows)
    written = _made(source, kind, frameworks, key)
    if kind == "oscal":
        written = {f"{output}/{name}": content for name, content in written.items()}
        written[f"{output}/bundle.json"] = bundles.read(options.bundle_file(bundle))
    else:
        written = {str(output): next(iter(written.values()))}
    for name, content in written.items():
        options.write_new(Path(name), content)
    options.print_written(N_("Written: {file}"), output, as_json=as_json)


def _stix(file: Path, trust: tuple[Path, ...], *, despite_embargo: bool) -> bytes:
    """A signed incident for those who share threats, once its signature holds and its day has come."""
    from aloi.assurance.stating import now  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.errors import AskerError, EvidenceError  # noqa: PLC0415 - as above
    from aloi.evidence import envelope as dsse  # noqa: PLC0415 - as above
    from aloi.evidence import statement as statements  # noqa: PLC0415 - as above
    from aloi.evidence.bundle import read  # noqa: PLC0415 - as above
    from aloi.evidence.canonical import digest  # noqa: PLC0415 - as above
    from aloi.evidence.incidents import Incident  # noqa: PLC0415 - as above
    from aloi.science.hazards import hazards  # noqa: PLC0415 - as above
    from aloi.standards.exports import references, stix  # noqa: PLC0415 - as above

    remedy = N_("name a file that `aloi state incident` or `aloi state open` made")
    try:
        envelope = dsse.read(read(file))
    except EvidenceError as error:
        raise AskerError(N_("{file} states no incident"), remedy=remedy, file=file) from error
    opened = dsse.verify(envelope, options.trusted_keys(trust))
    statement = statements.read(opened.payload)
    claim = statements.claimed(statement)
    record = claim.record if claim else None
    if not isinstance(record, Incident):
        raise AskerError(N_("{file} states no incident"), remedy=remedy, file=file)
    until = stix.withheld(record, now())
    if until and not despite_embargo:
        raise AskerError(
            N_("{file} is under embargo until {until}"),
            remedy=N_(
                "wait, or open it by `aloi state open`; --despite-embargo shares what was told beside the sealed text"
            ),
            file=file,
            until=until,
        )
    known = hazards().get(record.hazard)
    told = stix.Told(
        record=record,
        envelope=digest(dsse.write(envelope)),
        signer=opened.signers[0].id,
        subjects=statement.subject,
        title=known.title["en"] if known else record.hazard,
        references=[(one.framework.partition("@")[0], one.id) for one in known.maps_to if not one.unconfirmed]
        if known
        else [],
    )
    document = stix.stix(told)
    references.require_whole(references.dangling_stix(document))
    return _json(document)


def _json(document: object) -> bytes:
    import json  # noqa: PLC0415 - only where something is written

    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _made(source: "Source", kind: str, frameworks: tuple[str, ...], key: Path | None) -> dict[str, bytes]:
    """File names and contents, once nothing in them points at what is not there."""
    from aloi.assurance.proving import signing_key  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence import envelope as dsse  # noqa: PLC0415 - as above
    from aloi.standards.coverage import cover  # noqa: PLC0415 - as above
    from aloi.standards.exports import cyclonedx, oscal, references, sarif, svr  # noqa: PLC0415 - as above
    from aloi.standards.frameworks import framework, names  # noqa: PLC0415 - as above
    from aloi.standards.gaps import next_evidence  # noqa: PLC0415 - as above
    from aloi.standards.hub import hub  # noqa: PLC0415 - as above

    chosen = [framework(name) for name in frameworks or names()]
    if kind in {"oscal", "cyclonedx"}:
        law.warn_if_stale(*(one.pack for one in chosen))
    if kind == "svr":
        return {"svr": dsse.write(svr.svr(source, signing_key(key or options.default_key())))}
    if kind == "sarif":
        documents: Mapping[str, object] = {"sarif": sarif.sarif(source)}
    else:
        today = date.fromisoformat(source.at[:10])
        coverages = [(one, cover(one, source.items, words=source.words, today=today)) for one in chosen]
        if kind == "cyclonedx":
            bom = cyclonedx.bom(source, coverages)
            references.require_whole(references.dangling_cyclonedx(bom))
            documents = {"bom": bom}
        else:
            steps = {
                one.pack.key: next_evidence(coverage, one, source.items, today=today) for one, coverage in coverages
            }
            documents = oscal.documents(source, hub(), chosen, steps)
            references.require_whole(references.dangling_oscal(documents))
    return {name: _json(one) for name, one in documents.items()}
