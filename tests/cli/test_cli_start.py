"""A bare start imports nothing heavy, whatever is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.command import environment

GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"
HEAVY = ("numpy", "scipy", "aiohttp", "yaml", "jinja2", "rich", "babel", "jsonschema", "xllamacpp")
ASKED = "import sys; print(*sorted(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)"
COMMAND = """
import sys
from aloi.cli.main import main
sys.argv = {arguments!r}
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""

STARTS = {
    "import aloi": "import aloi",
    "import aloi.evidence.verification": "import aloi.evidence.verification",
    "--help": COMMAND.format(arguments=["aloi", "--help"]),
    "--version": COMMAND.format(arguments=["aloi", "--version"]),
    "verify --help": COMMAND.format(arguments=["aloi", "verify", "--help"]),
    "assure --help": COMMAND.format(arguments=["aloi", "assure", "--help"]),
    "verify": COMMAND.format(
        arguments=["aloi", "verify", str(GOLDEN / "bundle-v1.json"), "--key", str(GOLDEN / "bundle-v1.pem")]
    ),
}


@pytest.mark.parametrize("code", STARTS.values(), ids=STARTS)
def test_a_cold_start_is_light(tmp_path, code):
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ASKED.format(heavy=HEAVY)}"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.strip() == ""
