"""`aloi measure`: measure and sign, without trying a remedy."""

from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_


@click.command("measure", help=say(N_("Measure SYSTEM and sign the findings; no remedy is tried.")))
@click.argument("system", type=click.Path(path_type=Path))
@options.runs
@options.key
@options.frameworks
@options.register
@options.believed
@options.as_json
@click.pass_context
def command(
    ctx: click.Context,
    system: Path,
    runs: Path,
    key: Path | None,
    frameworks: tuple[str, ...],
    register: str | None,
    policy: Path | None,
    *,
    as_json: bool,
) -> None:
    """Exit 0 when every hazard is met, 1 when one is not, 6 when it stays open: a gate for continuous integration."""
    from aloi.cli.running import carry_out, start  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.system.reading import open_system  # noqa: PLC0415 - as above

    registry = options.registry(register, policy)
    folder = start(open_system(system), runs, key or options.default_key(), measure_only=True)
    ctx.exit(carry_out(folder, frameworks, registry, as_json=as_json))
