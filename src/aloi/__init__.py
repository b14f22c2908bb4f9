"""Aloi: the open loop of assurance for AI systems.

    client = aloi.guarded(openai.OpenAI(), "system.yaml")

puts the remedies of a system around the client by which an application asks its model.
"""

import importlib as _importlib
import typing as _typing

if _typing.TYPE_CHECKING:
    from aloi.assurance.guarding import guarded, policy

__version__ = "0.1.0"
__all__ = ["guarded", "policy"]


def __getattr__(name: str) -> object:
    """The public names, each loaded when it is asked for: `import aloi` stays light."""
    if name in __all__:
        made: object = getattr(_importlib.import_module("aloi.assurance.guarding"), name)
        return made
    raise AttributeError(name)
