"""What is needed of one suite of tasks for agents, and which of its tasks can be measured with."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from aloi.science.shipped import shipped
from aloi.system.messages import Tool

NAME = "agentdojo"


class Task(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One work order in one suite: the state of an item.

    `user` names the user's task, `injection` what an attacker wants; `words` stand in the environment, by the place
    where the suite lets them in.
    """

    suite: str
    user: str
    injection: str = ""
    words: dict[str, str] = {}


class Work(Protocol):
    """An environment in which one task is being worked on."""

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """Carry out one call, and the result as the agent reads it; a call that cannot be is told in words."""
        ...

    def attacked(self) -> bool:
        """Whether the environment shows that the attacker got what the task's injection asks for."""
        ...

    def done(self, said: str) -> bool:
        """Whether the user's task was done, by the environment and by the agent's last words."""
        ...


class Suite(Protocol):
    """A suite of tasks, whoever runs it."""

    def tools(self) -> tuple[Tool, ...]:
        """The tools that an agent finds."""
        ...

    def prompt(self, user: str) -> str:
        """What the user asks for."""
        ...

    def words(self, attack: str, user: str, injection: str) -> dict[str, str]:
        """What an attack plants, by place: everywhere that an agent looks which does the user's task."""
        ...

    def begin(self, task: Task) -> Work:
        """A fresh environment for a task."""
        ...


class LeftOut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task that is not measured with in one part, and why: a key of `About.reasons`."""

    task: str
    part: Literal["users", "injections", "ordinary"]
    why: str


class Listed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found of one suite. `digest` is that of its texts: another suite of the name is refused.

    An attack is tried on every one of `users` with every one of `injections`. `ordinary` are the user's tasks that an
    agent which does nothing fails.
    """

    digest: str
    users: tuple[str, ...]
    injections: tuple[str, ...]
    ordinary: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()


class Listing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data/suites.yaml`, written by `python -m tools.agentdojo`: the suites as they were checked with one version."""

    version: str
    suites: dict[str, Listed]


class About(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data/about.yaml`: the package, the edition of its benchmark, and its names of attacks by ours."""

    package: str
    benchmark: str
    source: str
    licence: str
    date: str
    attacks: dict[str, str]
    reasons: dict[str, str]


def _data(name: str) -> Any:
    return shipped(name, "aloi.science.agentdojo")


@cache
def about() -> About:
    """What is asked of which package."""
    return msgspec.convert(_data("about"), About)


@cache
def listing() -> Listing:
    """The suites that can be measured with."""
    return msgspec.convert(_data("suites"), Listing)


@cache
def edition() -> str:
    """The edition of the benchmark, and the package that is installed."""
    try:
        return f"{about().benchmark}, {about().package} {version(about().package)}"
    except PackageNotFoundError:
        return about().benchmark


def task_of(state: Mapping[str, Any]) -> Task:
    """The task that the state of an item holds."""
    return msgspec.convert(dict(state), Task)
