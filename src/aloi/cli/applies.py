"""`aloi applies`: which requirements of the EU AI Act bind this system, this role, on this day."""

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aloi.cli import options
from aloi.cli.speech import say, tell
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.standards.applies import Answer, Situation
    from aloi.system.regulation import Regulation

ROLES = N_("Roles towards the system, with commas: {choices}")
CLASSES = N_("Classes of the system, with commas; nothing, where it is of none: {choices}")
QUESTIONS = {
    "placed": N_("On which day was the first unit of this type and model on the market or in service (YYYY-MM-DD)?"),
    "redesigned": N_("Has its design changed significantly since the cut-off of its class?"),
    "public_authorities": N_("Are public authorities meant to use it?"),
    "annex_x": N_("Is it a component of a large-scale IT system of the Union listed in Annex X?"),
    "interacts": N_("Does it deal directly with people?"),
    "generates": N_("Does it make synthetic audio, images, video or text?"),
    "emotions_or_biometrics": N_("Does it recognise emotions, or sort people by biometrics?"),
    "deep_fakes": N_("Does it make or alter images, audio or video that are deep fakes?"),
    "informs_public": N_("Does it make or alter text that informs the public on matters of public interest?"),
}
SWITCHES = {
    "redesigned": ("redesigned", N_("Significant design change since the cut-off.")),
    "public_authorities": ("public", N_("Meant for use by public authorities.")),
    "annex_x": ("annex-x", N_("Component of a large-scale IT system of Annex X (Art. 111(1)).")),
    "interacts": ("interacts", N_("Deals directly with people (Art. 50(1)).")),
    "generates": ("generates", N_("Makes synthetic audio, images, video or text (Art. 50(2)).")),
    "emotions_or_biometrics": (
        "emotions-or-biometrics",
        N_("Recognises emotions or sorts people by biometrics (Art. 50(3))."),
    ),
    "deep_fakes": ("deep-fakes", N_("Makes deep fakes (Art. 50(4)).")),
    "informs_public": ("informs-public", N_("Makes text that informs the public (Art. 50(4)).")),
}
OPTIONS = {"placed": "--placed"} | {name: f"--{option} / --not-{option}" for name, (option, _) in SWITCHES.items()}
# What a person may type for yes and for no, in either language; nothing leaves the question open.
TYPED = {"y": True, "yes": True, "o": True, "oui": True, "n": False, "no": False, "non": False, "": None}


def switches(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each circumstance that is yes, no, or not known."""
    for name, (option, told) in reversed(SWITCHES.items()):
        command = click.option(f"--{option}/--not-{option}", name, default=None, help=say(told))(command)
    return command


@click.command(
    "applies",
    help=say(
        N_(
            "Say which provisions of the EU AI Act bind a role, a class of system, on a day. SYSTEM is a system.yaml "
            "whose section `regulation` says it, or its folder; what neither it nor an option says is asked for."
        )
    ),
)
@click.argument("system", required=False, type=click.Path(path_type=Path))
@click.option("--role", "roles", multiple=True, help=say(N_("provider, deployer, importer, …")))
@click.option("--class", "classes", multiple=True, help=say(N_("prohibited, hr-annex3, transparency, gpai, …")))
@click.option("--on", type=options.DAY, help=say(N_("The day, YYYY-MM-DD; today, if none is given.")))
@click.option("--placed", type=options.DAY, help=say(N_("Day of the first placing on the market.")))
@switches
@click.option(
    "--calendar",
    "as_calendar",
    is_flag=True,
    help=say(N_("Show what changes after the day: for this situation, or without a role for anybody.")),
)
@options.as_json
def command(
    system: Path | None,
    roles: tuple[str, ...],
    classes: tuple[str, ...],
    on: date | None,
    placed: date | None,
    *,
    as_calendar: bool,
    as_json: bool,
    **circumstances: bool | None,
) -> None:
    """Nothing here is legal advice: each line names its article, its date and how sure it is."""
    from aloi.cli import law  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.applicability import applicability  # noqa: PLC0415 - as above
    from aloi.standards.applies import applies, calendar  # noqa: PLC0415 - as above
    from aloi.standards.regimes import events, regimes  # noqa: PLC0415 - as above

    table = applicability()
    given = {
        "roles": roles or None,
        "classes": classes or None,
        "day": on,
        "placed": placed,
        **circumstances,
    }
    known = _known(system, given)
    day = known.day or law.today()
    if as_calendar and not known.roles:
        listed = events(regimes(), day)
        law.print_calendar(table, calendar(table, day), listed, None, day, as_json=as_json)
        return
    ask = not as_json and sys.stdin.isatty()
    answer = applies(table, _situation(known, day, ask=ask))
    if ask:
        answer = _asked(answer)
    if as_calendar:
        changes = calendar(table, day, answer.situation)
        law.print_calendar(table, changes, events(regimes(), day), answer.situation, day, as_json=as_json)
        return
    law.print_answer(table, answer, OPTIONS, as_json=as_json)


def _known(system: Path | None, given: dict[str, Any]) -> "Regulation":
    """What the options say, and where they are silent the system's own file."""
    import msgspec  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.errors import UnknownName  # noqa: PLC0415 - as above
    from aloi.system.regulation import Regulation  # noqa: PLC0415 - as above

    for kind, called in (("roles", N_("role")), ("classes", N_("class of system"))):
        for name in given[kind] or ():
            if name not in _choices(kind):
                raise UnknownName(called, name, _choices(kind))
    written = Regulation()
    if system:
        from aloi.system.reading import open_description  # noqa: PLC0415 - where a file is named

        written = open_description(system).regulation
    return msgspec.structs.replace(written, **{name: value for name, value in given.items() if value is not None})


def _choices(name: str) -> tuple[str, ...]:
    from typing import get_args  # noqa: PLC0415 - beside its one use

    from aloi.system.regulation import LegalClass, LegalRole  # noqa: PLC0415 - as above

    return get_args(LegalRole if name == "roles" else LegalClass)


def _situation(known: "Regulation", day: date, *, ask: bool) -> "Situation":
    """The situation. A role is asked for, or else missed: nothing binds nobody. A system may be of no class."""
    from aloi.errors import AskerError  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.standards.applies import INPUTS, Situation  # noqa: PLC0415 - as above

    roles, classes = known.roles, known.classes
    if not roles and ask:
        roles = _asked_names("roles", ROLES)
    if not roles:
        raise AskerError(
            N_("the role towards the system is not known"),
            remedy=N_("give --role, or write `roles` under `regulation` in system.yaml: {roles}"),
            roles=", ".join(_choices("roles")),
        )
    if classes is None and ask:
        classes = _asked_names("classes", CLASSES)
    elif classes is None:
        tell(
            N_("No class of system was named: what hangs on one is left out. --class names it: {classes}"),
            classes=", ".join(_choices("classes")),
        )
    return Situation(
        roles=roles,
        classes=classes or (),
        day=day,
        **{name: getattr(known, name) for name in INPUTS},
    )


def _asked_names(kind: str, question: str) -> Any:
    """Names of that kind, asked for until all of them are known."""
    choices = _choices(kind)
    while True:
        told = click.prompt(say(question, choices=", ".join(choices)), default="", show_default=False)
        named = tuple(one.strip() for one in told.split(",") if one.strip())
        if set(named) <= set(choices):
            return named
        tell(N_("not known: {names}"), names=", ".join(sorted(set(named) - set(choices))))


def _asked(answer: "Answer") -> "Answer":
    """The answer, after asking for each input on which something in it hangs; what nobody knows stays open."""
    from msgspec import structs  # noqa: PLC0415 - heavy modules load when a command runs

    from aloi.standards.applicability import applicability  # noqa: PLC0415 - as above
    from aloi.standards.applies import INPUTS, applies  # noqa: PLC0415 - as above

    for name in INPUTS:
        if any(name in found.missing for found in answer.provisions):
            value = _asked_day(QUESTIONS[name]) if name == "placed" else _asked_whether(QUESTIONS[name])
            answer = applies(applicability(), structs.replace(answer.situation, **{name: value}))
    return answer


def _asked_day(question: str) -> date | None:
    told = click.prompt(say(question), default="", show_default=False, prompt_suffix=" ", value_proc=_day)
    return told if isinstance(told, date) else None


def _day(typed: str) -> date | str:
    return options.DAY.convert(typed, None, None) if typed.strip() else ""


def _asked_whether(question: str) -> bool | None:
    asked = say(N_("{question} [y/n; nothing if not known]"), question=say(question))
    while True:
        told = click.prompt(asked, default="", show_default=False).strip().casefold()
        if told in TYPED:
            return TYPED[told]
        tell(N_("not known: {names}"), names=told)
