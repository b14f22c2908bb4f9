"""`aloi lookup`: all that a registry holds about a system, proved to be all."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from aloi.cli import options
from aloi.cli.claims import claim_line
from aloi.cli.speech import say
from aloi.evidence.decoding import shown
from aloi.evidence.organisations import Organisation, organisation_digest
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.loggedstatements import Unread
    from aloi.evidence.publickeys import PublicKey
    from aloi.evidence.status import Status, Statuses
    from aloi.registry.sharing import Found

REVOKED = {
    "compromised": N_("it may be in the hands of others"),
    "superseded": N_("another took its place"),
    "retired": N_("it is out of use"),
    "other": N_("no reason is told"),
}


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
@options.trusted
@click.option(
    "--organisation",
    "organisations",
    type=options.DomainName(),
    multiple=True,
    metavar="DOMAIN",
    help=say(N_("Look up what an organisation says of its keys, too; may be given several times.")),
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help=say(N_("New folder for the answer and the statements, as files that can be verified offline.")),
)
@options.as_json
def command(
    subject: str,
    url: str,
    policy: Path,
    trust: tuple[Path, ...],
    organisations: tuple[str, ...],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Exit 4 where the answer does not hold, 5 where there is none."""
    from aloi.registry.sharing import find  # noqa: PLC0415 - heavy modules load when a command runs

    believed = options.trust_policy(policy)
    if output is not None:
        options.refuse_to_overwrite(output)
    keys = options.trusted_keys(trust)
    digests = [*_subjects(subject), *(organisation_digest(each) for each in organisations)]
    found = {each: asyncio.run(find(url, each, believed)) for each in digests}
    signed = {organisation_digest(domain) for each in found.values() for domain in each.organisations}
    found |= {each: asyncio.run(find(url, each, believed)) for each in sorted(signed - set(found))}
    if output is not None:
        for each, answer in found.items():
            _keep(output / each.replace(":", "-"), answer)
    logged = _read(found.values(), keys)
    if as_json:
        options.print_json(_told(found, logged))
        return
    for each, answer in found.items():
        _print(each, answer, logged)
    for line in _rest(logged):
        click.echo(line)
    if output is not None:
        click.echo(say(N_("Kept: {folder} (answers, statements and their entries)"), folder=output))


class Logged(NamedTuple):
    """Where the statements of the answers stand, seen together, and those that cannot be read."""

    statuses: "Statuses"
    unread: "tuple[Unread, ...]"


def _subjects(subject: str) -> list[str]:
    """The digests that the argument names: itself, or those of a bundle's systems. The bundle is not verified."""
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.logentry import stated  # noqa: PLC0415 - as above
    from aloi.evidence.statement import claimed  # noqa: PLC0415 - as above

    if options.is_digest(subject):
        return [subject]
    bundle, _ = bundles.unpack(bundles.read(options.bundle_file(Path(subject))))
    statements = [stated(each)[1] for each in bundle.envelopes]
    return [each.fingerprint for each in bundles.systems((each.subject, claimed(each)) for each in statements)]


def _keep(folder: Path, found: "Found") -> None:
    options.write_new(folder / "lookup.json", found.answer)
    for each in found.held:
        if each.envelope is not None:
            options.write_new(folder / f"{each.index:08d}.dsse.json", each.envelope)


def _read(found: "Collection[Found]", keys: "Sequence[PublicKey]") -> Logged:
    from aloi.evidence.loggedstatements import read_logged  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.roster import read_rosters  # noqa: PLC0415 - as above
    from aloi.evidence.status import read_statuses  # noqa: PLC0415 - as above

    every = [*keys, *(key for each in found for key in each.keys)]
    read, unread = read_logged([held for each in found for held in each.held], every)
    return Logged(read_statuses(read, read_rosters(read)), unread)


def _told(found: "Mapping[str, Found]", logged: Logged) -> dict[str, object]:
    answers = {
        subject: {
            "log": each.complete.origin,
            "size": each.complete.size,
            "witnesses": [f"{witness.name} ({witness.operator})" for witness in each.complete.witnesses],
            "entries": list(each.complete.indices),
            "erased": {str(index): {"at": told.at, "reason": told.reason} for index, told in each.erased.items()},
        }
        for subject, each in found.items()
    }
    statuses = logged.statuses
    return {
        "answers": answers,
        "statements": list(statuses.statements.values()),
        "plans": statuses.plans,
        "nothing": statuses.nothing,
        "unread": logged.unread,
    }


def _print(subject: str, found: "Found", logged: Logged) -> None:
    complete = found.complete
    if not found.held:
        line = N_("{log} proves that none of its {size} entries is about {subject}.")
    else:
        line = N_("{log} proves that of its {size} entries these are about {subject}, and no others:")
    click.echo(say(line, log=complete.origin, size=complete.size, subject=subject))
    by_index = {each.logged.index: each for each in logged.statuses.statements.values()}
    unread = {each.index: each.why for each in logged.unread}
    for held in found.held:
        start = f"{held.index:>7}  {datetime.fromtimestamp(held.time, UTC):%Y-%m-%d %H:%M}  "
        if held.index in by_index:
            logged_there = by_index[held.index].logged
            click.echo(start + claim_line(logged_there.record, logged_there.subjects, logged_there.predicate_type))
            for line in _standing(by_index[held.index], logged.statuses):
                click.echo(" " * 27 + line)
        elif held.index in found.erased:
            click.echo(start + say(N_("(erased: {reason})"), reason=shown(found.erased[held.index].reason, 300)))
        else:
            click.echo(start + say(N_("(cannot be read: {why})"), why=_unread(unread.get(held.index, "-"))))
    if complete.witnesses:
        witnesses = ", ".join(f"{each.name} ({each.operator})" for each in complete.witnesses)
        click.echo(say(N_("Seen there by {witnesses}."), witnesses=witnesses))
    else:
        click.echo(say(N_("Your policy asks for no witness: this is the log's word alone.")))


def _unread(why: str) -> str:
    from aloi.evidence.reasons import UNJUDGED  # noqa: PLC0415 - heavy modules load when a command runs

    return say(UNJUDGED[why]) if why in UNJUDGED else why


def _standing(status: "Status", statuses: "Statuses") -> Iterator[str]:
    """By whom it is said, and what was said of it."""
    record = status.logged.record
    if isinstance(record, Organisation):
        yield from _speaking(record, status, statuses)
    else:
        yield say(N_("by {parties}"), parties=_parties(status) or "-")
    if status.state == "void":
        yield say(N_("void: no key that signed it stood when it was logged"))
    if status.disowned and not _revokes_its_signer(status):
        yield say(N_("a key that signed it was revoked later, as of a time before"))
    for digest in status.withdrawals:
        word = statuses.statements[digest]
        line = N_("WITHDRAWN by {parties} (entry {index})")
        yield click.style(say(line, parties=_parties(word), index=word.logged.index), fg="red")
    if status.current:
        yield say(N_("in its place stands {digest}"), digest=status.current)
    for digest in status.disputes:
        word = statuses.statements[digest]
        line = N_("DISPUTED by {parties} (entry {index}): {reason}")
        reason = shown(getattr(word.logged.record, "reason", ""), 300)
        told = say(line, parties=_parties(word), index=word.logged.index, reason=reason)
        yield click.style(told, fg="yellow")
    for digest in status.endorsements:
        word = statuses.statements[digest]
        yield say(N_("endorsed by {parties} (entry {index})"), parties=_parties(word), index=word.logged.index)
    if status.registration and status.registration.order == "unknown":
        yield say(N_("no plan of its author was logged with it"))


def _speaking(record: "Organisation", status: "Status", statuses: "Statuses") -> Iterator[str]:
    """By whom an organisation's statement on itself is said, and which keys speak from it on and which no longer."""
    before = statuses.statements.get(record.previous or "")
    earlier = before.logged.record if before else None
    known = {each.id: each for each in earlier.keys} if isinstance(earlier, Organisation) else {}
    if record.domain in status.parties:
        yield say(N_("by {parties}"), parties=record.domain)
    elif record.previous is None:
        yield say(N_("by the key with which it begins: {keys}"), keys=_parties(status) or "-")
    else:
        yield say(N_("by {parties}"), parties=_parties(status) or "-")
    for each in record.keys:
        signed = each.id in status.logged.signers
        if before and each.id not in known:
            line = (
                N_("new key: {key}, which signed this too") if signed else N_("new key: {key}, which did not sign this")
            )
            yield say(line, key=_short(each.id))
        if each.revocation and not (each.id in known and known[each.id].revocation):
            line = N_("no longer speaks for it: {key}, since {time} ({why})")
            why = say(REVOKED[each.revocation])
            yield say(line, key=_short(each.id), time=_minute(each.revoked_at), why=why)


def _revokes_its_signer(status: "Status") -> bool:
    """Whether an organisation's statement revokes a key that signed it: then it says so itself, and not later."""
    keys = status.logged.record.keys if isinstance(status.logged.record, Organisation) else ()
    return any(each.revocation and each.id in status.logged.signers for each in keys)


def _minute(time: str | None) -> str:
    return (time or "")[:16].replace("T", " ")


def _short(name: str) -> str:
    return name if "." in name else f"{name[:24]}…"


def _parties(status: "Status") -> str:
    """Domains, and keys that belong to none, shortened."""
    return ", ".join(map(_short, status.parties))


def _rest(logged: Logged) -> Iterator[str]:
    """What was planned and never told, and what counts as nothing."""
    from aloi.evidence.reasons import NOTHING  # noqa: PLC0415 - heavy modules load when a command runs

    for plan in logged.statuses.plans:
        if plan.missing:
            yield say(
                N_("Planned in {plan} and without a finding here: {hazards}"),
                plan=plan.envelope,
                hazards=", ".join(shown(each) for each in plan.missing),
            )
    for each in logged.statuses.nothing:
        line = N_("Entry {index} counts as nothing about {about}: {why}")
        yield say(line, index=each.index, about=each.about, why=say(NOTHING[each.why]))
