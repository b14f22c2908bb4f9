"""Runs commands in forks of one process that has imported what others made, and nothing of ours.

Nearly all of a command's start goes into importing packages. Each command is still a process of its own, which imports
Aloi itself, in the language and with the settings that it is given.
"""

import gc
import importlib
import json
import multiprocessing
import os
import runpy
import signal
import socket
import sys

PACKAGES = (
    "aiohttp",
    "babel.dates",
    "babel.numbers",
    "click",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.serialization",
    "jinja2",
    "jsonschema",
    "msgspec",
    "numpy",
    "phonenumbers",
    "rich.progress",
    "rich.table",
    "scipy.optimize",
    "scipy.stats",
    "yaml",
)


def become(command: dict, descriptors: list[int]) -> None:
    """Be the process of a command, with its files, folder, environment and paths; one that hangs is killed."""
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    signal.alarm(60)
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.path[:1] = [command["folder"], *command["path"]]
    sys.argv = ["aloi", *command["arguments"]]
    runpy.run_module("aloi.cli.main", run_name="__main__", alter_sys=True)


def serve(line: socket.socket) -> None:
    """Fork for each command that is asked for, wait for its end, and answer its exit code; end with the asker."""
    fork = multiprocessing.get_context("fork")
    while True:
        asked, descriptors, _, _ = socket.recv_fds(line, 1 << 17, 3)
        if not asked:
            return
        process = fork.Process(target=become, args=(json.loads(asked), descriptors))
        process.start()
        for descriptor in descriptors:
            os.close(descriptor)
        process.join()
        line.send(str(process.exitcode).encode())


if __name__ == "__main__":
    for package in PACKAGES:
        importlib.import_module(package)
    gc.freeze()  # else every collection of every fork would go through all that these packages made
    serve(socket.socket(fileno=int(sys.argv[1])))
