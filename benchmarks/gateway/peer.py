"""LiteLLM's proxy, beside which the gateway is measured, where `make litellm` has installed it.

It is set up as fast as it goes: one worker, no key, no database, no callbacks, no guardrails, no retries, and one model
at the same upstream. It fetches nothing: what it would read from the network at its start it has in its package.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from benchmarks.gateway.process import Process

ROOT = Path(__file__).parents[2]
PYTHON, COMMAND = (ROOT / ".venv" / "litellm" / "bin" / name for name in ("python", "litellm"))
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
    "LITELLM_LOCAL_AUTOROUTER_PRESETS": "True",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOG": "ERROR",
}
PATIENCE = 180.0  # seconds until it must answer


def missing() -> str:
    """What to do where it cannot be measured, or nothing."""
    return "" if COMMAND.exists() else "LiteLLM was not measured: install it with `make litellm`"


def version() -> str:
    """As its package says."""
    asked = "import importlib.metadata as m; print(m.version('litellm'))"
    return subprocess.check_output([PYTHON, "-c", asked], text=True).strip()


def installed() -> int:
    """Bytes of its package and all that it needs."""
    command = [PYTHON, "-m", "benchmarks.gateway.packages", "litellm[proxy]"]
    size, _ = json.loads(subprocess.check_output(command, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."}))
    return int(size)


def described(port: int) -> dict[str, object]:
    """Its settings before the upstream at `port`."""
    model = {"model": "openai/mock", "api_base": f"http://127.0.0.1:{port}/v1", "api_key": "none"}
    return {
        "model_list": [{"model_name": "mock", "litellm_params": model}],
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "router_settings": {"num_retries": 0},
        "general_settings": {"dangerously_permit_weak_or_unset_master_key": True},
    }


@asynccontextmanager
async def proxy(core: int, folder: Path, upstream: int) -> AsyncIterator[Process]:
    """The proxy on one core, before the upstream at this port. Raises AssertionError where it does not answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config, log = folder / "litellm.yaml", folder / "litellm.log"
    config.write_text(yaml.safe_dump(described(upstream)))
    arguments = ("--config", config, "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1")
    unset = {"DATABASE_URL", "LITELLM_MASTER_KEY", "REDIS_HOST", "REDIS_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in unset} | OFFLINE
    began = time.perf_counter()
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            *(*arguments, "--telemetry", "False"),
            stdout=said,
            stderr=said,
            cwd=folder,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        while not await asyncio.to_thread(_answers, port):
            assert process.returncode is None, log.read_text()[-2_000:]
            assert time.perf_counter() - began < PATIENCE, log.read_text()[-2_000:]
            await asyncio.sleep(0.1)
        yield Process(port, process.pid, time.perf_counter() - began)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5) as reply:
            json.load(reply)
    except (OSError, urllib.error.URLError):
        return False
    return True
