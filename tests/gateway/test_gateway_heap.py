"""The threads of a gateway share one heap."""

import ctypes
import subprocess
import sys

import pytest

THREADS = """
import ctypes, os, sys, threading
from aloi.serving.heap import share_heap

if sys.argv[1] == "shared":
    assert share_heap()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
met = threading.Barrier(6)

def work():
    held = [bytes(100_000) for _ in range(20)]
    met.wait()

threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
told = ctypes.c_void_p(libc.fdopen(os.dup(1), b"w"))
libc.malloc_info(0, told)
libc.fflush(told)
"""


def heaps(way: str) -> int:
    told = subprocess.run([sys.executable, "-c", THREADS, way], capture_output=True, check=True, timeout=60)
    return told.stdout.count(b"<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="heaps are told of by glibc alone")
def test_threads_share_one_heap():
    assert heaps("own") > 1
    assert heaps("shared") == 1
