import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.records import RemedyIdentity
from aloi.solutions.gateway.failures import Failed
from aloi.solutions.gateway.journal import BEGINNING, files_of, read
from aloi.solutions.gateway.kept import TEXT, Counted, Decided, Guards, Sampled, class_of, seconds_of
from aloi.solutions.gateway.recorder import SOON
from aloi.system.messages import GuardDecision
from solutions.traffic import BLOCK, GUARDS, SET, counts, entry, lines, recorder

CHILD = Path(__file__).with_name("traffic.py")
TESTS = str(Path(__file__).parents[1])


def written(folder):
    return b"".join(path.read_bytes() for path in files_of(folder))


async def test_a_decision_is_on_disk_before_it_is_acknowledged(tmp_path):
    folder = tmp_path / "traffic"
    async with recorder(folder) as record:
        await record.keep(entry("a"))
        guards, decided = lines(folder)  # the record is still open
    assert guards == Guards(before=BEGINNING, **{name: getattr(GUARDS, name) for name in FIELDS})
    assert isinstance(decided, Decided)
    assert (decided.id, decided.guard_set, decided.outcome) == ("a", SET, "blocked")
    assert [(one.guard, one.reason) for one in decided.decisions] == [("secret-filter", "own-secret-plain")]


FIELDS = ("at", "system", "fingerprint", "guard_set", "remedies")


async def test_only_its_owner_can_read_it(tmp_path):
    old = os.umask(0)
    try:
        async with recorder(tmp_path / "a" / "traffic") as record:
            await record.keep(entry("a"))
    finally:
        os.umask(old)
    assert (tmp_path / "a" / "traffic").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in files_of(tmp_path / "a" / "traffic")] == [0o600]


HOSTILE = GuardDecision(
    guard="tool-policy",
    role="call",
    action="withhold",
    reason="the user said: AZUR-4711",
    score=float("nan"),
    document="AZUR-4711",
    tool="send AZUR-4711",
)


async def test_no_text_is_kept_that_others_wrote(tmp_path):
    async with recorder(tmp_path, benign=1.0) as record:
        await record.keep(entry("a", decisions=(HOSTILE,)))
        await record.keep(entry("b", "error", error="upstream said AZUR-4711"))
        await record.keep(entry("c", "answered"))
    assert b"AZUR" not in written(tmp_path)
    assert b"What is the code" not in written(tmp_path)
    _, blocked, failed, sampled, _ = lines(tmp_path)
    assert [(one.guard, one.action, one.reason, one.score) for one in blocked.decisions] == [
        ("tool-policy", "withhold", "", 1.0)
    ]
    assert (failed.outcome, failed.error) == ("error", "")
    assert isinstance(sampled, Sampled)


async def test_texts_are_kept_where_the_owner_asks_for_them(tmp_path):
    async with recorder(tmp_path, benign=1.0, texts=True) as record:
        await record.keep(entry("a", decisions=(HOSTILE,)))
        await record.keep(entry("b", "answered", answer="x" * (TEXT + 1), asked="half a pair: \ud800"))
    _, blocked, sampled, _ = lines(tmp_path)
    assert (blocked.asked, blocked.answer, blocked.decisions[0].tool) == (
        "What is the code?",
        "It is AZUR-4711.",
        "send AZUR-4711",
    )
    assert (len(sampled.answer), sampled.cut, sampled.asked) == (TEXT, True, "half a pair: ?")


async def test_everything_is_counted_and_a_share_is_sampled(tmp_path):
    chances = Random(7)
    expected = sum(chances.random() < 0.1 for _ in range(1_000))
    async with recorder(tmp_path, seed=7, benign=0.1) as record:
        for number in range(1_000):
            await record.keep(entry(f"{number}", "answered"))
        await record.keep(entry("g", "gone", guard_seconds=0.0))
        await record.keep(entry("c", "changed", decisions=(BLOCK,)))
        await record.keep(entry("b"))
        await record.keep(entry("e", "error", error="upstream-timeout"))
    assert counts(tmp_path) == {"answered": 1_000, "gone": 1, "changed": 1, "blocked": 1, "error": 1}
    assert sum(isinstance(one, Sampled) for one in lines(tmp_path)) == expected > 50
    took = sum((Counter(one.took) for one in lines(tmp_path) if isinstance(one, Counted)), Counter())
    assert took.total() == 1_003
    assert all(0.002 <= seconds_of(which) <= 0.0022 for which in took)


def test_a_class_of_time_holds_what_is_a_tenth_shorter_at_most():
    for seconds in (1e-9, 1e-6, 3.3e-5, 0.0021, 0.4, 12.0, 600.0):
        assert seconds <= seconds_of(class_of(seconds)) <= max(1.1 * seconds, 1e-6) * (1 + 1e-9)


async def test_counts_are_written_as_time_goes_by(tmp_path):
    async with recorder(tmp_path, every=0.02) as record:
        await record.keep(entry("a", "answered"))
        await asyncio.sleep(0.3)
        assert counts(tmp_path) == {"answered": 1}  # and no line for the minutes without an exchange
        assert len(lines(tmp_path)) == 2
        await record.keep(entry("b", "answered"))
    assert counts(tmp_path) == {"answered": 2}


async def test_the_first_counts_are_written_long_before_the_first_minute_is_over(tmp_path):
    async with recorder(tmp_path) as record:
        await record.keep(entry("a"))
        await record.keep(entry("b", "answered"))
        for _ in range(600):
            if counts(tmp_path):
                break
            await asyncio.sleep(0.05)
        assert counts(tmp_path) == {"blocked": 1, "answered": 1}
        await record.keep(entry("c"))
        await asyncio.sleep(1.5 * SOON)
        assert counts(tmp_path) == {"blocked": 1, "answered": 1}  # the next wait for their minute
    assert counts(tmp_path) == {"blocked": 2, "answered": 1}


async def test_whoever_has_no_key_fills_no_record(tmp_path):
    async with recorder(tmp_path) as record:
        for number in range(50):
            await record.keep(entry(f"{number}", "error", error="unknown-key", key=""))
    assert counts(tmp_path) == {"error": 50}
    assert len(lines(tmp_path)) == 2


async def test_a_new_set_of_guards_is_told_before_the_first_line_that_names_it(tmp_path):
    other = "sha256:" + "9" * 64
    remedies = (RemedyIdentity(name="link-policy", version="1", digest="sha256:" + "1" * 64),)
    async with recorder(tmp_path) as record:
        await record.keep(entry("a"))
        record.runs_by(Guards(at=1.0, system="s", fingerprint=SET, guard_set=other, remedies=remedies))
        await record.keep(entry("b"))  # it began under the first set
        await record.keep(entry("c", guard_set=other))
    told = [(one.guard_set, getattr(one, "id", type(one).__name__)) for one in lines(tmp_path)]
    assert told[:5] == [(SET, "Guards"), (SET, "a"), (SET, "b"), (other, "Guards"), (other, "c")]
    assert {(one.guard_set, one.counts["blocked"]) for one in lines(tmp_path)[5:]} == {(SET, 2), (other, 1)}


async def test_another_edition_of_the_system_behind_the_same_guards_is_told(tmp_path):
    async with recorder(tmp_path) as record:
        await record.keep(entry("a"))
        record.runs_by(GUARDS)
        record.runs_by(replace(GUARDS, fingerprint="sha256:" + "6" * 64))
        await record.keep(entry("b"))
    told = [one.fingerprint[7] if isinstance(one, Guards) else one.id for one in lines(tmp_path)[:4]]
    assert told == ["5", "a", "6", "b"]


async def test_a_line_that_cannot_be_written_at_all_is_refused_and_the_next_is_kept(tmp_path):
    told = []
    async with recorder(tmp_path, told) as record:
        with pytest.raises(Failed):
            await record.keep(entry("a", key=object()))
        await record.keep(entry("b"))
    assert [one.id for one in lines(tmp_path) if isinstance(one, Decided)] == ["b"]
    assert len(told) == 1


async def test_the_oldest_goes_where_the_folder_would_grow_beyond_its_size(tmp_path):
    folder = tmp_path / "traffic"
    async with recorder(folder, megabytes=1, texts=True) as record:
        for number in range(150):
            await record.keep(entry(f"{number}", answer="y" * TEXT))
            assert sum(path.stat().st_size for path in files_of(folder)) <= 1024**2
    names = [path.name for path in files_of(folder)]
    assert len(names) > 4
    assert "record-00000001.jsonl" not in names
    found = lines(folder)
    kept = [int(one.id) for one in found if isinstance(one, Decided)]
    assert kept == list(range(min(kept), 150))
    firsts = [json.loads(path.read_bytes().splitlines()[0])["kind"] for path in files_of(folder)]
    assert set(firsts) == {"guards"}
    assert read(folder, lambda _: None).first != BEGINNING


def test_it_goes_on_where_the_last_process_ended(tmp_path):
    async def once(name):
        async with recorder(tmp_path) as record:
            await record.keep(entry(name))

    for name in "abc":
        asyncio.run(once(name))
    assert [one.id for one in lines(tmp_path) if isinstance(one, Decided)] == ["a", "b", "c"]
    last = written(tmp_path).splitlines()[-1]
    told = read(tmp_path, lambda _: None)
    assert told.last == sha256(last).hexdigest()
    assert (told.first, told.lines) == (BEGINNING, 9)


async def test_a_file_that_was_only_begun_is_no_end_of_the_chain(tmp_path):
    async with recorder(tmp_path) as record:
        await record.keep(entry("a"))
    (tmp_path / "record-00000002.jsonl").touch()
    async with recorder(tmp_path) as record:
        await record.keep(entry("b"))
    assert [one.id for one in lines(tmp_path) if isinstance(one, Decided)] == ["a", "b"]


async def one_of_nine(tmp_path):
    async with recorder(tmp_path) as record:
        for number in range(9):
            await record.keep(entry(f"{number}"))
    return files_of(tmp_path)[0]


CHANGES = {
    "a word changed": (lambda was: [*was[:4], was[4].replace(b"blocked", b"changed"), *was[5:]], 6),
    "a line left out": (lambda was: was[:4] + was[5:], 5),
    "two lines swapped": (lambda was: [*was[:4], was[5], was[4], *was[6:]], 5),
    "a line twice": (lambda was: [*was[:4], was[3], *was[4:]], 5),
    "no JSON": (lambda was: [*was[:4], b"{", *was[5:]], 5),
    "of no kind": (lambda was: [*was[:4], b'{"kind":"x","before":""}', *was[5:]], 5),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_was_changed_in_the_middle_is_noticed(tmp_path, change):
    file = await one_of_nine(tmp_path)
    how, line = CHANGES[change]
    file.write_bytes(b"\n".join(how(file.read_bytes().splitlines())) + b"\n")
    with pytest.raises(EvidenceError, match=f"line {line}:") as caught:
        read(tmp_path, lambda _: None)
    assert caught.value.reason == "damaged-log"
    with pytest.raises(EvidenceError, match=f"line {line}:") as caught:  # nor does a gateway go on with it
        async with recorder(tmp_path):
            pass
    assert "gateway.record.folder" in caught.value.remedy


async def test_a_file_that_was_taken_out_of_the_middle_is_noticed(tmp_path):
    async with recorder(tmp_path, megabytes=1, texts=True) as record:
        for number in range(30):
            await record.keep(entry(f"{number}", answer="y" * TEXT))
    first, second, third, *_ = files_of(tmp_path)
    second.unlink()
    with pytest.raises(EvidenceError, match=f"{third.name}, line 1"):
        read(tmp_path, lambda _: None)
    third.unlink()
    first.unlink()  # what remains has no gap: the oldest are the first to go


async def test_one_folder_is_of_one_gateway(tmp_path):
    async with recorder(tmp_path):
        with pytest.raises(AskerError, match="another gateway") as caught:
            async with recorder(tmp_path):
                pass
    assert "a folder of its own" in caught.value.remedy
    async with recorder(tmp_path):
        pass


@pytest.mark.parametrize("name", ["file", "file/traffic"])
async def test_a_folder_that_cannot_be_made_is_told_before_anything_is_served(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(AskerError, match="cannot write"):
        async with recorder(tmp_path / name):
            pass


def test_a_folder_without_a_record_is_told(tmp_path):
    with pytest.raises(AskerError, match="no record of traffic"):
        read(tmp_path, lambda _: None)


def keeping(folder, prefix, *limit):
    arguments = [sys.executable, str(CHILD), str(folder), prefix, *map(str, limit)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": TESTS})


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path):
    chance, acknowledged = Random(3), []
    for kills in range(12):
        child = keeping(tmp_path, f"{kills}")
        assert child.stdout.readline() == "open\n"
        said = [child.stdout.readline() for _ in range(chance.randint(1, 150))]
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
        child.stdout.close()
        assert child.wait(60) == -signal.SIGKILL
        told = [line.split() for line in said if line.endswith("\n")]
        assert {word for word, _ in told} <= {"kept"}
        acknowledged += [name for _, name in told]
        kept = {one.id for one in lines(tmp_path) if isinstance(one, Decided)}
        assert set(acknowledged) <= kept
    assert len(acknowledged) > 500
    assert len(kept) - len(acknowledged) <= 12 * 8  # what was under way


@pytest.mark.parametrize("torn", [1, 7, 150])
async def test_a_torn_end_is_cut_away_and_the_chain_goes_on(tmp_path, torn):
    file = await one_of_nine(tmp_path)
    file.write_bytes(file.read_bytes()[:-torn])
    async with recorder(tmp_path) as record:
        await record.keep(entry("after"))
    found = lines(tmp_path)
    assert [one.id for one in found if isinstance(one, Decided)] == [*"012345678", "after"]


@pytest.mark.parametrize("limit", [20_000, 20_001, 20_117])
def test_a_full_disk_refuses_and_keeps_all_that_was_acknowledged(tmp_path, limit):
    child = keeping(tmp_path, "full", limit)
    told = [line.split() for line in child.communicate(timeout=60)[0].splitlines()]
    kept = {one.id for one in lines(tmp_path) if isinstance(one, Decided)}
    assert {name for word, name, *_ in told[1:] if word == "kept"} == kept
    refused = [rest for word, _, *rest in told[1:] if word == "refused"]
    assert refused == [["503", "record"]] * 8
    assert written(tmp_path).endswith(b"\n")
    assert len(written(tmp_path)) <= limit


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=False).returncode
    ):
        pytest.skip("only root may mount a file system")
    yield place
    subprocess.run(["umount", place], check=True)


async def refusal(record, one):
    try:
        await record.keep(one)
    except Failed as error:
        return error


async def test_on_a_disk_that_has_space_again_nothing_is_missing_in_the_counts(small_disk):
    told, refused = [], 0
    filler = small_disk / "filler"
    async with recorder(small_disk / "traffic", told, every=0.01, benign=1.0) as record:
        await record.keep(entry("first"))
        filler.write_bytes(b"x" * shutil.disk_usage(small_disk).free)
        for number in range(60):
            error = await refusal(record, entry(f"{number}"))
            if error is not None:
                assert (error.status, error.kind) == (503, "record")
                assert str(small_disk) not in str(error)
                # what the gateway then tells the client may be short enough to be kept; it is counted either way
                await refusal(record, entry(f"{number}", "error", error="record", decisions=()))
            refused += error is not None
            await record.keep(entry("s", "answered"))  # a sample that is left out harms nobody
            await asyncio.sleep(0.002)
        assert refused > 20
        assert [type(one) for one in told] == [AskerError]
        filler.unlink()
        await record.keep(entry("last"))
    assert counts(small_disk / "traffic") == {"blocked": 62 - refused, "error": refused, "answered": 60}
    found = lines(small_disk / "traffic")
    samples = sum(isinstance(one, Sampled) for one in found)
    assert samples + sum(one.missed for one in found if isinstance(one, Counted)) == 60
    assert samples < 60
