import pytest
from evidence_world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def bundle() -> bytes:
    return World().pack()
