"""Which remedies may be tried on a system, fitted to what that system must protect."""

from collections.abc import Sequence

from msgspec import to_builtins

from aloi.solutions.catalogue import Remedy, build, entries, entry, missing
from aloi.system.loading import Place
from aloi.system.reading import System

SPOKEN = frozenset({"en", "fr"})


def fitted(system: System, names: Sequence[str]) -> list[Remedy]:
    """The remedies of these names, with the system's own secrets and hosts, and what it says under `remedy_options`.

    Raises UnknownName with the nearest names, InvalidOptions with every fault.
    """
    for name in system.description.remedy_options:
        with system.at("remedy_options", name):
            entry(name)
    found = []
    for name in names:
        with system.at(*_place(system, name)):
            found.append(build(name, options(system, name), path=f"remedy_options.{name}"))
    return found


def _place(system: System, name: str) -> Place:
    """Where the system names a remedy, or says how it is to be, or would."""
    for names, place in (
        (system.description.guards, ("guards",)),
        (system.description.assurance.remedies, ("assurance", "remedies")),
    ):
        if name in names:
            return (*place, names.index(name))
    return ("remedy_options", name)


def options(system: System, name: str) -> dict[str, object]:
    """What a remedy must be told about a system; what its owner says under `remedy_options` comes first."""
    return _own(system, name) | system.description.remedy_options.get(name, {})


def _own(system: System, name: str) -> dict[str, object]:
    context = system.description.context
    told: dict[str, object] = {}
    match name:
        case "secret-filter":
            told = {"secrets": [secret.value for secret in context.secrets]}
        case "prompt-leak":
            # What stands in the documents may be told: an answer that quotes them leaks nothing.
            told = {"prompt": system.description.prompt, "allowed": [one.text for one in system.documents if one.text]}
        case "link-policy":
            told = {"allowed_hosts": list(context.allowed_hosts)}
        case "request-limits" | "spotlighting" | "separate-reading" | "hardened-prompt":
            told = {"language": "fr" if system.description.languages[0] == "fr" else "en"}
        case "tool-policy":
            told = {"default": context.tools.default, "rules": to_builtins(context.tools.rules)}
        case "provenance-gate":
            told = {
                "trusted": list(context.tools.trusted),
                "arguments": to_builtins(context.tools.arguments),
                "hosts": list(context.allowed_hosts),
                # Its words for acts are English and French: a user of another language would seem to want none.
                "mandate": SPOKEN.issuperset(system.description.languages),
            }
    return told


def remedies_for(system: System) -> list[str]:
    """Names of the remedies that may be tried: those that the system lists, or every one that serves its hazards."""
    goal = system.description.assurance
    in_place = system.description.guards
    if goal.remedies:
        return [name for name in goal.remedies if name not in in_place]
    return [
        name
        for name, line in entries().items()
        if name not in in_place and not goal.hazards.keys().isdisjoint(line.hazards) and _has_a_say(system, name)
    ]


def _has_a_say(system: System, name: str) -> bool:
    """Whether a remedy was told all that it must be told, or one that only carries out what the owner says anything."""
    tools = system.description.context.tools
    if name == "tool-policy" and not tools.rules and tools.default == "allow":
        return False
    return not missing(name, options(system, name))
