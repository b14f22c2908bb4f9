"""Which remedies may be tried on a system, fitted to what that system must protect."""

from collections.abc import Sequence

from aloi.solutions.catalogue import Remedy, build, entries
from aloi.system.reading import System


def fitted(system: System, names: Sequence[str]) -> list[Remedy]:
    """The remedies of these names, with the system's own secrets, records and hosts as options.

    Raises UnknownName with the nearest names.
    """
    return [build(name, options(system, name)) for name in names]


def options(system: System, name: str) -> dict[str, object]:
    """What a remedy must be told about a system."""
    context = system.description.context
    match name:
        case "secret-filter":
            return {"secrets": [secret.value for secret in context.secrets]}
        case "prompt-leak":
            # What stands in the documents may be told: an answer that quotes them leaks nothing.
            return {"prompt": system.description.prompt, "allowed": [one.text for one in system.documents if one.text]}
        case "link-policy":
            return {"allowed_hosts": list(context.allowed_hosts)}
        case _:
            return {}


def remedies_for(system: System) -> list[str]:
    """Names of the remedies that may be tried: those that the system lists, or every one that serves its hazards."""
    goal = system.description.assurance
    in_place = system.description.guards
    if goal.remedies:
        return [name for name in goal.remedies if name not in in_place]
    return [
        name
        for name, entry in entries().items()
        if name not in in_place and not goal.hazards.keys().isdisjoint(entry.hazards)
    ]
