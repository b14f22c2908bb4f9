"""`aloi measure`: measure and sign, without trying a remedy; or count and sign what a gateway recorded."""

from pathlib import Path

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_


@click.command(
    "measure",
    help=say(
        N_(
            "Measure SYSTEM and sign the findings; no remedy is tried. With --traffic nothing is asked: what its "
            "gateway recorded is counted and signed, and exit 1 tells that the share of blocks has changed."
        )
    ),
)
@click.argument("system", type=click.Path(path_type=Path))
@options.runs
@options.key
@options.frameworks
@options.register
@options.believed
@click.option(
    "--traffic",
    type=click.Path(path_type=Path, file_okay=False),
    help=say(N_("Folder of the gateway's record: what `gateway.record.folder` names.")),
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("With --traffic: CSV of people's labels, columns id and label: ordinary, harmful or unclear.")),
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help=say(N_("With --traffic: earlier bundle to compare with, in place of the first period.")),
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 0.5, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help=say(N_("With --traffic: probability of a false alarm, however often one looks.")),
)
@options.trusted
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
    traffic: Path | None,
    labels: Path | None,
    against: Path | None,
    alpha: float,
    trust: tuple[Path, ...],
    *,
    as_json: bool,
) -> None:
    """Exit 0 when every hazard is met, 1 when one is not, 6 when it stays open: a gate for continuous integration."""
    signer = key or options.default_key()
    if traffic is not None:
        from aloi.cli.traffic import Asked, monitor  # noqa: PLC0415 - heavy modules load when a command runs

        _refuse_beside(ctx, "--traffic", ("frameworks", "register", "policy"))
        asked = Asked(
            system=system,
            folder=traffic,
            labels=labels,
            against=against,
            trust=trust,
            alpha=alpha,
            runs=runs,
            key=signer,
        )
        ctx.exit(monitor(asked, as_json=as_json))
    _refuse_without(ctx, "--traffic", ("labels", "against", "alpha", "trust"))

    from aloi.cli.running import carry_out, start  # noqa: PLC0415 - as above
    from aloi.system.reading import open_system  # noqa: PLC0415 - as above

    registry = options.registry(register, policy)
    folder = start(open_system(system), runs, signer, measure_only=True)
    ctx.exit(carry_out(folder, frameworks, registry, as_json=as_json))


def _given(ctx: click.Context, names: tuple[str, ...]) -> str:
    """The first of these options that was typed; empty where none was."""
    typed = click.core.ParameterSource.COMMANDLINE
    for parameter in ctx.command.params:
        if parameter.name in names and ctx.get_parameter_source(parameter.name) is typed:
            return parameter.opts[0]
    return ""


def _refuse_beside(ctx: click.Context, option: str, names: tuple[str, ...]) -> None:
    if other := _given(ctx, names):
        raise click.UsageError(say(N_("{other} says nothing about {option}"), other=other, option=option), ctx)


def _refuse_without(ctx: click.Context, option: str, names: tuple[str, ...]) -> None:
    if other := _given(ctx, names):
        raise click.UsageError(say(N_("{other} goes with {option}"), other=other, option=option), ctx)
