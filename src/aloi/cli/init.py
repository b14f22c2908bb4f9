"""`aloi init`: a system.yaml to start from."""

from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_


@click.command("init", help=say(N_("Write FOLDER/system.yaml, commented, with every field that matters.")))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@options.as_json
def command(folder: Path, *, as_json: bool) -> None:
    """An existing file is never overwritten."""
    from importlib.resources import files  # noqa: PLC0415 - beside its one use

    from aloi.errors import AskerError  # noqa: PLC0415 - as above

    file = folder / "system.yaml"
    template = files("aloi") / "examples" / "templates" / f"system.{language()}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(template.read_text(encoding="utf-8"))
    except OSError as error:
        raise AskerError(
            N_("cannot write {file}: {problem}"),
            remedy=N_("choose another folder, or edit the file that is there"),
            file=file,
            problem=error.strerror or error,
        ) from error
    if as_json:
        options.print_json({"file": str(file)})
        return
    click.echo(say(N_("Wrote {file}. Fill it in, then: aloi assure {folder}"), file=file, folder=folder))
