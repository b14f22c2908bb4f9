"""`aloi standards atlas`: MITRE's own file against the ids that Aloi cites, and the whole of it as a pack."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aloi.standards.atlas import Fate, Release

OURS = "mitre-atlas@2026.09"
FATES = {
    "same": N_("{id}  stands as {ours}"),
    "renamed": N_("{id}  is called {theirs} now; we know it as {ours}"),
    "deprecated": N_("{id}  is marked deprecated: {theirs}"),
    "gone": N_("{id}  is not there; we know it as {ours}"),
}
STOOD = 0
CHANGED = 1


@click.command(
    "atlas",
    help=say(N_("Read MITRE's ATLAS file FILE: what became of the ids that Aloi cites, and the whole as a pack.")),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Pack to write: all tactics, techniques and mitigations of the file.")),
)
@click.option("--check", is_flag=True, help=say(N_("Exit 1 where an id is gone, deprecated or renamed.")))
@options.as_json
def atlas(file: Path, output: Path | None, *, check: bool, as_json: bool) -> None:
    """MITRE's file is fetched by the user: Aloi asks no server for it."""
    from aloi.standards.atlas import LIMIT, fates, read_atlas, whole  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.files import contents  # noqa: PLC0415 - as above
    from aloi.standards.frameworks import framework  # noqa: PLC0415 - as above

    ours = framework(OURS).pack
    release = read_atlas(contents(file, LIMIT), file.name)
    found = fates(release, ours)
    if output:
        options.write_new(output, whole(release, ours, today=datetime.now(UTC).date()).encode())
    if as_json:
        told = {"version": release.version, "counts": release.counts(), "against": ours.key, "ids": found}
        options.print_json({**told, "file": str(output) if output else None})
    else:
        for line in _lines(release, found, output, ours.id):
            click.echo(line)
    changed = any(fate.state != "same" for fate in found)
    click.get_current_context().exit(CHANGED if check and changed else STOOD)


def _lines(release: "Release", found: "Iterable[Fate]", output: Path | None, name: str) -> "Iterable[str]":
    from aloi.standards.frameworks import names  # noqa: PLC0415 - heavy modules load when a command runs

    counts = {kind: release.counts().get(kind, 0) for kind in ("tactic", "technique", "mitigation")}
    message = N_("MITRE ATLAS {version}: tactics {tactic}, techniques {technique}, mitigations {mitigation}")
    yield say(message, version=release.version, **counts)
    yield say(N_("Ids of {framework}, what needs a look first:"), framework=OURS)
    for fate in found:
        elsewhere = say(N_(" (that name is now at {ids})"), ids=", ".join(fate.elsewhere)) if fate.elsewhere else ""
        yield f"  {say(FATES[fate.state], id=fate.id, ours=fate.ours, theirs=fate.theirs)}{elsewhere}"
    if output:
        yield say(N_("Written: {file}"), file=output)
        key = f"{name}@{release.version}"
        if key in names():
            yield say(N_("{key} is installed already: give the pack an id of its own, then register it."), key=key)
        else:
            yield say(N_("Register it under aloi.frameworks as {key}; its rows are yours to write."), key=key)
