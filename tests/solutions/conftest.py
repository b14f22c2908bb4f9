"""Remedies are found by a resolver of the tests' own, so that the room is tested without an installed entry point."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from aloi.errors import UnknownName
from aloi.solutions.catalogue import Remedy, build
from aloi.solutions.guard import Ruling
from aloi.system.messages import Message

PLACES = {
    "secret-filter": "aloi.solutions.guards.secrets:SecretFilter",
    "personal-data-filter": "aloi.solutions.guards.personal:PersonalDataFilter",
    "injection-detector": "aloi.solutions.guards.detection:InjectionDetector",
    "injection-screen": "aloi.solutions.guards.injection:InjectionScreen",
    "link-policy": "aloi.solutions.guards.links:LinkPolicy",
    "prompt-leak": "aloi.solutions.guards.prompt_leak:PromptLeak",
    "tool-policy": "aloi.solutions.guards.toolpolicy:ToolPolicy",
    "provenance-gate": "aloi.solutions.guards.provenance:ProvenanceGate",
    "output-budget": "aloi.solutions.guards.length:OutputBudget",
    "judge-rail": "aloi.solutions.guards.judge_rail:JudgeRail",
    "request-limits": "aloi.solutions.limits.machine:RequestLimits",
    "spotlighting": "aloi.solutions.hardening.spotlighting:Spotlighting",
    "separate-reading": "aloi.solutions.hardening.reading:SeparateReading",
    "hardened-prompt": "aloi.solutions.hardening.prompt:HardenedPrompt",
}


def resolve(name: str) -> Any:
    if name not in PLACES:
        raise UnknownName("guard", name, PLACES)
    module, attribute = PLACES[name].split(":")
    return getattr(importlib.import_module(module), attribute)


def remedy(name: str, **options: object) -> Remedy:
    return build(name, options, load=resolve)


def screen(name: str, text: str, **options: object) -> Ruling:
    role = {"injection-screen": "document", "injection-detector": "user"}.get(name, "assistant")
    return remedy(name, **options).implementation.screen(Message(role=role, content=text))


@pytest.fixture(name="screen")
def screen_fixture() -> Callable[..., Ruling]:
    return screen


@pytest.fixture(name="remedy")
def remedy_fixture() -> Callable[..., Remedy]:
    return remedy


@pytest.fixture(name="resolve")
def resolve_fixture() -> Callable[[str], Any]:
    return resolve
