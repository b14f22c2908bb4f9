"""Write the generated parts of `docs/`: the command line's own help, the catalogues of hazards and of attacks.

`python -m tools.docs` writes them; `python -m tools.docs check` changes nothing and fails where one is stale.
"""

import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from aloi.cli.main import COMMANDS
from aloi.science.attacks.wording import wording
from aloi.science.hazards import Hazard, hazards, pack
from aloi.science.probed import probes_by_hazard
from aloi.system.description import MODEL_ATTACKER

PAGE = Path("docs/command-line.md")
HAZARDS = Path("docs/hazards.md")
ATTACKS = Path("docs/attacks.md")
NESTED = {"incident": ("new",), "judge": ("calibrate",), "keys": ("new", "show")}
HEAD = """# The command line

This page is written by `make docs` from the commands' own help. In French: `aloi --lang fr --help`, or `ALOI_LANG=fr`.
"""
START, END = "<!-- written by make docs -->\n", "<!-- end -->\n"


def help_of(*words: str) -> str:
    """What `aloi WORDS --help` prints, in English and at one width."""
    environment = {**os.environ, "ALOI_LANG": "en", "COLUMNS": "110", "HOME": "/home/you", "XDG_CONFIG_HOME": ""}
    command = [sys.executable, "-m", "aloi.cli.main", *words, "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)  # noqa: S603 - our own
    return told.stdout.replace("python -m aloi.cli.main", "aloi").replace("main.py", "aloi").rstrip()


def page() -> str:
    """The whole page of the command line."""
    calls = [(), *((name,) for name in COMMANDS), *((name, verb) for name, verbs in NESTED.items() for verb in verbs)]
    parts = [f"## `{' '.join(('aloi', *words))}`\n\n```text\n{help_of(*words)}\n```\n" for words in calls]
    return "\n".join([HEAD, *parts])


def hazard_tables() -> str:
    """The catalogue of hazards as tables, with the probes that ship: not those that happen to be plugged in here."""
    ours = {point.name for point in distribution("aloi").entry_points if point.group == "aloi.probes"}
    probes = {slug: [name for name in names if name in ours] for slug, names in probes_by_hazard().items()}
    told = pack()
    lines = [f"Edition {told.edition} of `{told.id}`, checked {told.checked_on}, {told.licence}."]
    for tier in ("extreme", "visible"):
        lines += [
            "",
            f"### {tier.capitalize()}",
            "",
            "| hazard | what happens | surfaces | scorers | probes | in other lists |",
        ]
        lines += ["|---|---|---|---|---|---|"]
        lines += [_row(one, probes.get(one.slug, [])) for one in hazards().values() if one.tier == tier]
    lines += ["", "### Measured beside every one of them", "", "| metric | title | what it is |", "|---|---|---|"]
    lines += [f"| `{one.name}` | {one.title['en']} | {one.description['en']} |" for one in told.always_on]
    lines += ["", "### En français", "", "| danger | intitulé | ce qui se passe |", "|---|---|---|"]
    lines += [f"| `{one.slug}` | {one.title['fr']} | {one.description['fr']} |" for one in hazards().values()]
    return "\n".join([*lines, ""])


def _row(hazard: Hazard, probes: list[str]) -> str:
    entries = [f"`{entry.to}`" + (" (unconfirmed)" if entry.unconfirmed else "") for entry in hazard.maps_to]
    cells = (
        f"`{hazard.slug}`<br>{hazard.title['en']}",
        hazard.description["en"],
        ", ".join(hazard.surfaces),
        ", ".join(hazard.scorers),
        ", ".join(f"`{name}`" for name in probes) or "-",
        "<br>".join(entries),
    )
    return f"| {' | '.join(cells)} |"


def attack_tables() -> str:
    """The attacks that ship, in both languages: not those that happen to be plugged in here."""
    ours = [point.name for point in distribution("aloi").entry_points if point.group == "aloi.attacks"]
    known = [wording(name) for name in (*sorted(ours), MODEL_ATTACKER)]
    lines = ["| attack | what it does | languages | described in |", "|---|---|---|---|"]
    for one in known:
        spoken = ", ".join(sorted(one.languages())) or "every one"
        lines.append(f"| `{one.name}` | {one.title['en']} | {spoken} | {one.reference} |")
    lines += ["", "### En français", "", "| attaque | ce qu'elle fait |", "|---|---|"]
    lines += [f"| `{one.name}` | {one.title['fr']} |" for one in known]
    return "\n".join([*lines, ""])


def between(text: str, generated: str) -> str:
    """A page that people write, with its generated part written anew. Raises ValueError where it has no such part."""
    head, start, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    if not (start and end):
        raise ValueError(f"expected {START.strip()} and {END.strip()} in the page")
    return f"{head}{start}\n{generated}\n{end}{tail}"


def pages() -> dict[Path, str]:
    """Every page that is generated, whole or in part, as it should stand."""
    return {
        PAGE: page(),
        HAZARDS: between(HAZARDS.read_text(encoding="utf-8"), hazard_tables()),
        ATTACKS: between(ATTACKS.read_text(encoding="utf-8"), attack_tables()),
    }


def main() -> None:
    """Write the pages, or check them."""
    for path, text in pages().items():
        if sys.argv[1:] != ["check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path} is stale: run `make docs`")


if __name__ == "__main__":
    main()
