"""Write the generated parts of `docs/`: the command line's own help. `python -m tools.docs check` fails where stale."""

import os
import subprocess
import sys
from pathlib import Path

from aloi.cli.main import COMMANDS

PAGE = Path("docs/command-line.md")
NESTED = {"keys": ("new", "show")}
HEAD = """# The command line

This page is written by `make docs` from the commands' own help. In French: `aloi --lang fr --help`, or `ALOI_LANG=fr`.
"""


def help_of(*words: str) -> str:
    """What `aloi WORDS --help` prints, in English and at one width."""
    environment = {**os.environ, "ALOI_LANG": "en", "COLUMNS": "110", "HOME": "/home/you", "XDG_CONFIG_HOME": ""}
    command = [sys.executable, "-m", "aloi.cli.main", *words, "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)  # noqa: S603 - our own
    return told.stdout.replace("python -m aloi.cli.main", "aloi").replace("main.py", "aloi").rstrip()


def page() -> str:
    """The whole page."""
    calls = [(), *((name,) for name in COMMANDS), *((name, verb) for name, verbs in NESTED.items() for verb in verbs)]
    parts = [f"## `{' '.join(('aloi', *words))}`\n\n```text\n{help_of(*words)}\n```\n" for words in calls]
    return "\n".join([HEAD, *parts])


def main() -> None:
    """Write the page, or check it."""
    text = page()
    if sys.argv[1:] == ["check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            sys.exit(f"{PAGE} is stale: run `make docs`")
        return
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
