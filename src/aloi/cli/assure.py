"""`aloi assure`: the whole loop on a system."""

from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_


@click.command("assure", help=say(N_("Measure SYSTEM, try remedies, confirm them, sign what was found and report it.")))
@click.argument("system", type=click.Path(path_type=Path), required=False)
@click.option(
    "--resume", type=click.Path(path_type=Path), metavar="RUN", help=say(N_("Go on with a run that was interrupted."))
)
@options.runs
@options.key
@options.frameworks
@options.register
@options.believed
@options.as_json
@click.pass_context
def command(
    ctx: click.Context,
    system: Path | None,
    resume: Path | None,
    runs: Path,
    key: Path | None,
    frameworks: tuple[str, ...],
    register: str | None,
    policy: Path | None,
    *,
    as_json: bool,
) -> None:
    """Exit 0 when every hazard is met, 1 when one is not, 6 when it stays open."""
    from aloi.assurance.folder import RunFolder  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.cli.running import carry_out, start  # noqa: PLC0415 - as above
    from aloi.system.reading import open_system  # noqa: PLC0415 - as above

    if (system is None) == (resume is None):
        raise click.UsageError(say(N_("give a SYSTEM, or --resume RUN")), ctx)
    registry = options.registry(register, policy)
    folder = RunFolder(resume) if resume else start(open_system(system or Path()), runs, key or options.default_key())
    ctx.exit(carry_out(folder, frameworks, registry, as_json=as_json))
