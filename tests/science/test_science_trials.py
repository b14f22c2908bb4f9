"""The log of trials: nothing acknowledged is lost, nothing damaged is believed."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.merkle import Tree, root
from aloi.science.items import Failed, NotScored
from aloi.science.trials import Key, TrialLog, sealed, texts
from science.runs import trial

TESTS = Path(__file__).parents[1]


async def written(path, count):
    async with TrialLog(path) as log:
        for index in range(count):
            log.append(trial(index))
    return path.read_bytes()


async def test_what_is_written_is_read_back_in_the_order_of_its_index(tmp_path):
    path = tmp_path / "t.jsonl"
    trials = [trial(index, text=f'été {index} \u2028 \\ \n "quoted"') for index in (3, 0, 7)]
    outcomes = [Failed(evidence="plain"), NotScored(reason="timeout"), trials[0].outcome]
    trials = [msgspec.structs.replace(t, outcome=o) for t, o in zip(trials, outcomes, strict=True)]
    trials[1] = msgspec.structs.replace(trials[1], response=None)
    async with TrialLog(path) as log:
        for one in trials:
            log.append(one)
        assert list(log.trials("measure", "data-disclosure", "base")) == [trials[1], trials[0], trials[2]]
    with TrialLog(path) as log:
        assert list(log) == [trials[1], trials[0], trials[2]]
        assert trials[0].key in log
        assert Key("measure", "data-disclosure", "base", 1) not in log
        assert Key("confirm", "data-disclosure", "base", 3) not in log
        with pytest.raises(KeyError):
            log.get(Key("measure", "data-disclosure", "other", 3))
        assert len(path.read_bytes().splitlines()) == len(log) == 3


WRITER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from science.runs import trial
from aloi.science.trials import TrialLog
async def main():
    async with TrialLog(Path(sys.argv[1])) as log:
        index = len(log)
        while True:
            log.append(trial(index, "x" * (index * 37 % 900)))
            print(index, flush=True)
            index += 1
            if index % 50 == 0:
                await asyncio.sleep(0)
asyncio.run(main())
"""


def killed_writer(path: Path) -> int:
    """Let a process write until it is killed; the last index that it acknowledged."""
    child = subprocess.Popen([sys.executable, "-c", WRITER, path, TESTS], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child, child.stdout:
        acknowledged = [int(child.stdout.readline()) for _ in range(150)]
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().splitlines()
    return max([*acknowledged, *map(int, rest[:-1])])  # the last line may be cut in the pipe


async def test_a_writer_that_is_killed_loses_no_trial_that_it_acknowledged(tmp_path):
    path = tmp_path / "t.jsonl"
    for _ in range(4):
        last = await asyncio.to_thread(killed_writer, path)
        async with TrialLog(path) as log:
            kept = list(log.trials("measure", "data-disclosure", "base"))
            assert [one.key.index for one in kept] == list(range(len(kept)))
            assert len(kept) > last
            assert all(one == trial(one.key.index, "x" * (one.key.index * 37 % 900)) for one in kept[-60:])


@pytest.mark.parametrize("cut", [1, 2, 40, 200])
async def test_a_torn_last_line_is_cut_away_and_asked_again(tmp_path, cut):
    path = tmp_path / "t.jsonl"
    data = await written(path, 5)
    whole = data[: data.rindex(b"\n", 0, -1) + 1]
    path.write_bytes(data[:-cut])
    async with TrialLog(path) as log:
        assert len(log) == 4
        assert path.read_bytes() == whole
        log.append(trial(4))
    assert path.read_bytes() == data


async def test_a_tail_of_zeros_after_a_power_cut_is_cut_away(tmp_path):
    path = tmp_path / "t.jsonl"
    data = await written(path, 3)
    path.write_bytes(data + b"\0" * 4096)
    async with TrialLog(path) as log:
        assert len(log) == 3
    assert path.read_bytes() == data


async def test_a_reader_changes_nothing(tmp_path):
    path = tmp_path / "t.jsonl"
    data = (await written(path, 3))[:-5]
    path.write_bytes(data)
    with TrialLog(path) as log:
        assert len(log) == 2
    assert path.read_bytes() == data
    with pytest.raises(AskerError, match="cannot read"), TrialLog(tmp_path / "none"):
        pass
    assert not (tmp_path / "none").exists()


DAMAGE = {
    "not JSON": lambda line: b"oops",
    "cut in the middle": lambda line: line[:50],
    "empty line": lambda line: b"",
    "another shape": lambda line: b'{"key": ["measure"], "version": 2}',
    "a negative index": lambda line: line.replace(b'"index":2', b'"index":-2'),
    "an index beyond memory": lambda line: line.replace(b'"index":2', b'"index":2000000000000'),
    "another stage": lambda line: line.replace(b'"stage":"measure"', b'"stage":"mesure"'),
    "an unknown outcome": lambda line: line.replace(b'"passed"', b'"skipped"'),
    "a trial that stands twice": lambda line: line.replace(b'"index":2', b'"index":1'),
    "deep nesting": lambda line: b'{"key":' + b"[" * 100_000,
    "not UTF-8": lambda line: line.replace(b"answer", b"\xff\xfe\xff"),
}


@pytest.mark.parametrize("case", DAMAGE)
async def test_a_damaged_line_before_the_end_is_refused_with_its_number(tmp_path, case):
    path = tmp_path / "t.jsonl"
    lines = (await written(path, 5)).splitlines()
    damaged = DAMAGE[case](lines[2])
    assert damaged != lines[2]
    lines[2] = damaged
    data = b"\n".join(lines) + b"\n"
    path.write_bytes(data)
    with pytest.raises(EvidenceError, match="line 3") as caught:
        async with TrialLog(path):
            pass
    assert caught.value.reason == "damaged-log"
    assert path.read_bytes() == data  # nothing is repaired behind anyone's back


async def test_two_runs_cannot_write_one_log(tmp_path):
    path = tmp_path / "t.jsonl"
    async with TrialLog(path) as log:
        log.append(trial(0))
        with pytest.raises(AskerError, match="in use by another run"):
            async with TrialLog(path):
                pass
        log.append(trial(1))
    async with TrialLog(path) as log:  # the lock has ended with its holder
        assert len(log) == 2


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_refused_log_leaves_no_descriptor_open(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"oops\n")
    before = open_descriptors()
    for _ in range(3):
        with pytest.raises(EvidenceError):
            async with TrialLog(path):
                pass
    assert open_descriptors() == before


@pytest.fixture
def read_only_folder():
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:  # nothing is read-only for root
        os.seteuid(65534)
    yield folder
    if is_root:
        os.seteuid(0)
    folder.rmdir()


async def test_a_folder_that_may_not_be_written_is_told(read_only_folder):
    with pytest.raises(AskerError, match=r"cannot write .*Permission denied") as caught:
        async with TrialLog(read_only_folder / "t.jsonl"):
            pass
    assert "resume the run" in caught.value.remedy


@pytest.mark.parametrize("name", ["missing/t.jsonl", "."])
async def test_a_path_that_is_no_file_is_told(tmp_path, name):
    with pytest.raises(AskerError, match="cannot write"):
        async with TrialLog(tmp_path / name):
            pass


FULL = """
import asyncio, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from science.runs import trial
from aloi.errors import AskerError
from aloi.science.trials import TrialLog
async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
    async with TrialLog(Path(sys.argv[1])) as log:
        while True:
            try:
                log.append(trial(len(log)))
            except AskerError as error:
                print(len(log), error)
                return
asyncio.run(main())
"""


def filled(path: Path, limit: int) -> str:
    """What a process says that writes until no file may grow beyond `limit` bytes."""
    arguments = [sys.executable, "-c", FULL, path, TESTS, str(limit)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("limit", [5_000, 5_001, 5_137])
async def test_a_full_disk_stops_the_run_and_keeps_every_trial(tmp_path, limit):
    path = tmp_path / "t.jsonl"
    kept, _, message = (await asyncio.to_thread(filled, path, limit)).partition(" ")
    assert message.startswith(f"cannot write {path}: ")
    data = path.read_bytes()
    assert data.endswith(b"\n")
    assert len(data) <= limit
    async with TrialLog(path) as log:
        assert len(log) == int(kept) > 3
        log.append(trial(len(log)))  # space was freed: the run goes on


async def test_the_sample_root_is_the_rfc_6962_root_over_the_lines(tmp_path):
    path = tmp_path / "t.jsonl"
    async with TrialLog(path) as log:
        for index in (2, 0, 1, 5):
            log.append(trial(index))
            log.append(trial(index, hazard="unsafe-output"))
        log.append(trial(0, arm="also"))
        one, both = log.sample("measure", "data-disclosure"), log.sample("measure")
        empty = log.sample("confirm")
    lines = {}
    for line in path.read_bytes().splitlines():
        key = msgspec.json.decode(line)["key"]
        lines[key["hazard"], key["arm"], key["index"]] = line
    wanted = [lines[key] for key in sorted(lines)]
    assert (both.trials, both.root) == (9, "sha256:" + root(wanted).hex())
    mine = [lines[key] for key in sorted(lines) if key[0] == "data-disclosure"]
    assert (one.trials, one.root) == (5, "sha256:" + root(mine).hex())
    assert (empty.trials, empty.root) == (0, "sha256:" + root([]).hex())
    with TrialLog(path) as log:
        assert log.sample("measure") == both


async def test_any_byte_that_changes_changes_the_root_or_is_refused(tmp_path):
    path = tmp_path / "t.jsonl"
    data = await written(path, 3)
    with TrialLog(path) as log:
        genuine = log.sample("measure", "data-disclosure")
    for position in range(len(data) - 1):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        try:
            with TrialLog(path) as log:
                assert log.sample("measure", "data-disclosure") != genuine, position
        except EvidenceError:
            pass


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), unique=True, max_size=40))
def test_the_order_of_arrival_does_not_change_sample_or_order(keys):
    async def sample(path, order):
        async with TrialLog(path) as log:
            for arm, index in order:
                log.append(trial(index, arm=arm))
            return log.sample("measure"), [one.key for one in log]

    with tempfile.TemporaryDirectory() as folder:
        first = asyncio.run(sample(Path(folder) / "1", keys))
        assert first == asyncio.run(sample(Path(folder) / "2", keys[::-1]))
        assert first[1] == sorted(first[1])
        assert first[0].trials == len(keys)


@pytest.mark.parametrize(("secret", "most"), [(b"", 80), (bytes(32), 120)], ids=["unsealed", "sealed"])
async def test_what_is_kept_in_memory_of_a_trial_is_small(tmp_path, secret, most):
    """48 bytes by the arrays' own count, 80 where they are sealed: 10,000 trials of 2 kB hold less than 2 MB."""
    import tracemalloc

    async with TrialLog(tmp_path / "t.jsonl", secret) as log:
        log.append(trial(0))
        tracemalloc.start()
        for index in range(1, 10_000):
            log.append(trial(index, "x" * 2_000))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert held < 10_000 * most


async def test_a_sample_commits_to_what_was_asked_and_answered(tmp_path):
    path, secret = tmp_path / "t.jsonl", bytes(range(32))
    async with TrialLog(path, secret) as log:
        for index in (2, 0, 1):
            log.append(trial(index, text=f"été {index}"))
        sample, seals = log.sample("measure"), log.seals("measure")
    assert [key.index for key, _ in seals] == [0, 1, 2]
    tree = Tree()
    for key, seal in seals:
        with TrialLog(path) as log:
            assert seal == sealed(secret, log.get(key))
        tree.append(seal)
    assert sample.sealed == "sha256:" + tree.root().hex()
    with TrialLog(path, secret) as log:
        assert log.sample("measure") == sample
    with TrialLog(path, bytes(32)) as log:
        assert log.sample("measure").sealed not in {"", sample.sealed}
    with TrialLog(path) as log:
        assert log.sample("measure") == msgspec.structs.replace(sample, sealed="")


def test_what_is_sealed_is_what_was_said_and_not_what_is_looked_for():
    one = trial(0, text="yes")
    again = msgspec.structs.replace(one, outcome=Failed(evidence="x"), at="2027-01-01T00:00:00Z")
    assert sealed(bytes(32), again) == sealed(bytes(32), one)
    other = msgspec.structs.replace(one, response=msgspec.structs.replace(one.response, text="no"))
    missing = msgspec.structs.replace(one, response=None)
    assert len({sealed(bytes(32), each) for each in (one, other, missing)}) == 3
    assert texts(missing)[1] == "null"
