"""What the catalogue says was measured is what the benchmark measures."""

import re

import pytest
import yaml
from benchmarks.__main__ import BENCHMARKS
from benchmarks.solutions import catalogue, guards

from aloi.plugins import names
from aloi.solutions.catalogue import GROUP, defaults, entries
from aloi.solutions.measured import measured
from aloi.solutions.tables import HERE, table

RUNS = table("measurements")["runs"]


def test_the_figures_come_out_again():
    written = table("measured")["figures"]
    assert {run: written[run] for run in catalogue.AGENTS} == catalogue.agents()


def test_every_sentence_has_its_figures_in_both_languages():
    written = table("measured")["figures"]
    assert set(written) == set(RUNS)
    for run, sentence in RUNS.items():
        slots = {language: set(re.findall(r"{(\w+)}", words)) for language, words in sentence["text"].items()}
        assert set(slots) == {"en", "fr"}
        assert slots["en"] == slots["fr"]
        for remedy, figures in written[run].items():
            assert remedy in names(GROUP)
            assert slots["en"] <= set(figures)
        (bench,) = re.findall(r"^make bench BENCH=(\w+)$", sentence["command"])
        assert bench in BENCHMARKS


def test_speeds_are_of_the_guards_that_the_bench_times_and_within_its_bar():
    speeds = table("measured")["figures"]["speed"]
    assert set(speeds) <= set(guards.GUARDS)
    assert sum(figures["ms"] for figures in speeds.values()) <= guards.SMALL_MS


def test_a_remedy_that_was_measured_nowhere_has_nothing():
    assert measured("nobody") == ()
    by_effect = {name for name, line in entries().items() if any(one.about == "effect" for one in line.measured)}
    assert {remedy for _, remedies in catalogue.AGENTS.values() for remedy in remedies} <= by_effect
    assert "output-budget" not in by_effect


def test_figures_are_written_as_each_language_writes_them():
    (told, *_) = measured("request-limits")
    assert "1,568" in told.text["en"]
    assert "1\N{NARROW NO-BREAK SPACE}568" in told.text["fr"]
    assert "1.8 %" in told.text["en"]
    assert "1,8 %" in told.text["fr"]


@pytest.mark.parametrize("name", ["request-limits", "secret-filter", "tool-policy", "hardened-prompt"])
def test_defaults_are_those_a_remedy_is_built_with(name):
    known = defaults(name)
    assert entries()[name].options.items() <= known.items()
    if name == "request-limits":
        assert (known["same_result"], known["day_money"], known["callers"]) == (2, None, 10_000)


def test_the_file_is_what_the_command_writes():
    text = (HERE / "measured.yaml").read_text(encoding="utf-8")
    assert text.startswith("# Written by `python -m benchmarks.solutions.catalogue --write`")
    assert set(yaml.safe_load(text)) == {"source", "date", "licence", "machine", "figures"}
