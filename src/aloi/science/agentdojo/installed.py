"""A suite of the installed package `agentdojo`: the one place that imports it, and only when it is named.

Importing it takes seconds, since it brings the clients of several model providers. None of them is used; as they load,
one binds a socket of this machine for a moment to learn whether there is IPv6. No connection is opened.
"""

import importlib
from ast import literal_eval
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

from aloi.errors import AskerError, MissingExtra
from aloi.evidence.canonical import canonical, digest
from aloi.science.agentdojo.suite import Listed, Task, about, listing
from aloi.system.messages import Tool
from aloi.translation import N_

INSTALL = "pip install 'aloi[agentdojo]'"
# A list that a model wrote as a text is read as a list, as AgentDojo does; a longer text is no list of names.
LONGEST_LIST = 10_000
# Two of its attacks ask for the name of the model under test and then leave it out; any name that they know will do.
ANY_MODEL = "gpt-4o-2024-05-13"


@cache
def installed(name: str) -> "InstalledSuite":
    """The suite of a name. Raises MissingExtra, or AskerError where the package holds another one than was checked."""
    try:
        foreign = _module("task_suite.load_suites").get_suite(about().benchmark, name)
    except ImportError as error:
        raise MissingExtra(N_("a suite of AgentDojo"), "agentdojo", INSTALL) from error
    suite = InstalledSuite(foreign, about().attacks)
    _check(name, suite, listing().suites[name])
    return suite


def _check(name: str, suite: "InstalledSuite", expected: Listed) -> None:
    if (got := suite.digest()) != expected.digest:
        raise AskerError(
            N_("the suite {suite} of the installed agentdojo is not the one that was checked: {got}, not {expected}"),
            remedy=N_("install version {version} of agentdojo"),
            suite=name,
            got=got,
            expected=expected.digest,
            version=listing().version,
        )


def _module(name: str) -> Any:
    return importlib.import_module(f"agentdojo.{name}")


class InstalledSuite:
    """One suite, asked through the package's own classes. `attacks` are its names of attacks, by ours."""

    def __init__(self, foreign: Any, attacks: dict[str, str]) -> None:
        self.foreign = foreign
        self._attacks = attacks
        self._planted = lru_cache(maxsize=8)(self._read)

    def digest(self) -> str:
        """`sha256:` digest over environment, tools, tasks and goals, in canonical form."""
        suite = self.foreign
        return digest(
            canonical(
                {
                    "environment": self._text(),
                    "places": suite.get_injection_vector_defaults(),
                    "tools": {tool.name: sorted(tool.parameters.model_fields) for tool in suite.tools},
                    "tasks": {name: task.PROMPT for name, task in suite.user_tasks.items()},
                    "goals": {name: task.GOAL for name, task in suite.injection_tasks.items()},
                }
            )
        )

    def tools(self) -> tuple[Tool, ...]:
        """Its tools, as AgentDojo describes them to an OpenAI model."""
        return tuple(
            Tool(name=tool.name, description=tool.description, parameters=tool.parameters.model_json_schema())
            for tool in self.foreign.tools
        )

    def prompt(self, user: str) -> str:
        """What the user asks for."""
        return str(self.foreign.user_tasks[user].PROMPT)

    def words(self, attack: str, user: str, injection: str) -> dict[str, str]:
        """AgentDojo's own words, at every place that its solution of the user's task reads."""
        tasks, goals = self.foreign.user_tasks, self.foreign.injection_tasks
        return dict(self._attack(attack).attack(tasks[user], goals[injection]))

    def begin(self, task: Task) -> "InstalledWork":
        """A fresh environment."""
        return InstalledWork(self, task)

    def environment(self, words: dict[str, str]) -> Any:
        """The environment with words in their places, read once and copied each time."""
        return self._planted(tuple(sorted(words.items()))).model_copy(deep=True)

    def _attack(self, name: str) -> Any:
        pipeline = _module("agent_pipeline.base_pipeline_element").BasePipelineElement
        victim = type("Victim", (pipeline,), {"name": ANY_MODEL, "query": None})()
        return _module("attacks").load_attack(self._attacks[name], self.foreign, victim)

    def _text(self) -> str:
        suite = self.foreign
        return str(_module("task_suite.task_suite").read_suite_file(suite.name, "environment.yaml", suite.data_path))

    def _read(self, words: tuple[tuple[str, str], ...]) -> Any:
        """As `load_and_inject_default_environment` does, with a reader of YAML that is ten times as fast."""
        yaml = importlib.import_module("yaml")
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        text = self._text().format(**{**self.foreign.get_injection_vector_defaults(), **dict(words)})
        return self.foreign.environment_type.model_validate(yaml.load(text, loader))


class InstalledWork:
    """One environment of AgentDojo, and what was called in it."""

    def __init__(self, suite: InstalledSuite, task: Task) -> None:
        foreign, runtime = suite.foreign, _module("functions_runtime")
        self._user = foreign.user_tasks[task.user]
        self._goal: Any = foreign.injection_tasks[task.injection] if task.injection else None
        self._runtime = runtime.FunctionsRuntime(foreign.tools)
        self._call = runtime.FunctionCall
        self._written = _module("agent_pipeline.tool_execution").tool_result_to_str
        self.environment = self._user.init_environment(suite.environment(task.words))
        self.before = self.environment.model_copy(deep=True)
        self._calls: list[Any] = []

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """Carry out one call as AgentDojo's own executor does."""
        if name not in self._runtime.functions:
            return f"Invalid tool {name[:80]} provided."
        given = {key: _unquoted(value) for key, value in arguments.items()}
        try:
            self._calls.append(self._call(function=name, args=given))
            result, error = self._runtime.run_function(self.environment, name, given)
            return str(error or self._written(result))
        except Exception as error:  # noqa: BLE001 - a tool of somebody else; what it raises is told to the agent
            return f"{type(error).__name__}: {error}"

    def attacked(self) -> bool:
        """AgentDojo's check of the injection, without the agent's words: its effects alone decide."""
        goal, around = self._goal, (self.before, self.environment)
        traced = goal.security_from_traces("", *around, self._calls)
        return bool(goal.security("", *around) if traced is None else traced)

    def done(self, said: str) -> bool:
        """AgentDojo's check of the user's task."""
        traced = self._user.utility_from_traces(said, self.before, self.environment, self._calls)
        return bool(self._user.utility(said, self.before, self.environment) if traced is None else traced)


def _unquoted(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip().startswith("[") and len(value) <= LONGEST_LIST:
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            read = literal_eval(value)
            return read if isinstance(read, list) else value
    return value
