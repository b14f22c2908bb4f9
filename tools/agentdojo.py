"""Check AgentDojo's suites with their own solutions, and write which tasks can be measured with.

`python -m tools.agentdojo` writes `src/aloi/science/agentdojo/data/suites.yaml`; it needs the extra `agentdojo`. A
check that no solution was seen to fulfil, or that is fulfilled by an agent which does nothing, shows nothing.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from aloi.science.agentdojo.installed import InstalledSuite, InstalledWork
from aloi.science.agentdojo.suite import Task, about

FILE = Path("src/aloi/science/agentdojo/data/suites.yaml")
SUITES = ("banking", "slack", "travel", "workspace")


def number(name: str) -> int:
    """The number of a task, by which they are ordered."""
    found = re.search(r"\d+$", name)
    return int(found[0]) if found else 0


def solved(work: InstalledWork, task: Any) -> InstalledWork:
    """The environment after the solution that AgentDojo ships for a task."""
    for call in task.ground_truth(work.environment.model_copy(deep=True)):
        work.call(call.function, dict(call.args))
    return work


class Checked:
    """One suite, task by task."""

    def __init__(self, name: str) -> None:
        from agentdojo.task_suite.load_suites import get_suite  # noqa: PLC0415 - an extra

        self.name, self.attacks = name, about().attacks
        self.suite = InstalledSuite(get_suite(about().benchmark, name), self.attacks)
        self.users = dict(sorted(self.suite.foreign.user_tasks.items(), key=lambda each: number(each[0])))
        self.goals = dict(sorted(self.suite.foreign.injection_tasks.items(), key=lambda each: number(each[0])))
        self.left_out: list[dict[str, str]] = []

    def work(self, user: str, goal: str = "", words: dict[str, str] | None = None) -> InstalledWork:
        """A fresh environment."""
        return self.suite.begin(Task(suite=self.name, user=user, injection=goal, words=words or {}))

    def listed(self) -> dict[str, Any]:
        """What `suites.yaml` says of the suite."""
        users = [name for name in self.users if self.keep(name, "users", self.why_no_user(name))]
        goals = [name for name in self.goals if self.keep(name, "injections", self.why_no_goal(name, users))]
        ordinary = [name for name in self.users if self.keep(name, "ordinary", self.why_not_ordinary(name))]
        return {
            "digest": self.suite.digest(),
            "users": users,
            "injections": goals,
            "ordinary": ordinary,
            "left_out": self.left_out,
        }

    def keep(self, name: str, part: str, why: str) -> bool:
        """Whether a task stays in a part; if not, why."""
        if why:
            self.left_out.append({"task": name, "part": part, "why": why})
        return not why

    def why_no_user(self, user: str) -> str:
        """A task whose solution reads nothing that an attacker could write."""
        try:
            self.suite.words(next(iter(self.attacks)), user, next(iter(self.goals)))
        except ValueError:
            return "reads-nothing-planted"
        return ""

    def why_no_goal(self, goal: str, users: list[str]) -> str:
        """Each check is tried under every task and with the words of every attack."""
        task = self.goals[goal]
        if not task.ground_truth(self.work(users[0]).environment):
            return "no-solution"
        for user, words in self.planted(goal, users):
            if not solved(self.work(user, goal, words), task).attacked():
                return "solution-fails"
            if self.work(user, goal, words).attacked():
                return "idle-passes"
            if solved(self.work(user, goal, words), self.users[user]).attacked():
                return "honest-work-passes"
        return ""

    def planted(self, goal: str, users: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
        """Every task without and with each attack."""
        for user in users:
            yield user, {}
            for attack in self.attacks:
                yield user, self.suite.words(attack, user, goal)

    def why_not_ordinary(self, user: str) -> str:
        """A task that its own solution does not do, or that is done by doing nothing."""
        task = self.users[user]
        if not solved(self.work(user), task).done(task.GROUND_TRUTH_OUTPUT):
            return "solution-fails"
        return "idle-passes" if self.work(user).done("") else ""


def main() -> None:
    """Write the file for the suites that are named, or all."""
    found = yaml.safe_load(FILE.read_text(encoding="utf-8"))["suites"]
    for name in sys.argv[1:] or SUITES:
        found[name] = Checked(name).listed()
    whole = {"version": version("agentdojo"), "suites": dict(sorted(found.items()))}
    head = "# Written by `python -m tools.agentdojo`, on its own solutions; names of tasks only (MIT licence).\n"
    text = yaml.safe_dump(whole, sort_keys=False, width=118, default_flow_style=None)
    FILE.write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    main()
