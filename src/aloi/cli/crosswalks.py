"""`aloi standards export` and `import`: mapping rows in the formats in which others exchange them."""

from datetime import UTC, datetime
from pathlib import Path

import click

from aloi.cli import law, options
from aloi.cli.speech import say
from aloi.translation import N_

FORMATS = ("sssom", "olir", "oscal")

exchanged = click.option("--format", "kind", type=click.Choice(FORMATS), default="sssom", show_default=True)


@click.command(
    "export",
    help=say(
        N_("Write the mapping of FRAMEWORK as SSSOM (TSV), in NIST's OLIR columns (CSV), or as OSCAL (a new folder).")
    ),
)
@click.argument("framework")
@exchanged
@options.output
@options.as_json
def export(framework: str, kind: str, output: Path | None, *, as_json: bool) -> None:
    """A table is printed, where no file is named."""
    import json  # noqa: PLC0415 - only where something is written

    from aloi.standards.crosswalks import olir, oscal, sssom  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.exports import references  # noqa: PLC0415 - as above
    from aloi.standards.frameworks import framework as named  # noqa: PLC0415 - as above
    from aloi.standards.hub import hub  # noqa: PLC0415 - as above

    found = named(framework)
    law.warn_if_stale(found.pack)
    if kind == "oscal":
        folder = output or Path(f"oscal.{framework}")
        options.refuse_to_overwrite(folder)
        made = oscal.documents(found, hub(), datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
        references.require_whole(references.dangling_oscal(made))
        for name, document in made.items():
            options.write_new(folder / name, json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")
        options.print_written(N_("Written: {file}"), folder, as_json=as_json)
        return
    text = sssom.write_sssom(found, hub()) if kind == "sssom" else olir.write_olir(found, hub())
    _print_or_write(text, output, as_json=as_json)


@click.command(
    "import",
    help=say(N_("Check FILE, the mapping of FRAMEWORK in one of these formats, against the hub; write it as rows.")),
)
@click.argument("framework")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@exchanged
@options.output
@options.as_json
def import_(framework: str, file: Path, kind: str, output: Path | None, *, as_json: bool) -> None:
    """Every fault is told by its row; nothing is written where there is one."""
    from aloi.standards.crosswalks import olir, oscal, sssom  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.files import contents  # noqa: PLC0415 - as above
    from aloi.standards.frameworks import framework as named  # noqa: PLC0415 - as above
    from aloi.standards.hub import hub  # noqa: PLC0415 - as above
    from aloi.standards.mapping import written  # noqa: PLC0415 - as above

    readers = {"sssom": sssom.read_sssom, "olir": olir.read_olir, "oscal": oscal.read_oscal}
    rows = readers[kind](contents(file), file.name, named(framework), hub())
    _print_or_write(written(rows), output, as_json=as_json)


def _print_or_write(text: str, output: Path | None, *, as_json: bool) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    options.write_new(output, text.encode())
    options.print_written(N_("Written: {file}"), output, as_json=as_json)
