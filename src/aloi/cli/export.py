"""`aloi export`: write a verified bundle in a format that others' tools read."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aloi.standards.exports.evidence import Evidence

FORMATS = ("oscal", "cyclonedx", "sarif", "svr")


@click.command(
    "export", help=say(N_("Write BUNDLE as OSCAL (a folder), CycloneDX, SARIF, or a signed in-toto summary."))
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(FORMATS), required=True)
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help=say(N_("File to write; for OSCAL, a new folder."))
)
@options.frameworks
@options.trusted
@options.key
@options.as_json
def command(
    bundle: Path,
    kind: str,
    output: Path,
    frameworks: tuple[str, ...],
    trust: tuple[Path, ...],
    key: Path | None,
    *,
    as_json: bool,
) -> None:
    """The bundle is verified first; the export is a copy, and the bundle stays what counts."""
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.verification import verify_bundle  # noqa: PLC0415 - as above
    from aloi.standards.exports.evidence import Evidence  # noqa: PLC0415 - as above

    options.refuse_to_overwrite(output)
    path = bundle / "bundle.json" if bundle.is_dir() else bundle
    verification = verify_bundle(bundles.read(path), options.trusted_keys(trust))
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    evidence = Evidence(verification=verification, at=at)
    written = _made(evidence, kind, frameworks, key)
    if kind == "oscal":
        written = {f"{output}/{name}": content for name, content in written.items()}
        written[f"{output}/bundle.json"] = path.read_bytes()
    else:
        written = {str(output): next(iter(written.values()))}
    _write(written)
    options.print_written(N_("Written: {file}"), output, as_json=as_json)


def _made(evidence: "Evidence", kind: str, frameworks: tuple[str, ...], key: Path | None) -> dict[str, bytes]:
    """File names and contents, once nothing in them points at what is not there."""
    import json  # noqa: PLC0415 - only where something is written

    from aloi.assurance.proving import signing_key  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence import envelope as dsse  # noqa: PLC0415 - as above
    from aloi.standards.coverage import cover  # noqa: PLC0415 - as above
    from aloi.standards.exports import cyclonedx, oscal, references, sarif, svr  # noqa: PLC0415 - as above
    from aloi.standards.frameworks import framework, names  # noqa: PLC0415 - as above
    from aloi.standards.gaps import next_evidence  # noqa: PLC0415 - as above
    from aloi.standards.hub import hub  # noqa: PLC0415 - as above

    if kind == "svr":
        return {"svr": dsse.write(svr.svr(evidence, signing_key(key or options.default_key())))}
    if kind == "sarif":
        documents: Mapping[str, object] = {"sarif": sarif.sarif(evidence)}
    else:
        chosen = [framework(name) for name in frameworks or names()]
        coverages = [(one, cover(one, evidence.items)) for one in chosen]
        if kind == "cyclonedx":
            bom = cyclonedx.bom(evidence, coverages)
            references.require_whole(references.dangling_cyclonedx(bom))
            documents = {"bom": bom}
        else:
            steps = {one.pack.key: next_evidence(coverage, one, evidence.items) for one, coverage in coverages}
            documents = oscal.documents(evidence, hub(), chosen, steps)
            references.require_whole(references.dangling_oscal(documents))
    return {name: json.dumps(one, ensure_ascii=False, indent=1).encode() + b"\n" for name, one in documents.items()}


def _write(files: "Mapping[str, bytes]") -> None:
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs

    for name, content in files.items():
        path = Path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise AskerError(
                N_("cannot write {file}: {problem}"), file=path, problem=error.strerror or error
            ) from error
