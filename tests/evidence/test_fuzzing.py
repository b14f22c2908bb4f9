"""Some thousands of the inputs that `make bench BENCH=fuzz` gives a million of, and free ones."""

import pytest
from benchmarks.evidence.fuzz import fuzzed
from benchmarks.evidence.parsers import PARSERS, REFUSALS
from hypothesis import given, settings
from hypothesis import strategies as st

every_parser = pytest.mark.parametrize("name", PARSERS)


@every_parser
def test_what_is_not_expected_is_refused_and_what_is_read_is_written_again(name):
    outcome = fuzzed(name, PARSERS[name], 150)
    assert outcome.crashes == []
    assert outcome.respelt == []
    assert outcome.read >= len(PARSERS[name].seeds)


@every_parser
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_bytes_may_come(name, data):
    parser = PARSERS[name]
    seed = data.draw(st.sampled_from(parser.seeds))
    place = data.draw(st.integers(0, len(seed)))
    given_bytes = seed[:place] + data.draw(st.binary(max_size=60)) + seed[data.draw(st.integers(place, len(seed))) :]
    try:
        value = parser.parse(given_bytes)
    except REFUSALS as error:
        error.message.format(**error.facts)  # its sentence can be said
        return
    if parser.write:
        assert parser.write(value) == given_bytes
