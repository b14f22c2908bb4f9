"""Where LiteLLM is installed, and what it is started with."""

import os
from pathlib import Path

from benchmarks.gateway.peer import OFFLINE

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "litellm" / "bin" / "python"


def environment() -> dict[str, str]:
    """For a Python that has LiteLLM: Aloi from here, and nothing from elsewhere."""
    paths = os.pathsep.join(map(str, (ROOT / "src", ROOT, Path(__file__).parent)))
    return {**os.environ, **OFFLINE, "PYTHONPATH": paths}
