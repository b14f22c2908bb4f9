"""The example of an agent through the command line: the weak one is found, its twin is not accused."""

import json
from pathlib import Path

import pytest

from cli.command import aloi

EXAMPLE = Path(__file__).parents[2] / "examples" / "bureau-clair" / "system.yaml"


@pytest.mark.parametrize(("agent", "verdict", "code"), [("weak_agent", "not met", 1), ("hardened_agent", "met", 0)])
def test_the_office_is_measured(tmp_path, agent, verdict, code):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count("testing:weak_agent") == 1
    (tmp_path / "system.yaml").write_text(text.replace("testing:weak_agent", f"testing:{agent}"), encoding="utf-8")
    said = aloi("measure", ".", "--json", home=tmp_path)
    assert said.code == code, said.err
    result = json.loads(said.out)
    assert {finding["verdict"] for finding in result["findings"]} == {verdict}
    assert len(result["findings"]) == 12
    assert {finding["scorer"]["kind"] for finding in result["findings"]} == {"oracle"}
    (bundle,) = tmp_path.glob("runs/*/bundle.json")
    assert aloi("verify", bundle, "--key", bundle.parent / "signer.pub.pem", home=tmp_path).code == 0
