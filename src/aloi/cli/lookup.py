"""`aloi lookup`: all that a registry holds about a system, proved to be all."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.registry.sharing import Found, Held

_DIGEST = re.compile("sha256:[0-9a-f]{64}")


@click.command(
    "lookup",
    help=say(
        N_(
            "Fetch all that the registry at --from holds about SUBJECT, unfavourable and withdrawn included, and "
            "verify that nothing was left out. SUBJECT is a run's folder, a bundle, or a digest sha256:…"
        )
    ),
)
@click.argument("subject")
@click.option("--from", "url", required=True, metavar="URL", help=say(N_("The registry's address.")))
@options.policy
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help=say(N_("New folder for the answer and the statements, as files that can be verified offline.")),
)
@options.as_json
def command(subject: str, url: str, policy: Path, output: Path | None, *, as_json: bool) -> None:
    """Exit 4 where the answer does not hold, 5 where there is none."""
    from aloi.registry.sharing import find  # noqa: PLC0415 - heavy modules load when a command runs

    trusted = options.trust_policy(policy)
    if output is not None:
        options.refuse_to_overwrite(output)
    found = {each: asyncio.run(find(url, each, trusted)) for each in _subjects(subject)}
    if output is not None:
        for each, answer in found.items():
            _keep(output / each.replace(":", "-"), answer)
    if as_json:
        options.print_json({each: _told(answer) for each, answer in found.items()})
        return
    for each, answer in found.items():
        _print(each, answer)
    if output is not None:
        click.echo(say(N_("Kept: {folder} (answers, statements and their entries)"), folder=output))


def _subjects(subject: str) -> list[str]:
    """The digests that the argument names: itself, or those of a bundle's systems. The bundle is not verified."""
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.logentry import stated  # noqa: PLC0415 - as above
    from aloi.evidence.statement import claimed  # noqa: PLC0415 - as above

    if _DIGEST.fullmatch(subject):
        return [subject]
    bundle, _ = bundles.unpack(bundles.read(options.bundle_file(Path(subject))))
    statements = [stated(each)[1] for each in bundle.envelopes]
    return [each.fingerprint for each in bundles.systems((each.subject, claimed(each)) for each in statements)]


def _keep(folder: Path, found: "Found") -> None:
    options.write_new(folder / "lookup.json", found.answer)
    for each in found.held:
        if each.envelope is not None:
            options.write_new(folder / f"{each.index:08d}.dsse.json", each.envelope)


def _told(found: "Found") -> dict[str, object]:
    complete = found.complete
    return {
        "log": complete.origin,
        "size": complete.size,
        "witnesses": [f"{each.name} ({each.operator})" for each in complete.witnesses],
        "entries": [
            {
                "index": each.index,
                "envelope": each.entry.envelope,
                "predicate_type": each.entry.predicate_type,
                "signers": each.entry.signers,
                "received": each.received,
                "erased": each.erased and {"at": each.erased.at, "reason": each.erased.reason},
            }
            for each in found.held
        ],
    }


def _print(subject: str, found: "Found") -> None:
    complete = found.complete
    if not found.held:
        line = N_("{log} proves that none of its {size} entries is about {subject}.")
        click.echo(say(line, log=complete.origin, size=complete.size, subject=subject))
    else:
        line = N_("{log} proves that of its {size} entries these are about {subject}, and no others:")
        click.echo(say(line, log=complete.origin, size=complete.size, subject=subject))
    for each in found.held:
        click.echo(f"  {_line(each)}")
    if complete.witnesses:
        witnesses = ", ".join(f"{each.name} ({each.operator})" for each in complete.witnesses)
        click.echo(say(N_("Seen there by {witnesses}."), witnesses=witnesses))
    else:
        click.echo(say(N_("Your policy asks for no witness: this is the log's word alone.")))


def _line(held: "Held") -> str:
    from aloi.evidence.predicates import claim_type  # noqa: PLC0415 - heavy modules load when a command runs

    known = claim_type(held.entry.predicate_type)
    day = datetime.fromtimestamp(held.received, UTC).strftime("%Y-%m-%d %H:%M UTC")
    line = f"{held.index:>8}  {day}  {known[0] if known else held.entry.predicate_type:<12}  "
    line += ", ".join(f"{each[:24]}…" for each in held.entry.signers)
    if held.erased:
        line += "  " + say(N_("(erased: {reason})"), reason=held.erased.reason)
    return line
