"""A witness that is killed while it writes, and one whose disk is really full."""

import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks.registry.logs import Log, fixed_key
from cosigning_child import ENTRIES, ORIGIN

from aloi.evidence import checkpoints, notes
from aloi.registry.heads import FolderHeads
from aloi.registry.witness import Conflict, Cosigned, Refused, Witness

ROOT = Path(__file__).parents[2]
CHILD = [sys.executable, str(Path(__file__).parent / "cosigning_child.py")]


def told(output):
    """Whole lines: what was given away before the end."""
    return [
        (kind, int(size), int(second))
        for kind, size, second in (line.split() for line in output.rpartition("\n")[0].split("\n") if line)
    ]


def test_twenty_kills_while_the_state_is_written(tmp_path):
    folder = tmp_path / "witness"
    FolderHeads.create(folder).close()
    draw = random.Random(20)
    log = Log(ORIGIN, fixed_key(11), ENTRIES)
    given_size = given_time = 0
    for _ in range(20):
        child = subprocess.Popen(
            [*CHILD, str(folder), str(given_time + 1)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT}/src:{ROOT}", "PATH": ""},
        )
        first = child.stdout.readline()
        time.sleep(draw.uniform(0.0, 0.06))
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        assert child.returncode == -signal.SIGKILL
        (start, size, second), *cosigned = told(first + rest)
        assert start == "known"
        assert (size, second) >= (given_size, given_time)
        for _, size, second in cosigned:
            assert (size, second) >= (given_size, given_time)
            given_size, given_time = size, second
        with FolderHeads(folder) as store:
            witness = Witness("witness.example/1", [fixed_key(21)], {ORIGIN: [log.public]}, store)
            known = witness.known(ORIGIN)
            size = checkpoints.parse(notes.read(known.note).text).size if known else 0
            assert size >= given_size
            assert (known.time if known else 0) >= given_time
            if given_size:
                smaller = witness.add_checkpoint(0, [], log.signed(given_size - 1), given_time + 10**6)
                assert isinstance(smaller, Conflict)
                early = witness.add_checkpoint(size, [], log.signed(size), known.time - 1)
                assert isinstance(early, Refused)
            given_time = max(given_time, known.time if known else 0)
    assert given_size > 20


@pytest.fixture
def no_space():
    """No file may grow beyond 100 bytes: a write ends in the middle, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    yield limit
    limit(soft)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_fills_in_the_middle_of_a_state(tmp_path, no_space):
    log = Log(ORIGIN, fixed_key(11), ENTRIES[:20])
    with FolderHeads.create(tmp_path / "witness") as store:
        witness = Witness("witness.example/1", [fixed_key(21)], {ORIGIN: [log.public]}, store)
        assert isinstance(witness.add_checkpoint(0, [], log.signed(9), 1000), Cosigned)
        no_space(100)
        answer = witness.add_checkpoint(9, log.proof(9, 12), log.signed(12), 1001)
        no_space(resource.RLIM_INFINITY)
        assert answer.reason == "state-not-saved"
        assert witness.known(ORIGIN).note == log.signed(9)
        assert isinstance(witness.add_checkpoint(9, log.proof(9, 12), log.signed(12), 1001), Cosigned)
