"""The examples of docs/adapters.md run as they stand, against a model of the tests."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from benchmarks.gateway.scripted import Playing, Scripted

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


async def opening(it: Playing) -> None:
    await it.say("We open ", "at nine ", "on weekdays.")


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with Scripted({}, otherwise=opening) as served:
        yield f"http://127.0.0.1:{served.port}/v1"


@pytest.fixture
def folder(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    described = yaml.safe_load((ROOT / "examples" / "banque-azur" / "system.yaml").read_text(encoding="utf-8"))
    described["target"] = {"kind": "openai", "base_url": model, "model": "m"}
    described["guards"] = ["secret-filter", "injection-detector"]
    described["context"].pop("documents", None)
    (tmp_path / "system.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("source", blocks("python"), ids=range(len(blocks("python"))))
def test_the_examples_run(model: str, folder: Path, source: str) -> None:
    exec(compile(source, "docs/adapters.md", "exec"), {"MODEL": model})


def test_the_configuration_of_litellm_names_what_exists() -> None:
    (block,) = blocks("yaml")
    (guardrail,) = yaml.safe_load(block)["guardrails"]
    given: dict[str, Any] = guardrail["litellm_params"]
    module, _, name = given["guardrail"].rpartition(".")
    adapter = importlib.import_module(module)
    assert name == "Guardrail"
    assert set(adapter.MODES) == set(given["mode"])
