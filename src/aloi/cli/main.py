"""`aloi`: find the command, run it, print errors, exit with the code of their family."""

import importlib
import os
import sys
import traceback
from io import StringIO

import click
import msgspec

from aloi import __version__
from aloi.cli.extras import needing
from aloi.cli.speech import error_lines, language, say
from aloi.errors import AloiError, EvidenceError, concealed
from aloi.translation import LANGUAGES, LOCALE, N_

# The command's module is imported when it is called; its line of help stands here, so that `--help` starts at once.
COMMANDS = {
    "demo": N_("Run the whole loop on the example bank, answered by a real local model."),
    "init": N_("Write a system.yaml to start from."),
    "assure": N_("Run the whole loop on a system: measure, remedy, confirm, prove, report."),
    "measure": N_("Measure a system and sign the findings; try no remedy."),
    "label": N_("Label the answers of a run that wait for a person."),
    "judge": N_("Calibrate a judge on answers whose labels are known."),
    "screen": N_("Run guards over a corpus of texts, one ruling a line."),
    "guard": N_("Calibrate a guard on ordinary texts of yours, watch whether it holds, teach it attacks that passed."),
    "compare-guards": N_("Compare guards on a labelled corpus, ours and others'."),
    "verify": N_("Check a bundle, or one statement, offline, claim by claim."),
    "reveal": N_("Open one item of a run to an auditor, who can check that the run signed it."),
    "consensus": N_("Say what several evaluators' bundles on one system come to together, and who dissents."),
    "export": N_("Write a bundle as OSCAL, CycloneDX, SARIF or an in-toto summary, an incident as STIX."),
    "draft": N_("Draft documents for people to finish, filled from a bundle: Annex IV, model evaluation, system card."),
    "incident": N_("Begin the report of a serious incident, with the latest day to make it."),
    "show": N_("Show a run again and write its reports again; nothing is asked."),
    "applies": N_("Say which requirements of the EU AI Act bind a system, a role, on a day."),
    "standards": N_("Read frameworks side by side, endorse mappings, and see where a bundle stands."),
    "gateway": N_("Stand before a system's model with its remedies, in production."),
    "mcp": N_("Stand between a client and a server of tools (MCP) with a system's remedies."),
    "share": N_("Publish a bundle in a registry, and keep the proofs that it stands there."),
    "lookup": N_("Fetch all that a registry holds about a system, proved to be all."),
    "round": N_("Take part in a blind round: evaluators fix what they found before any reads another's."),
    "registry": N_("Keep a registry: serve it, check it, back it up."),
    "state": N_("Sign what you say of a statement, of your organisation or of an incident, into a file."),
    "catalog": N_("List what is known: hazards, probes, attacks, remedies, frameworks, regimes."),
    "keys": N_("Make and show signing keys; replace or revoke the keys of an organisation."),
}
# click names these types itself, in English; the words stand in `tools.click_messages`.
PLAIN = ("text", "integer", "float")
NUMBERS = ("integer", "integer range", "float", "float range")
INTERRUPTED = 130
UNFORESEEN = 70
READER_GONE = 141  # as SIGPIPE would have ended us; never 0, which means that all is met


class Commands(click.Group):
    """Commands by name, each in the module of its name."""

    def invoke(self, ctx: click.Context) -> object:
        """As click does; a command that needs more than is installed says what."""
        with needing("measure", N_("this command")):
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """All names, in the order of the loop."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of a name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"aloi.cli.{cmd_name.replace('-', '_')}").command
        _say_placeholders(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """The list of commands, without importing any."""
        with formatter.section(say(N_("Commands"))):
            formatter.write_dl([(name, say(text)) for name, text in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest names where there is no such command."""
        import difflib  # noqa: PLC0415 - only for a mistake

        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-"):
            nearest = ", ".join(difflib.get_close_matches(name, COMMANDS) or COMMANDS)
            ctx.fail(say(N_("no such command: {name}; nearest: {nearest}"), name=name, nearest=nearest))
        return super().resolve_command(ctx, args)


def _say_placeholders(command: click.Command) -> None:
    """What stands for a value in a help text, and for the rest of a line, in the reader's language."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.metavar and parameter.type.name in PLAIN:
            parameter.metavar = say(parameter.type.name.upper())
        if parameter.type.name in NUMBERS:
            parameter.type.name = say(parameter.type.name)
    if isinstance(command, click.Group):
        command.subcommand_metavar = say(command.subcommand_metavar or "")
        for one in command.commands.values():
            _say_placeholders(one)


@click.group(
    cls=Commands,
    help=say(N_("The open loop of assurance for AI systems: measure, remedy, prove, share.")),
    epilog=say(
        N_(
            "Exit codes: 0 all met, 1 not met, 2 your input, 3 the target, 4 evidence does not hold, 5 registry, "
            "6 inconclusive."
        )
    ),
    subcommand_metavar=say("COMMAND [ARGS]..."),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, "--version", prog_name="aloi", help=say(N_("Show the version and exit.")))
@click.option("--lang", type=click.Choice(LANGUAGES), help=say(N_("Language of what is printed.")))
def aloi(lang: str | None) -> None:
    """Nothing is done before a command is named; `--lang` was read by `aloi.cli.speech`."""


def main() -> None:
    """The entry point of the `aloi` command."""
    os.environ["LANGUAGE"] = language()  # click's own words come from gettext's default domain
    _bind_messages()
    try:
        code = aloi.main(standalone_mode=False)
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.ClickException as error:
        _print_usage(error)
        code = 2  # click's own code for some is 1, which says "not met"
    except (KeyboardInterrupt, click.Abort):
        click.echo(say(N_("Interrupted. What was answered is kept.")), err=True)
        code = INTERRUPTED
    except AloiError as error:
        _print_error(error)
        code = error.exit_code
    except (
        BrokenPipeError,
        SystemExit,
    ):  # click's word for a reader of our output that has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = READER_GONE
    except Exception:  # noqa: BLE001 - Python would exit with 1, which says "not met"
        click.echo(concealed(traceback.format_exc()), err=True, nl=False)
        click.echo(say(N_("This is a fault of Aloi itself. What was answered is kept.")), err=True)
        code = UNFORESEEN
    sys.exit(code if isinstance(code, int) else 0)


def _bind_messages() -> None:
    import gettext  # noqa: PLC0415 - beside its one use

    gettext.bindtextdomain("messages", str(LOCALE))
    gettext.textdomain("messages")


def _print_usage(error: click.ClickException) -> None:
    if "--json" not in sys.argv:
        told = StringIO()
        error.show(told)
        click.echo(concealed(told.getvalue()), err=True, nl=False)
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "aloi"
    step = say(N_("Next: {step}"), step=say(N_("see {command} --help"), command=command))
    _print_for_machines(error, [concealed(error.format_message()), step])


def _print_for_machines(error: Exception, lines: list[str]) -> None:
    reason = error.reason if isinstance(error, EvidenceError) else ""
    told = {"error": type(error).__name__, "reason": reason, "message": lines}
    click.echo(msgspec.json.encode(told).decode())


def _print_error(error: AloiError) -> None:
    if "--json" in sys.argv:
        _print_for_machines(error, error_lines(error))
        return
    lines = error_lines(error)
    click.echo(click.style(say(N_("Error: {what}"), what=lines[0]), fg="red"), err=True)
    for line in lines[1:]:
        click.echo(line, err=True)


if __name__ == "__main__":
    main()
