"""`aloi gateway`: the remedies of a system in front of its model, in production."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.extras import needing
from aloi.cli.speech import error_lines, say, tell, while_serving
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.assurance.gatekeeping import Verify
    from aloi.errors import AloiError
    from aloi.solutions.gateway.keeping import Keeper
    from aloi.solutions.gateway.policy import Policy

LOCAL = {"127.0.0.1", "::1", "localhost"}
IDLE, CONNECTIONS = 75, 16_000


@click.command(
    "gateway",
    help=say(
        N_(
            "Stand before the model of SYSTEM (a system.yaml or its folder): clients of OpenAI's or Anthropic's "
            "protocol ask the gateway, and its remedies screen what goes in and what comes out. SIGHUP reads SYSTEM "
            "again."
        )
    ),
)
@click.argument("system", type=click.Path(path_type=Path))
@click.option(
    "--listen",
    default="127.0.0.1:8400",
    show_default=True,
    metavar="HOST:PORT",
    help=say(N_("Where it listens; port 0 takes a free one.")),
)
@options.evidence
@options.trusted
@options.as_json
def command(system: Path, listen: str, evidence: Path | None, trust: tuple[Path, ...], *, as_json: bool) -> None:
    """The first line printed is the address."""
    with needing("gateway", N_("the gateway")):
        _serve(system, _address(listen), evidence, trust, as_json=as_json)


def _serve(
    system: Path, address: tuple[str, int], evidence: Path | None, trust: tuple[Path, ...], *, as_json: bool
) -> None:
    from aloi.assurance.gatekeeping import read_policy, upstream  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.serving.heap import share_heap  # noqa: PLC0415 - as above
    from aloi.serving.listening import run  # noqa: PLC0415 - as above
    from aloi.solutions.gateway.app import Gateway  # noqa: PLC0415 - as above
    from aloi.solutions.gateway.connection import Connection  # noqa: PLC0415 - as above
    from aloi.solutions.gateway.endpoints import endpoints  # noqa: PLC0415 - as above
    from aloi.solutions.gateway.keys import read_keys  # noqa: PLC0415 - as above

    share_heap()
    verify: Verify | None = (lambda: options.verified(evidence, trust)) if evidence else None
    policy = read_policy(system, verify)
    keys = read_keys(policy.serving.keys, os.environ)
    host, port = address
    if not keys and host not in LOCAL:
        raise AskerError(
            N_("at {host} whoever reaches the gateway could ask the model"),
            remedy=N_("name keys under `gateway.keys`, or listen at 127.0.0.1"),
            host=host,
        )
    gateway = Gateway(
        policy,
        keys,
        upstream(system),
        endpoints,
        _keeper(system, policy),
        load=lambda: read_policy(system, verify),
        told=_reloaded,
    )
    gateway.await_reloads()
    try:
        run(
            gateway,
            host,
            port,
            lambda url: _listening(url, policy, as_json=as_json),
            http=Connection,
            failure=AskerError,
            at_once=CONNECTIONS,
            idle=IDLE,
        )
    except AskerError as error:
        raise gateway.failure or error from None


def _keeper(system: Path, policy: "Policy") -> "Keeper":
    """Where decisions are kept: the folder that the system names beside itself, or nowhere."""
    from random import SystemRandom  # noqa: PLC0415 - beside its one use

    from aloi.solutions.gateway.keeping import Unkept  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.solutions.gateway.recorder import Recorder  # noqa: PLC0415 - as above

    kept = policy.serving.record
    if not kept.folder:
        return Unkept()
    beside = system if system.is_dir() else system.parent
    return Recorder(beside / kept.folder, kept, chance=SystemRandom().random, told=_unwritten)


@while_serving()
def _unwritten(error: "AloiError") -> None:
    tell(N_("The record cannot be written: until it can, clients are told nothing that would have to stand in it."))
    for line in error_lines(error):
        click.echo(line, err=True)


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 0xFFFF:
        raise click.BadParameter(say(N_("{got} is no address, written HOST:PORT"), got=listen), param_hint="--listen")
    return host.strip("[]"), int(port)


def _listening(url: str, policy: "Policy", *, as_json: bool) -> None:
    if as_json:
        proven = policy.proven.bundle if policy.proven else None
        options.print_json(
            {"url": url, "system": policy.system, "guard_set": policy.guard_set, "proven_by": proven},
        )
    else:
        click.echo(say(N_("{name} answers at {url}/v1"), name=policy.system, url=url))
        click.echo(say(N_("Remedies: {names}"), names=", ".join(one.name for one in policy.remedies) or "-"))
        click.echo(say(N_("Guard set: {digest}"), digest=policy.guard_set))
    if policy.proven is None:
        tell(
            N_("No evidence was named: nothing says that these remedies were measured. Name a bundle with --evidence.")
        )
    _warned(policy)


def _warned(policy: "Policy") -> None:
    verdicts = policy.proven.verdicts if policy.proven else {}
    if left := [f"{hazard}: {say(verdict)}" for hazard, verdict in verdicts.items() if verdict != "met"]:
        tell(N_("By the evidence not everything is met at its threshold: {left}."), left=", ".join(left))
    if policy.budgets and not policy.serving.record.folder:
        tell(N_("Budgets begin anew with the process: `gateway.record.folder` names no folder that they are kept in."))
    if policy.serving.fail_open:
        tell(N_("fail_open is set: where a guard fails, what it could not read passes."))


@while_serving()
def _reloaded(read: "Policy | AloiError") -> None:
    from aloi.errors import AloiError  # noqa: PLC0415 - heavy modules load when a command runs

    if not isinstance(read, AloiError):
        tell(N_("The policy was read again; it runs from now on."))
        _warned(read)
        return
    tell(N_("The policy could not be read again; the one that runs goes on."))
    for line in error_lines(read):
        click.echo(line, err=True)
