"""Nothing but the target is asked: what a probe, a scorer or an environment tries is refused and told."""

import multiprocessing
import os
import pty
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from aloi.errors import AskerError
from aloi.science.egress import EgressDenied, sealed


def dial() -> None:
    socket.create_connection(("127.0.0.1", 9), timeout=1)


def send() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"x", ("127.0.0.1", 9))


def listen() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))


def mine(method: str) -> Callable[[], object]:
    """Start a process of `multiprocessing` by one of its methods; the resource tracker may or may not run by then."""
    return lambda: multiprocessing.get_context(method).Process(target=os.getpid).start()


def pool() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as workers:
        workers.submit(os.getpid).result(30)


ATTEMPTS: dict[str, Callable[[], object]] = {
    "connect": dial,
    "look-up": lambda: socket.getaddrinfo("collect.example.net", 443),
    "datagram": send,
    "listen": listen,
    "program": lambda: subprocess.run(["true"], check=True),
    "shell": lambda: os.system("true"),
    "fork": os.fork,
    "terminal": pty.fork,
    "another program": lambda: os.execv("/bin/true", ["true"]),
    "program, spawned": lambda: os.spawnv(os.P_WAIT, "/bin/true", ["true"]),
    "program, by POSIX": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "multiprocessing, fork": mine("fork"),
    "multiprocessing, spawn": mine("spawn"),
    "multiprocessing, spawn again": mine("spawn"),
    "multiprocessing, server": mine("forkserver"),
    "pool": pool,
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_what_leaves_the_process_is_refused_and_named(attempt):
    with pytest.raises(EgressDenied) as denied, sealed("sly-probe"):
        attempt()
    assert denied.value.who == "sly-probe"
    assert "sly-probe" in str(denied.value)
    assert isinstance(denied.value, AskerError)


def test_a_process_of_ones_own_does_not_run(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    once = spawn.Process(target=Path.touch, args=(tmp_path / "free",))  # without a seal it does, and a tracker with it
    once.start()
    once.join()
    with pytest.raises(EgressDenied, match="fork_exec") as denied, sealed("sly-scorer"):
        spawn.Process(target=Path.touch, args=(tmp_path / "sealed",)).start()
    assert denied.value.who == "sly-scorer"
    assert [path.name for path in tmp_path.iterdir()] == ["free"]


def test_an_attempt_that_is_hidden_is_told_all_the_same():
    def hide() -> None:
        try:
            dial()
        except EgressDenied:
            return

    with pytest.raises(EgressDenied, match=r"socket\.getaddrinfo 127"), sealed("sly-probe"):
        hide()


def test_an_attempt_that_was_hidden_before_another_seal_is_told():
    def hide() -> None:
        try:
            dial()
        except EgressDenied:
            with sealed("honest-attack"):
                pass

    with pytest.raises(EgressDenied) as denied, sealed("sly-probe"):
        hide()
    assert denied.value.who == "sly-probe"


def test_an_attempt_under_an_inner_seal_is_not_hidden_by_the_outer_one():
    def hide() -> None:
        try:
            with sealed("sly-attack"):
                dial()
        except EgressDenied:
            return

    with pytest.raises(EgressDenied) as denied, sealed("sly-probe"):
        hide()
    assert denied.value.who == "sly-attack"


def test_the_seal_ends_with_its_block_and_holds_its_thread_alone():
    reached: list[Exception | None] = []

    def elsewhere() -> None:
        try:
            dial()
        except EgressDenied as error:
            reached.append(error)
        except OSError:  # nobody listens there, which is what a free thread finds out
            reached.append(None)

    with sealed("honest-probe"):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert reached == [None]
    with pytest.raises(OSError, match="refused"):
        dial()


def test_seals_nest_and_the_inner_one_is_named():
    with pytest.raises(EgressDenied) as denied, sealed("probe"), sealed("attack"):
        dial()
    assert denied.value.who == "attack"


def test_files_may_be_read():
    with sealed("honest-probe"), open(__file__, encoding="utf-8") as file:  # noqa: PTH123 - what plug-ins do
        assert file.readline()
