"""`aloi standards`: mappings and their endorsements, what conflicts, what converges, and where a bundle stands."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import atlas, case, crosswalks, law, options, requirements, signing
from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aloi.evidence.vouching import Dispute, Endorsement
    from aloi.standards.convergence import Convergence
    from aloi.standards.endorsing import Word
    from aloi.standards.frameworks import Framework

RELATIONS = {
    "equal": N_("is equal to"),
    "subset": N_("is a part of"),
    "superset": N_("holds more than"),
    "intersects": N_("meets a part of"),
    "none": N_("does not meet"),
}
KINDS = {
    "contradiction": N_("contradiction"),
    "stale": N_("earlier edition"),
    "dangling": N_("no such id"),
    "overdue": N_("to be checked again"),
    "unreached": N_("not reached"),
    "idle": N_("asked by none"),
}
STANDINGS = {"endorsed": N_("endorsed"), "disputed": N_("disputed")}
PROPOSED = N_("proposed")
SHOWN = 10

framework_name = click.argument("framework")
control_name = click.argument("control")
requirement_id = click.argument("requirement")
installed = click.option(
    "--framework",
    "frameworks",
    multiple=True,
    help=say(N_("As name@edition; all that are installed, if none is given.")),
)


@click.group(
    "standards", help=say(N_("Read frameworks side by side, endorse mappings, and see where a bundle stands."))
)
def command() -> None:
    """Nothing is done before a verb is named."""


for one in (atlas.atlas, case.command, crosswalks.export, crosswalks.import_, requirements.command):
    command.add_command(one)


@command.command(
    "rows", help=say(N_("List how Aloi's controls relate to FRAMEWORK, and who endorses or disputes that."))
)
@framework_name
@options.mapping
@options.statements
@options.trusted
@options.as_json
def rows(
    framework: str, mapping: Path | None, statements: Path | None, trust: tuple[Path, ...], *, as_json: bool
) -> None:
    """A row that nobody endorses is proposed."""
    from aloi.standards.endorsing import standing  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.mapping import row_digest  # noqa: PLC0415 - as above

    found = options.framework(framework, mapping)
    law.warn_if_stale(found.pack)
    words = standing(options.said(statements, trust).words)
    by_row: dict[str, list[Word]] = {}
    for word in words:
        by_row.setdefault(word.row, []).append(word)
    listed = [(row, row_digest(framework, row)) for row in found.rows]
    if as_json:
        options.print_json([{"row": row, "digest": digest, "words": by_row.get(digest, [])} for row, digest in listed])
        return
    for row, digest in listed:
        told = by_row.get(digest)
        status = "; ".join(
            say(
                N_("{said} by key {key}, as {name}"),
                said=say(STANDINGS[one.says]),
                key=one.signer,
                name=one.organisation,
            )
            for one in told or ()
        )
        status = status or say(PROPOSED)
        if found.imported:
            status = say(N_("{status}; imported, by {author}"), status=status, author=row.author)
        click.echo(f"{row.subject} {say(RELATIONS[row.relation])} {row.object}  [{status}]")
        click.echo(f"    {row.rationale.said(language())}")


@command.command("endorse", help=say(N_("Sign that the row of CONTROL to REQUIREMENT of FRAMEWORK is right.")))
@framework_name
@control_name
@requirement_id
@signing.organisation
@options.mapping
@options.key
@options.output
@options.as_json
def endorse(
    framework: str,
    control: str,
    requirement: str,
    organisation: str,
    mapping: Path | None,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """The statement is over the row's digest: a row that changes has to be endorsed again."""
    from aloi.assurance.stating import now  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.vouching import Endorsement  # noqa: PLC0415 - as above

    word = Endorsement(organisation=organisation, at=now())
    _sign(options.framework(framework, mapping), control, requirement, word, key, output, as_json=as_json)


@command.command("dispute", help=say(N_("Sign that the row of CONTROL to REQUIREMENT of FRAMEWORK is wrong, and why.")))
@framework_name
@control_name
@requirement_id
@signing.organisation
@signing.reason
@options.mapping
@options.key
@options.output
@options.as_json
def dispute(
    framework: str,
    control: str,
    requirement: str,
    organisation: str,
    reason: str,
    mapping: Path | None,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """A row that is disputed does not count as endorsed, whoever else endorses it."""
    from aloi.assurance.stating import now  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.vouching import Dispute  # noqa: PLC0415 - as above

    word = Dispute(organisation=organisation, at=now(), reason=reason)
    _sign(options.framework(framework, mapping), control, requirement, word, key, output, as_json=as_json)


@command.command("attach", help=say(N_("Sign that FILE, which somebody approved, answers CONTROL.")))
@control_name
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--approved-by",
    required=True,
    callback=options.said_in_words,
    help=say(N_("Who approved the file: a person or a body.")),
)
@click.option("--approved-on", type=options.DAY, required=True, help=say(N_("The day, YYYY-MM-DD.")))
@click.option("--valid-until", type=options.DAY, help=say(N_("The last day on which it counts.")))
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    help=say(N_("Bind the file to the systems of this bundle; for others it then counts nothing.")),
)
@options.trusted
@options.key
@options.output
@options.as_json
def attach(
    control: str,
    file: Path,
    approved_by: str,
    approved_on: date,
    valid_until: date | None,
    bundle: Path | None,
    trust: tuple[Path, ...],
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """The file stays where it is: the statement holds its digest, and Aloi reads nothing in it."""
    from aloi.standards.attaching import attach as attached  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.hub import hub  # noqa: PLC0415 - as above

    envelope = attached(
        file,
        hub(),
        control,
        approved_by=approved_by,
        approved_on=approved_on,
        valid_until=valid_until,
        today=law.today(),
        key=signing.signer(key),
        systems=options.verified(bundle, trust).subject if bundle else (),
    )
    signing.hand_over(envelope, output or Path(f"{control}.{file.name}.dsse.json"), as_json=as_json)


@command.command("coverage", help=say(N_("See BUNDLE through FRAMEWORK again, with its plan of action.")))
@click.argument("bundle", type=click.Path(path_type=Path))
@framework_name
@click.option("--endorsed", is_flag=True, help=say(N_("Count only the mapping rows that somebody endorses.")))
@options.mapping
@options.statements
@options.trusted
@options.as_json
def coverage(
    bundle: Path,
    framework: str,
    mapping: Path | None,
    statements: Path | None,
    trust: tuple[Path, ...],
    *,
    endorsed: bool,
    as_json: bool,
) -> None:
    """The bundle is verified first. Nothing here says that a law is complied with."""
    from aloi.assurance.standing import stand  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.cli.standing import standing_lines  # noqa: PLC0415 - as above
    from aloi.standards.judging import concerned, evidence_of  # noqa: PLC0415 - as above

    found = options.framework(framework, mapping)
    verification = options.verified(bundle, trust)
    today = law.today()
    standing = stand(
        found,
        evidence_of(verification),
        options.said(statements, trust, verification),
        today=today,
        rows="endorsed" if endorsed else "all",
    )
    if as_json:
        options.print_json(standing)
        return
    for line in standing_lines(standing, found, concerned(verification)):
        click.echo(line)


@command.command("matrix", help=say(N_("Write frameworks by controls as a page that prints (HTML).")))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--bundle", type=click.Path(path_type=Path), help=say(N_("Evidence that says where each control stands."))
)
@installed
@options.statements
@options.trusted
@options.as_json
def matrix(
    file: Path,
    bundle: Path | None,
    frameworks: tuple[str, ...],
    statements: Path | None,
    trust: tuple[Path, ...],
    *,
    as_json: bool,
) -> None:
    """In the reader's language; a file is never overwritten."""
    from aloi.assurance.report.matrix import render_matrix  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.standing import Said, lapsed  # noqa: PLC0415 - as above
    from aloi.errors import AskerError  # noqa: PLC0415 - as above
    from aloi.standards.frameworks import framework, names  # noqa: PLC0415 - as above
    from aloi.standards.hub import hub  # noqa: PLC0415 - as above
    from aloi.standards.judging import concerned, evidence_of, judge  # noqa: PLC0415 - as above

    options.refuse_to_overwrite(file)
    if statements and not bundle:
        raise AskerError(
            N_("--statements says nothing without --bundle"), remedy=N_("name the bundle whose controls they answer")
        )
    today = law.today()
    judgements, about, digest = None, None, ""
    more = Said()
    if bundle:
        verification = options.verified(bundle, trust)
        more = options.said(statements, trust, verification)
        evidence = (*evidence_of(verification), *more.attached)
        judgements = judge(hub(), evidence, today=today)
        about, digest = concerned(verification), verification.digest
    page = render_matrix(
        [framework(name) for name in frameworks or names()],
        hub(),
        judgements,
        language(),
        day=today,
        about=about,
        bundle=digest,
        words=more.rows,
        lapsed=tuple(lapsed(more, today)),
    )
    options.write_new(file, page.encode())
    options.print_written(N_("Written: {file}"), file, as_json=as_json)


@command.command("conflicts", help=say(N_("List what mappings say against one another, cite in vain, or leave out.")))
@installed
@options.as_json
def conflicts(frameworks: tuple[str, ...], *, as_json: bool) -> None:
    """The catalogue of hazards cites frameworks too, and is checked with them."""
    from aloi.science.hazards import hazards  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.conflicts import Citation  # noqa: PLC0415 - as above
    from aloi.standards.conflicts import conflicts as found_in  # noqa: PLC0415 - as above
    from aloi.standards.frameworks import framework, names  # noqa: PLC0415 - as above

    chosen = [framework(name) for name in frameworks or names()]
    cited = [
        Citation(slug, entry.framework, entry.id) for slug, hazard in hazards().items() for entry in hazard.maps_to
    ]
    found = found_in(chosen, cited, today=law.today())
    if as_json:
        options.print_json([{"told": one.message.format(**one.facts), "found": one} for one in found])
        return
    width = max((len(say(KINDS[one.kind])) for one in found), default=0)
    for one in found:
        rows = f"  ({'; '.join(one.rows)})" if one.rows else ""
        told = say(one.message, **one.facts)
        if one.framework:
            told = say(N_("{framework}: {told}"), framework=one.framework, told=told)
        click.echo(f"{say(KINDS[one.kind]):<{width}}  {told}{rows}")
    if not found:
        click.echo(say(N_("nothing to settle")))


@command.command("convergence", help=say(N_("Say what FIRST and SECOND share, and what each adds.")))
@click.argument("first")
@click.argument("second")
@click.option(
    "--bundle", type=click.Path(path_type=Path), help=say(N_("Evidence at hand; without it, gains start from nothing."))
)
@options.trusted
@options.as_json
def convergence(first: str, second: str, bundle: Path | None, trust: tuple[Path, ...], *, as_json: bool) -> None:
    """Best first: what one more piece of evidence would newly satisfy."""
    from aloi.standards.convergence import convergence as compared  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.frameworks import framework  # noqa: PLC0415 - as above
    from aloi.standards.judging import evidence_of  # noqa: PLC0415 - as above

    evidence = evidence_of(options.verified(bundle, trust)) if bundle else ()
    found = compared(framework(first), framework(second), evidence, today=law.today())
    if as_json:
        options.print_json(found)
        return
    law.warn_if_stale(framework(first).pack, framework(second).pack)
    for line in _convergence(found):
        click.echo(line)


def _sign(
    framework: "Framework",
    control: str,
    requirement: str,
    word: "Endorsement | Dispute",
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    from aloi.standards.endorsing import sign_word  # noqa: PLC0415 - heavy modules load when a command runs

    name = framework.pack.key
    envelope = sign_word(word, name, framework.row(control, requirement), signing.signer(key))
    place = signing.file_named(type(word).__name__.lower(), name, control, requirement)
    signing.hand_over(envelope, output or place, as_json=as_json)


def _convergence(found: "Convergence") -> "Iterable[str]":
    yield say(N_("Controls that answer both: {count}"), count=len(found.shared))
    for one in found.shared:
        first, second = (", ".join(reached.requirement for reached in side) for side in (one.first, one.second))
        yield say(N_("  {control}: {first} | {second}"), control=one.control, first=first, second=second)
    for key, alone in ((found.first, found.only_first), (found.second, found.only_second)):
        yield say(N_("Only {framework} asks, or no shared control reaches: {count}"), framework=key, count=len(alone))
        yield f"  {', '.join(alone) or '-'}"
    yield say(N_("What one more piece of evidence would newly satisfy, best first:"))
    for gain in found.gains[:SHOWN]:
        proven, begun = ", ".join(gain.proven) or "-", ", ".join(gain.begun) or "-"
        yield say(N_("  {control}: proven {proven}; begun {begun}"), control=gain.control, proven=proven, begun=begun)
