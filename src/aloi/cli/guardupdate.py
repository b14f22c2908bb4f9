"""`aloi guard learn` and `aloi guard accept`: an update of the injection detector, made, shared, measured, accepted."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options, signing
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from aloi.assurance.updating.accepting import Judged
    from aloi.evidence.updates import DetectorUpdate, Paired
    from aloi.evidence.verification import VerifiedClaim

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
attacks = click.option(
    "--attacks",
    multiple=True,
    type=FILE,
    help=say(N_("JSON lines with `text`: attacks, where no label says otherwise; may be given several times.")),
)
ordinary = click.option(
    "--ordinary",
    multiple=True,
    type=FILE,
    help=say(N_("JSON lines with `text`: ordinary texts, where no label says otherwise; may be given several times.")),
)


@click.command(
    "learn",
    help=say(
        N_(
            "Make a signed update of the injection detector from attacks that were found: failed trials of the folders "
            "RUN, exchanges of a gateway, labelled texts. Ordinary texts are needed as well. It holds no text."
        )
    ),
)
@click.argument("run", nargs=-1, type=FOLDER)
@attacks
@ordinary
@click.option(
    "--traffic", type=FOLDER, help=say(N_("The record of a gateway that keeps texts: `gateway.record.folder`."))
)
@click.option("--labels", type=FILE, help=say(N_("CSV of ids and labels: what people say of the record's exchanges.")))
@options.key
@options.output
@options.as_json
def learn(
    run: tuple[Path, ...],
    attacks: tuple[Path, ...],
    ordinary: tuple[Path, ...],
    traffic: Path | None,
    labels: Path | None,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Exit 0 with the update, and beside it the list of what it learnt from, which need not be shared."""
    from aloi.assurance.updating.gathering import Given, gather  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.assurance.updating.making import listed, make_update, signed_update  # noqa: PLC0415 - as above
    from aloi.evidence import envelope as dsse  # noqa: PLC0415 - as above
    from aloi.solutions.updating.texts import distinct  # noqa: PLC0415 - as above

    path = output or Path("injection-detector.update.dsse.json")
    listing = _listing(path)
    for one in (path, listing):
        options.refuse_to_overwrite(one)
    gathered = gather(Given(runs=run, traffic=traffic, labels=labels, attacks=attacks, ordinary=ordinary))
    texts = distinct(gathered.texts)
    update = make_update(gathered, texts)
    envelope = signed_update(update, signing.signer(key))
    options.write_new(listing, listed(texts.digests))
    options.write_new(path, dsse.write(envelope))
    if as_json:
        facts = {"file": str(path), "learnt": str(listing), "left_out": gathered.left_out}
        options.print_json(facts | {"contradictory": texts.contradictory, "update": _brief(update)})
        return
    for line in _learnt(update, gathered.left_out, texts.contradictory):
        click.echo(line)
    click.echo(say(N_("Signed: {file}"), file=path))
    click.echo(
        say(
            N_("Learnt from, by digests: {file} (keep it: it tells of any text whether it is among them)"), file=listing
        )
    )


def _learnt(update: "DetectorUpdate", left_out: "Mapping[str, int]", contradictory: int) -> list[str]:
    told = N_("Learnt from {attacks} distinct attacks and {ordinary} ordinary texts; weights changed: {count}")
    lines = [say(told, attacks=update.attacks, ordinary=update.ordinary, count=len(update.buckets))]
    for one in update.languages:
        told = N_("  {language}: {attacks} attacks, {ordinary} ordinary texts")
        lines.append(say(told, language=_tongue(one.language), attacks=one.attacks, ordinary=one.ordinary))
    reasons = {
        "conversations": N_("Left out, since no one message is the attack: {count}"),
        "carried": N_("Left out, since documents or tools brought the attack: {count}"),
        "unlabelled": N_("Left out, since nobody labelled the exchange: {count}"),
        "without-text": N_("Left out, since the record keeps no text of them: {count}"),
        "cut": N_("Left out, since the record cut their text: {count}"),
    }
    lines += [say(reasons[code], count=count) for code, count in left_out.items()]
    if contradictory:
        lines.append(say(N_("Left out, since labelled both ways: {count}"), count=contradictory))
    if len(update.languages) == 1:
        told = N_("All texts are in one language, {language}: in others the update may stop what is ordinary.")
        lines.append(say(told, language=_tongue(update.languages[0].language)))
    return lines


def _listing(update: Path) -> Path:
    return update.with_name(update.name.removesuffix(".dsse.json") + ".learnt")


@click.command(
    "accept",
    help=say(
        N_(
            "Measure UPDATE on attacks and ordinary texts of your own that it did not learn from, and accept it only "
            "where it is shown to stop more attacks and to add no more than --margin false alarms. Exit 1 where not."
        )
    ),
)
@click.argument("update", type=FILE)
@attacks
@ordinary
@options.trusted
@click.option(
    "--learnt", type=FILE, help=say(N_("The list of what it learnt from; where none is given, the one beside it."))
)
@click.option(
    "--statements", type=FOLDER, help=say(N_("Folder of signed statements (*.dsse.json): a withdrawal ends it here."))
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 0.2, min_open=True),
    default=0.01,
    show_default=True,
    help=say(N_("Share of ordinary texts that may be stopped in addition.")),
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help=say(N_("The score at which the detector stops a text, as `remedy_options` says.")),
)
@options.key
@options.output
@options.as_json
@click.pass_context
def accept(
    ctx: click.Context,
    update: Path,
    attacks: tuple[Path, ...],
    ordinary: tuple[Path, ...],
    trust: tuple[Path, ...],
    learnt: Path | None,
    statements: Path | None,
    margin: float,
    threshold: float,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Exit 0 where it is accepted and written, 1 where its figures refuse it: then nothing is written."""
    from aloi.assurance.updating import accepting, gathering, making  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence import envelope as dsse  # noqa: PLC0415 - as above

    path = output or Path("injection-detector.update.json")
    signed = path.with_name(path.name.removesuffix(".json") + ".acceptance.dsse.json")
    for one in (path, signed):
        options.refuse_to_overwrite(one)
    claim, envelope = _verified(update, trust)
    record: DetectorUpdate = claim.record  # type: ignore[assignment] # `_verified` refuses others
    disputes = accepting.spoken_against(statements, claim, options.trusted_keys(trust)) if statements else 0
    listing = learnt or _listing(update)
    known = making.read_listed(listing, record) if learnt or listing.exists() else None
    given = gathering.corpora(attacks, ordinary)
    judged = accepting.judge(record, given, known, threshold=Decimal(str(threshold)), margin=Decimal(str(margin)))
    if judged.accepted:
        acceptance, file = accepting.accepted_file(
            dsse.read(envelope), accepting.acceptance(judged, given), signing.signer(key)
        )
        options.write_new(signed, dsse.write(acceptance))
        options.write_new(path, file)
    if as_json:
        files = {"file": str(path), "acceptance": str(signed)} if judged.accepted else {}
        options.print_json(files | _facts(judged, disputes))
    else:
        _show(judged, disputes)
        if judged.accepted:
            told = N_("Written: {file}; name it in system.yaml: {line}")
            line = f"remedy_options: {{injection-detector: {{update: {path.name}}}}}"
            click.echo(say(told, file=path, line=line))
            click.echo(say(N_("Signed: {file}"), file=signed))
    ctx.exit(0 if judged.accepted else 1)


def _verified(update: Path, trust: tuple[Path, ...]) -> "tuple[VerifiedClaim, bytes]":
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.acceptedupdates import read_update  # noqa: PLC0415 - as above
    from aloi.evidence.bundle import read  # noqa: PLC0415 - as above
    from aloi.evidence.updates import DetectorUpdate  # noqa: PLC0415 - as above
    from aloi.evidence.verification import verify_statement  # noqa: PLC0415 - as above

    data = read(update)
    read_update(data)
    claim = verify_statement(data, options.trusted_keys(trust))
    if not isinstance(claim.record, DetectorUpdate):
        raise AskerError(
            N_("{file} is no update of a detector"), remedy=N_("name what aloi guard learn wrote"), file=update
        )
    return claim, data


def _brief(update: "DetectorUpdate") -> dict[str, object]:
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    told = {name: value for name, value in msgspec.structs.asdict(update).items() if name not in {"buckets", "changes"}}
    return told | {"weights": len(update.buckets)}


def _facts(judged: "Judged", disputes: int) -> dict[str, object]:
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    told = {name: value for name, value in msgspec.structs.asdict(judged).items() if name != "update"}
    return told | {"disputes": disputes}


def _show(judged: "Judged", disputes: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - heavy modules load when a command runs

    console = Console()
    console.print(_table(judged))
    for line in _told(judged, disputes):
        console.print(line, highlight=False, markup=False)


def _table(judged: "Judged") -> "Table":
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - heavy modules load when a command runs
    from rich.table import Table  # noqa: PLC0415 - as above

    title = say(N_("Stopped without the update and with it, and the difference in points, with exact 95 % intervals"))
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for head in (N_("Language"), N_("Attacks"), N_("Difference"), N_("Ordinary texts"), N_("Difference")):
        table.add_column(say(head))
    rows = [(_tongue(one.language), one) for one in judged.languages]
    for name, one in (*rows, (say(N_("all")), judged.whole)):
        cells = (_counts(one.attacks), _difference(one.attacks), _counts(one.ordinary), _difference(one.ordinary))
        table.add_row(name, *cells)
    return table


def _tongue(code: str) -> str:
    from aloi.assurance.report.figures import Figures  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.cli.speech import language  # noqa: PLC0415 - as above

    return say(N_("no known language")) if code == "und" else Figures(language()).tongue(code)


def _counts(one: "Paired") -> str:
    return say(N_("{before} → {after} of {n}"), before=one.before, after=one.after, n=one.n) if one.n else "-"


def _difference(one: "Paired") -> str:
    from aloi.assurance.report.figures import Figures  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.cli.speech import language  # noqa: PLC0415 - as above

    if not one.n:
        return "-"
    points, told = Figures(language()).points, one.difference
    return f"{points(told.value)} [{points(told.low)}; {points(told.high)}]"


def _told(judged: "Judged", disputes: int) -> list[str]:
    from aloi.cli.outcome import rate  # noqa: PLC0415 - heavy modules load when a command runs

    lines = []
    if judged.left_out is None:
        lines.append(say(N_("Whether it learnt from some of these texts is not known: its list is not at hand.")))
    elif judged.left_out:
        lines.append(say(N_("Left out, since it learnt from them: {count}"), count=judged.left_out))
    if judged.unlearnt:
        told = N_("It learnt nothing in these languages: {languages}")
        lines.append(say(told, languages=", ".join(map(_tongue, judged.unlearnt))))
    if disputes:
        lines.append(say(N_("Statements of keys that you trust that dispute it: {count}"), count=disputes))
    if judged.accepted:
        lines.append(
            say(N_("Accepted. What was proven of this detector is no longer what runs: measure the system again."))
        )
        return lines
    lines.append(say(N_("Refused: nothing was written.")))
    whole, margin = judged.whole, judged.margin
    if whole.attacks.difference.low <= 0:
        lines.append(say(N_("- It is not shown that it stops more attacks.")))
    if whole.ordinary.difference.high > margin:
        told = N_(
            "- It is not shown that it adds at most {margin} of false alarms; even with none, "
            "{n} texts are needed to show it."
        )
        lines.append(say(told, margin=rate(margin), n=_least(float(margin))))
    for one in judged.languages:
        if one.ordinary.difference.value > margin:
            told = N_("- In {language} it adds more than {margin} of false alarms.")
            lines.append(say(told, language=_tongue(one.language), margin=rate(margin)))
    return lines


def _least(margin: float) -> int:
    """How many ordinary texts show at the least that so few false alarms are added: where none differs."""
    from aloi.solutions.updating.measuring import LEVEL  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.statistics.paired import paired_difference  # noqa: PLC0415 - as above

    low, high = 1, 2
    while paired_difference(0, 0, high, LEVEL)[2] > margin:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if paired_difference(0, 0, middle, LEVEL)[2] > margin else (low, middle)
    return high
