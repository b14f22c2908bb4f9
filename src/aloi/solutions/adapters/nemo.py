"""NVIDIA NeMo Guardrails: the input or output rails of a configuration of the owner's, as one guard."""

import logging
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from aloi.errors import AskerError
from aloi.solutions.adapters.extras import edition, needed
from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.options import Options
from aloi.system.messages import Message, Role
from aloi.translation import N_

EXTRA = "nemo"
# A rail that raises blocks with this sentence, which is a failure of the guard and no finding.
_FAILED = "I'm sorry, an internal error has occurred."
WHAT = N_("the guard nemo-guardrails")


class NemoOptions(Options, frozen=True, kw_only=True):
    """`config` is the folder of a NeMo configuration, whose code runs as yours; `rails` says which of its rails.

    Input rails read what the user says, output rails what the system answers.
    """

    config: Annotated[str, Meta(min_length=1)]
    rails: Literal["input", "output"] = "input"


class NemoGuardrails:
    """Stop or rewrite a text as the rails do. Rails that ask a model ask the one that the configuration names."""

    version: ClassVar[str] = edition("1", "nemoguardrails")
    tables: ClassVar[tuple[str, ...]] = ()
    Options: ClassVar[type[Options]] = NemoOptions

    def __init__(self, options: NemoOptions) -> None:
        self.roles: frozenset[Role] = frozenset({"user"} if options.rails == "input" else {"assistant"})
        self._role = "user" if options.rails == "input" else "assistant"
        nemo = needed("nemoguardrails", WHAT, EXTRA)
        kinds = needed("nemoguardrails.rails.llm.options", WHAT, EXTRA)
        self._kind: Any = kinds.RailType(options.rails)
        # It logs a rail that fails with the whole text that was checked.
        logging.getLogger("nemoguardrails").setLevel(logging.CRITICAL + 1)
        folder = Path(options.config).expanduser()
        try:
            configured = nemo.RailsConfig.from_path(str(folder))
            self._rails = nemo.LLMRails(configured)
        except Exception as error:  # its readers raise whatever YAML, Colang and pydantic do
            raise AskerError(
                N_("cannot read the NeMo configuration in {folder}: {problem}"),
                remedy=N_("give a folder with config.yml, whose rails need no network"),
                folder=folder,
                problem=str(error).partition("\n")[0][:200],
            ) from error
        if not getattr(configured.rails, options.rails).flows:
            raise AskerError(
                N_("the NeMo configuration in {folder} has no {rails} rails"),
                remedy=N_("list flows under rails.{rails}.flows"),
                folder=folder,
                rails=options.rails,
            )

    def screen(self, message: Message) -> Ruling:
        messages = [{"role": self._role, "content": message.content}]
        if self._role == "assistant":
            messages.insert(0, {"role": "user", "content": ""})
        result = self._rails.check(messages, [self._kind])
        if result.content == _FAILED:
            raise RuntimeError(result.rail)
        match result.status.value:
            case "passed":
                return Allow()
            case "modified":
                return Rewrite(content=result.content, reason="rail")
            case _:
                return Block(reason="rail")
