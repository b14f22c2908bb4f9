"""`aloi mcp`: the remedies of a system between a client and a server of tools."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import say, tell
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.system.messages import GuardDecision


@click.command(
    "mcp",
    help=say(
        N_(
            "Stand between a client of the Model Context Protocol and the server that COMMAND starts: calls of tools "
            "are ruled by the guards of SYSTEM (a system.yaml or its folder), and what the tools answer is screened. "
            "Both speak over standard input and output."
        )
    ),
)
@click.argument("system", type=click.Path(path_type=Path))
@click.argument("server", metavar="COMMAND [ARGUMENTS]...", nargs=-1, required=True, type=click.UNPROCESSED)
@options.evidence
@options.trusted
@options.as_json
def command(
    system: Path, server: tuple[str, ...], evidence: Path | None, trust: tuple[Path, ...], *, as_json: bool
) -> None:
    """Standard output is the protocol's: what was withheld is told on standard error, one line each."""
    from aloi.assurance.guarding import policy  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.solutions.mcp.running import run  # noqa: PLC0415 - as above

    # Nothing of ours may be taken for the protocol: errors and whatever a guard prints go to standard error.
    pipes = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    sys.stdout = sys.stderr
    ran = policy(system, evidence=evidence, trust=trust)
    if ran.proven is None:
        tell(
            N_("No evidence was named: nothing says that these remedies were measured. Name a bundle with --evidence.")
        )

    def told(code: str, about: str, decisions: "tuple[GuardDecision, ...]") -> None:
        if as_json:
            guards = sorted({one.guard for one in decisions})
            click.echo(json.dumps({"outcome": code, "about": about, "guards": guards}), err=True)
        elif decisions:
            tell(N_("{tool}: {outcome}"), tool=about, outcome=code)
        else:
            click.echo(about, err=True)

    asyncio.run(run(ran, server, told, pipes))
