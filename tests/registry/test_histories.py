"""The bench of histories sees every cheat, and would see a witness or a client that does not check."""

import random

import pytest
from benchmarks.registry import histories
from benchmarks.registry.histories import KINDS, History, main, one_history

from aloi.registry import misbehaviour, witness


def outcomes(kind, count):
    for number in range(count):
        history = History(random.Random(number))
        yield history, KINDS[kind](history)


@pytest.mark.parametrize("kind", KINDS)
def test_every_cheat_is_seen(kind):
    for history, outcome in outcomes(kind, 12):
        assert outcome.seen
        assert outcome.signed
        assert one_history(history, outcome.signed)


def test_a_witness_that_does_not_check_would_be_seen(monkeypatch):
    monkeypatch.setattr(misbehaviour, "continues", lambda *_: True)
    monkeypatch.setattr(witness, "_continues", lambda *_: None)
    found = [(outcome.seen, one_history(history, outcome.signed)) for history, outcome in outcomes("split view", 12)]
    assert (False, False) in found
    assert (True, False) not in found


def test_a_client_that_asks_no_witness_would_be_seen(monkeypatch):
    monkeypatch.setattr(histories, "POLICY", histories.POLICY._replace(quorum="none"))
    assert not any(outcome.seen for _, outcome in outcomes("rollback", 12))


def test_the_table(monkeypatch, capsys):
    monkeypatch.setenv("ALOI_HISTORIES", "12")
    main()
    shown = capsys.readouterr().out
    assert all(kind in shown for kind in KINDS)
    assert shown.count(" met\n") == 2
    assert "NOT MET" not in shown
