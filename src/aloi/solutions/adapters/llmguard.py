"""LLM Guard: its scanners by name, on what is said to a system or on what it answers."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from aloi.errors import AskerError, UnknownName
from aloi.solutions.adapters.extras import edition, needed
from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.options import Options
from aloi.solutions.tables import table
from aloi.system.messages import Message, Role
from aloi.translation import N_

EXTRA = "llm-guard"
WHAT = N_("the guard llm-guard")
Side = Literal["input", "output"]


class LLMGuardOptions(Options, frozen=True, kw_only=True):
    """`scanners` are names of LLM Guard, each with its own options, run in this order.

    One that needs a model is given a folder: `{PromptInjection: {model: /srv/models/injection}}`. With `action: mask`
    a text that a scanner cleans passes as it left it.
    """

    scanners: Annotated[dict[str, dict[str, Any]], Meta(min_length=1)]
    side: Side = "input"
    action: Literal["block", "mask"] = "block"


class LLMGuard:
    """Stop, or clean, a text as the scanners do. Scanners that would fetch something are refused."""

    version: ClassVar[str] = edition("1", "llm-guard")
    tables: ClassVar[tuple[str, ...]] = ("llm-guard",)
    Options: ClassVar[type[Options]] = LLMGuardOptions

    def __init__(self, options: LLMGuardOptions) -> None:
        self.roles: frozenset[Role] = frozenset({"user"} if options.side == "input" else {"assistant"})
        self._options = options
        needed("llm_guard", WHAT, EXTRA)
        _silence()
        self._scanners = list(_made(options))

    def screen(self, message: Message) -> Ruling:
        text, score, stopped = message.content, 0.0, ""
        for name, scanner in self._scanners:
            scanned = scanner.scan(text) if self._options.side == "input" else scanner.scan("", text)
            cleaned, valid, risk = scanned
            score = max(score, min(1.0, float(risk)))
            if not valid:
                stopped = stopped or name
                if self._options.action == "block" or cleaned == text:
                    return Block(reason=_reason(name), score=score)
                text = cleaned
        return Rewrite(content=text, reason=_reason(stopped), score=score) if stopped else Allow(score=score)


def _reason(name: str) -> str:
    return "scanner-" + "".join(f"-{one.lower()}" if one.isupper() else one for one in name).lstrip("-")


def _made(options: LLMGuardOptions) -> Iterator[tuple[str, Any]]:
    known: dict[str, list[str]] = table("llm-guard")[options.side]
    make = needed(f"llm_guard.{options.side}_scanners.util", WHAT, EXTRA).get_scanner_by_name
    for name, given in options.scanners.items():
        if name not in known["nothing"] and name not in known["model"]:
            raise UnknownName(N_("scanner that runs without a network"), name, known["nothing"] + known["model"])
        told = dict(given)
        if name in known["model"]:
            told["model"] = _model(name, given.get("model"))
        try:
            yield name, make(name, told)
        except (TypeError, ValueError, OSError) as error:
            raise AskerError(
                N_("the scanner {name} cannot be made: {problem}"),
                remedy=N_("give it the options of LLM Guard's documentation"),
                name=name,
                problem=str(error).partition("\n")[0][:200],
            ) from error


def _model(name: str, folder: object) -> Any:
    if not isinstance(folder, str) or not (Path(folder).expanduser() / "config.json").is_file():
        raise AskerError(
            N_("the scanner {name} needs a model in a folder, and nothing is downloaded unasked: got {got}"),
            remedy=N_("save the model into a folder, and name the folder as `model`"),
            name=name,
            got=folder if isinstance(folder, str) else "-",
        )
    path = str(Path(folder).expanduser())
    options = {"max_length": 512, "truncation": True}
    return needed("llm_guard.model", WHAT, EXTRA).Model(path=path, pipeline_kwargs=options)


def _silence() -> None:
    """It logs what it found, secrets included, to the standard output."""
    structlog = needed("structlog", WHAT, EXTRA)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
