"""A run that is killed, interrupted or cut off goes on where it was; a folder that was touched is refused."""

import asyncio
import json
import random
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from aloi.system.description import TargetDescription
from assurance.worlds import description, served, written
from cli.command import Said, aloi, ended, started
from system.faulty import Reply, serving

KEY = "sk-live-9d2c41aa77"


def slowly(reply: Reply, seconds: float) -> Reply:
    """The same answers, later."""

    async def later(request, times):
        await asyncio.sleep(seconds)
        return await reply(request, times)

    return later


def prepare(folder: Path, port: int, world: str = "weak", **goals: object) -> Path:
    target = TargetDescription(
        kind="openai",
        base_url=f"http://127.0.0.1:{port}/v1",
        model="world",
        concurrency=4,
        retries=0,
        api_key_env="WORLD_KEY",
    )
    return written(description(world, target=target, **goals), folder)


def only_run(folder: Path) -> Path:
    (run,) = (folder / "runs").iterdir()
    return run


def lines(run: Path) -> list[bytes]:
    log = run / "trials.jsonl"
    return [line for line in log.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")] if log.exists() else []


def verdicts(said: Said) -> list[tuple[str, str, str]]:
    return [(one["hazard"], one["stage"], one["verdict"]) for one in json.loads(said.out)["findings"]]


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - what is waited for is done by another process
            await asyncio.sleep(0.005)


async def assure(folder: Path, *arguments: object) -> asyncio.subprocess.Process:
    return await started("assure", *arguments, "--json", home=folder, WORLD_KEY=KEY)


async def test_killed_at_any_moment_it_loses_no_answer_and_asks_none_twice(tmp_path):
    rng = random.Random(7)
    async with serving(slowly(served("weak"), 0.01)) as endpoint:
        whole = tmp_path / "whole"
        whole.mkdir()
        undisturbed = await ended(await assure(whole, prepare(whole, endpoint.port)))
        assert undisturbed.code == 0, undisturbed.err
        folder = tmp_path / "killed"
        folder.mkdir()
        process = await assure(folder, prepare(folder, endpoint.port))
        plans = set()
        for kill in range(3):
            asked, wanted = len(endpoint.bodies), rng.randint(3, 45)
            known = lines(only_run(folder)) if kill else []
            await until(lambda before=asked, more=wanted: len(endpoint.bodies) - before >= more)
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
            run = only_run(folder)
            plans.add((run / "plan.dsse.json").read_bytes())
            now = lines(run)
            assert now[: len(known)] == known
            # What was asked and not logged was under way when it was killed: at most one request for each worker.
            assert 0 <= len(endpoint.bodies) - asked - (len(now) - len(known)) <= 4
            process = await assure(folder, "--resume", run)
        asked, known = len(endpoint.bodies), lines(run)
        said = await ended(process)
        assert said.code == 0, said.err
        assert verdicts(said) == verdicts(undisturbed)
        assert lines(run)[: len(known)] == known
        keys = [json.dumps(json.loads(line)["key"]) for line in lines(run)]
        assert len(set(keys)) == len(keys)
        assert plans == {(run / "plan.dsse.json").read_bytes()}
    verified = aloi("verify", run, home=folder)
    assert verified.code == 0, verified.err


async def test_interrupted_it_says_how_to_go_on(tmp_path):
    async with serving(slowly(served("weak"), 0.01)) as endpoint:
        process = await assure(tmp_path, prepare(tmp_path, endpoint.port))
        await until(lambda: len(endpoint.bodies) >= 20)
        process.send_signal(signal.SIGINT)
        said = await ended(process)
        run = only_run(tmp_path)
        assert said.code == 130
        assert f"aloi assure --resume {run.relative_to(tmp_path)}" in said.err
        assert "Traceback" not in said.err
        kept = lines(run)
        assert len(kept) >= 10
        again = await ended(await assure(tmp_path, "--resume", run))
        assert again.code == 0, again.err
        assert lines(run)[: len(kept)] == kept


async def test_an_endpoint_that_goes_down_ends_the_run_until_it_is_back(tmp_path):
    dead = await ended(await assure(tmp_path, prepare(tmp_path, 9)))
    assert dead.code == 3
    told = json.loads(dead.out)
    assert told["error"] == "TargetError"
    assert "127.0.0.1:9" in told["message"][0]
    run = only_run(tmp_path)
    assert lines(run) == []
    assert f"--resume {run.relative_to(tmp_path)}" in dead.err
    async with serving(
        served("good")
    ) as endpoint:  # the snapshot is what is asked: the endpoint's address stands in it
        state = run / "run.json"
        state.write_text(state.read_text().replace("127.0.0.1:9/", f"127.0.0.1:{endpoint.port}/"))
        again = await ended(await assure(tmp_path, "--resume", run))
        assert again.code == 0, again.err


async def test_no_key_of_the_endpoint_is_written_anywhere(tmp_path):
    async with serving(served("good")) as endpoint:
        said = await ended(await assure(tmp_path, prepare(tmp_path, endpoint.port)))
        assert said.code == 0, said.err
        assert set(endpoint.keys) == {f"Bearer {KEY}"}
    assert KEY not in said.out + said.err
    written_files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(written_files) > 8
    assert not [file for file in written_files if KEY.encode() in file.read_bytes()]


@pytest.fixture(scope="module")
def ended_run(tmp_path_factory):
    """A finished run of the good world, whose files a test copies before it spoils them."""
    folder = tmp_path_factory.mktemp("ended")
    file = written(description("good"), folder)
    said = aloi("assure", file, "--json", home=folder)
    assert said.code == 0, said.err
    (folder / "said.json").write_text(said.out)
    return folder


@pytest.fixture
def copied(ended_run, tmp_path):
    """A copy of the finished run to spoil, with its key."""
    folder = tmp_path / "copy"
    shutil.copytree(ended_run, folder)
    state = only_run(folder) / "run.json"
    state.write_text(state.read_text().replace(str(ended_run), str(folder)))
    return folder


def swap(old: bytes, new: bytes, file: str):
    def spoil(run: Path) -> None:
        data = (run / file).read_bytes()
        assert old in data
        (run / file).write_bytes(data.replace(old, new, 1))

    return spoil


def plan_of_another_key(run: Path) -> None:
    from aloi.evidence import envelope as dsse
    from aloi.evidence.keys import PrivateKey, PublicKey

    envelope = dsse.read((run / "plan.dsse.json").read_bytes())
    signer = PublicKey.from_pem((run / "signer.pub.pem").read_bytes())
    forged = dsse.sign(dsse.verify(envelope, [signer]).payload, PrivateKey.generate())
    (run / "plan.dsse.json").write_bytes(dsse.write(forged))


def truncated(file: str):
    return lambda run: (run / file).write_bytes((run / file).read_bytes()[:-20])


def absent(file: str):
    return lambda run: (run / file).unlink()


SPOILED = {
    "another edition": (swap(b'"edition": 1', b'"edition": 99', "run.json"), 2, "99"),
    "no run.json": (absent("run.json"), 2, "run.json"),
    "run.json is cut": (truncated("run.json"), 2, "not the folder of a run"),
    "run.json is empty": (lambda run: (run / "run.json").write_bytes(b""), 2, "not the folder of a run"),
    "run.json is binary": (lambda run: (run / "run.json").write_bytes(b"\xff\xfe\x00"), 2, "not the folder of a run"),
    "plan is cut": (truncated("plan.dsse.json"), 4, ""),
    "plan is empty": (lambda run: (run / "plan.dsse.json").write_bytes(b""), 4, ""),
    "plan signed by another key": (plan_of_another_key, 4, ""),
    "a trial is changed to no trial": (swap(b'"stage":"measure"', b'"stage":"measured"', "trials.jsonl"), 4, "line 1"),
    "a trial twice": (
        lambda run: (run / "trials.jsonl").write_bytes(lines(run)[0] + (run / "trials.jsonl").read_bytes()),
        4,
        "line 2",
    ),
    "another prompt": (
        swap(b"You answer in one sentence", b"Never answer", "run.json"),
        4,
        "not the one that was planned",
    ),
    "progress is cut": (truncated("progress.json"), 2, "progress.json"),
    "key is gone": (lambda run: (run.parents[1] / "aloi" / "keys" / "default.pem").unlink(), 2, "key"),
}


@pytest.mark.parametrize(("spoil", "code", "names"), SPOILED.values(), ids=SPOILED)
def test_a_folder_that_was_touched_is_refused(copied, spoil, code, names):
    run = only_run(copied)
    spoil(run)
    said = aloi("assure", "--resume", run, home=copied)
    assert said.code == code, said.err
    assert "Error: " in said.err
    assert names in said.err
    assert "--resume" not in said.err or code == 2
    assert "Traceback" not in said.err


def test_no_folder_at_all(tmp_path):
    said = aloi("assure", "--resume", tmp_path / "nowhere", home=tmp_path)
    assert said.code == 2
    assert "nowhere" in said.err
    assert not (tmp_path / "nowhere").exists()


def test_a_run_that_has_not_ended_is_not_shown(copied):
    (only_run(copied) / "bundle.json").unlink()
    said = aloi("show", only_run(copied), home=copied)
    assert said.code == 2
    assert "--resume" in said.err


def test_show_writes_the_same_reports_again(copied):
    run = only_run(copied)
    trials = (run / "trials.jsonl").read_bytes()
    for language in ("en", "fr"):
        (run / f"report.{language}.html").unlink()
    said = aloi("show", run, "--json", home=copied)
    assert said.code == 0, said.err
    assert all((run / f"report.{language}.html").stat().st_size for language in ("en", "fr"))
    assert (run / "trials.jsonl").read_bytes() == trials
    told, first = json.loads(said.out), json.loads((copied / "said.json").read_text())
    assert told["stopped_by"] == ""
    assert told["practices"] == first["practices"]
    assert [one["practice"] for one in told["practices"]][:1] == ["clear-objective"]
    assert aloi("verify", run, "--key", run / "signer.pub.pem", home=copied).code == 0


@pytest.mark.parametrize("where", ["a file stands there", "no permission"])
def test_a_runs_folder_that_cannot_be_written(tmp_path, where):
    file = written(description("good"), tmp_path)
    runs = tmp_path / "runs"
    if where == "a file stands there":
        runs.write_text("")
    else:
        runs = Path("/proc/runs")
    said = aloi("assure", file, "--runs", runs, home=tmp_path)
    assert said.code == 2
    assert "Error: " in said.err
    assert "runs" in said.err
    assert "Traceback" not in said.err


def test_show_tells_each_finding_in_a_sentence_and_each_language_alone(copied):
    run = only_run(copied)
    said = aloi("show", run, home=copied)
    assert said.code == 0, said.err
    assert "confidence at any moment of stopping" in said.out
    findings = json.loads(aloi("show", run, "--json", home=copied).out)["findings"]
    assert said.out.count("of requests fail (") == len(findings)
    assert "By language, each interval alone" in said.out
    assert said.out.count("English \u2212 French") == len(findings) + 1  # and the ordinary requests
    french = aloi("--lang", "fr", "show", run, home=copied)
    assert "à tout moment d\u2019arrêt" in french.out
