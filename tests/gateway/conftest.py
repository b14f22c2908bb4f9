"""One upstream and one gateway for all tests that change neither."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from answering import answering
from benchmarks.gateway.faults import SCRIPTS
from benchmarks.gateway.scripted import Scripted
from gateway_room import LIMITS, Gateway, described, running, vectors


@pytest.fixture(scope="session")
def upstream() -> Iterator[Scripted]:
    with Scripted(SCRIPTS | {"vectors": vectors}) as served:
        yield served


@pytest.fixture(scope="session")
def gateway(upstream: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    with running(folder, described(upstream.port, limits=LIMITS)) as it:
        yield it
        assert "Traceback" not in it.said(), it.said()


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Before an upstream that speaks every protocol."""
    folder: Path = tmp_path_factory.mktemp("bank")
    with Scripted({}, otherwise=answering) as served, running(folder, described(served.port, limits=LIMITS)) as it:
        yield it
        assert "Traceback" not in it.said(), it.said()
