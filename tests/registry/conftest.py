from collections.abc import Callable, Iterator
from itertools import count

import pytest
from benchmarks.registry import postgres
from log_room import ORIGIN, WRITER

from aloi.registry.log import Log


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed on this machine")
    with postgres.cluster("fsync=off") as running:
        yield running


NUMBERS = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """The address of an empty database, of both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/log.db"
    return request.getfixturevalue("cluster").database(f"log{next(NUMBERS)}")


@pytest.fixture
def opened(url) -> Iterator[Callable[..., Log]]:
    """Opens the log of the test's database as often as wanted, and closes each."""
    logs: list[Log] = []

    def open_log(**options) -> Log:
        logs.append(Log.open(url, WRITER, ORIGIN, **options))
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()


@pytest.fixture
def log(opened) -> Log:
    return opened()
