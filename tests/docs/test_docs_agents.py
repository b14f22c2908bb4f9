"""What the page of agents says exists: probes, snippets, the bars of its bench."""

import asyncio
import random
import re
from pathlib import Path

from benchmarks.science import workplace

from aloi import plugins
from aloi.science.episode import carry_out
from aloi.science.probe import probe_for
from aloi.system.python import CallableTarget
from science.simulated import small_system

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")


def test_it_names_the_probes_for_agents_and_their_hazards():
    rows = re.findall(r"^\| (?:`([a-z-]+)`|ordinary tasks) \| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    told = {probe: hazard or "benign" for hazard, probe in rows}
    names = [name for name in plugins.names("aloi.probes") if hasattr(plugins.load("aloi.probes", name), "pack")]
    assert told == {name: probe_for(name).hazard for name in names}


def test_its_agents_work():
    answering, scripted = ({}, {})
    snippets = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for snippet, names in zip(snippets, (answering, scripted), strict=True):
        exec(compile(snippet, "docs/agents.md", "exec"), names)
    drawn = probe_for("benign-agent").item(small_system(), "en", "mail", random.Random(1))
    for function in (answering["answer"], scripted["agent"].__call__):
        response = asyncio.run(carry_out(drawn, CallableTarget(function)))
        assert response.calls()
        assert response.text


def test_its_bench_has_the_threshold_the_cap_and_the_runs_of_the_code():
    assert f"Threshold {workplace.THRESHOLD * 100:.0f} %, cap {workplace.CAP} trials" in PAGE
    assert f"{workplace.RUNS} runs of the weak agent" in PAGE
