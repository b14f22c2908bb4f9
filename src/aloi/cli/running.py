"""Run the loop from the command line and hand over what it made."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from aloi.assurance.folder import EDITION, RunFolder, RunState
from aloi.assurance.loop import SOFTWARE, Loop, Result, prepared
from aloi.assurance.practices import Practised, practised
from aloi.assurance.proving import kept_key, signing_key
from aloi.assurance.registering import Registry
from aloi.assurance.telling import tell_story, write_reports
from aloi.assurance.unasked import unasked
from aloi.cli.progress import progress_for
from aloi.cli.speech import tell
from aloi.errors import AloiError, EvidenceError
from aloi.evidence.bundle import read as read_bundle
from aloi.evidence.bundle import write as write_bundle
from aloi.evidence.canonical import digest
from aloi.science.trials import TrialLog
from aloi.standards.frameworks import names as framework_names
from aloi.system.reading import System
from aloi.system.target import target_kind
from aloi.translation import LANGUAGES, N_


def start(system: System, parent: Path, key: Path, *, measure_only: bool = False) -> RunFolder:
    """A folder for a new run of a system that can be run; the key is made where there is none."""
    from datetime import UTC, datetime  # noqa: PLC0415 - beside its one use

    with system.at("target"):
        model = target_kind(system.description.target).identity(system.description.target)
    prepared(system, measure_only=measure_only)
    signing_key(key)
    state = RunState(
        edition=EDITION,
        software=SOFTWARE,
        key=str(key.absolute()),
        description=system.description,
        documents=system.documents,
        model=model,
        measure_only=measure_only,
        corpora=system.corpora,
        calibrations=system.calibrations,
        exemplars=system.exemplars,
    )
    return RunFolder.create(parent, system.description.name, datetime.now(UTC), state)


def carry_out(
    folder: RunFolder,
    frameworks: Sequence[str],
    registry: Registry | None = None,
    *,
    as_json: bool,
    offline: bool = False,
) -> int:
    """Run the loop in a folder, write bundle and reports, print the outcome; the exit code of the result.

    The plan is first published in `registry`, where there is one.
    """
    key = kept_key(Path(folder.state().key))
    progress = progress_for(as_json=as_json)
    try:
        with progress:
            loop = Loop(folder, key, progress, frameworks or framework_names(), registry)
            result = _run(loop, offline=offline)
            if offline and result.labels == folder.spent().labels:  # what was handed out stays as it is
                result = msgspec.structs.replace(result, bundle=read_bundle(folder.bundle))
            else:
                write_bundle(result.bundle, folder.bundle)
            progress.stage("report")
            with TrialLog(folder.trials) as log:
                story = tell_story(result, folder, key.public, log)
            reports = write_reports(story, folder)
    except EvidenceError:  # the folder was changed: to go on with it would end here again
        raise
    except (AloiError, KeyboardInterrupt, asyncio.CancelledError):
        if folder.plan.exists():
            tell(N_("To go on: aloi assure --resume {folder}"), folder=folder.path)
        raise
    if as_json:
        click.echo(msgspec.json.encode(_summary(result, folder, reports, practised(story))).decode())
    else:
        progress.outcome(result, folder, reports)
        if offline:
            progress.detail(result)
    return result.exit_code()


def _run(loop: Loop, *, offline: bool) -> Result:
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        return asyncio.run(loop.run(offline=offline))
    return uvloop.run(loop.run(offline=offline))


def _summary(
    result: Result, folder: RunFolder, reports: dict[str, Path], practices: Sequence[Practised]
) -> dict[str, object]:
    return {
        "run": str(folder.path),
        "exit_code": result.exit_code(),
        "findings": result.findings,
        "remaining": result.remaining(),
        "benign": result.benign,
        "hunts": result.hunts,
        "unasked": unasked(result.signed.plan, result.system.description.languages),
        "tried": result.tried,
        "effect": result.effect,
        "stopped_by": result.stopped_by,
        "practices": practices,
        "bundle": str(folder.bundle),
        "bundle_digest": digest(result.bundle),
        "public_key": str(folder.public_key),
        "reports": {language: str(reports[language]) for language in LANGUAGES},
    }
