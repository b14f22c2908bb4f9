"""Add tested wording to the system prompt. Which patch helps which model is measured, never assumed."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from aloi.errors import UnknownName
from aloi.solutions.options import Options
from aloi.solutions.tables import table
from aloi.system.messages import Request
from aloi.translation import N_


def patches() -> dict[str, tuple[str, ...]]:
    """The hazards that each patch is for, in the order of the library."""
    return {name: tuple(patch["hazards"]) for name, patch in table("prompt-patches")["patches"].items()}


def patch_title(name: str, language: str) -> str:
    """A patch in two or three words; the name itself where there is no such patch."""
    patch = table("prompt-patches")["patches"].get(name)
    return str(patch["title"][language]) if patch else name


class HardenedPromptOptions(Options, frozen=True, kw_only=True):
    """`patches` are names from `data/prompt-patches.yaml`, added in this order."""

    patches: Annotated[tuple[str, ...], Meta(min_length=1)]
    language: Literal["en", "fr"] = "en"


class HardenedPrompt:
    """Append patches to the system prompt."""

    version: ClassVar[str] = "1"
    tables: ClassVar[tuple[str, ...]] = ("prompt-patches",)
    Options: ClassVar[type[Options]] = HardenedPromptOptions

    def __init__(self, options: HardenedPromptOptions) -> None:
        known: dict[str, Any] = table("prompt-patches")["patches"]
        for name in options.patches:
            if name not in known:
                raise UnknownName(N_("prompt patch"), name, known)
        self._patch = "\n".join(known[name][options.language].strip() for name in options.patches)

    def harden(self, request: Request) -> Request:
        return msgspec.structs.replace(request, prompt="\n\n".join(filter(None, (request.prompt, self._patch))))
