"""A model as a guard: it is asked whether a text breaks a rubric, and only a plain no lets the text pass."""

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from aloi.solutions.consulting import Consulted, Late
from aloi.solutions.guard import Allow, Block, Ruling
from aloi.solutions.language import language
from aloi.solutions.options import Options
from aloi.solutions.passage import DEADLINE, ERROR
from aloi.solutions.tables import table
from aloi.system.description import Language, Slug, TargetDescription
from aloi.system.messages import Message, Request, Response, Role
from aloi.system.target import Unscorable, target_kind
from aloi.translation import N_

TABLE = "judge-rail"
UNCLEAR, TOO_LONG = "judge-unclear", "too-long-to-judge"
LONGEST_RULING = 2_000
# Whoever waits for the guard waits a little longer than the guard does, so that it can say so itself.
GRACE = 0.5
SLOT = re.compile(r"\{([a-z]+)\}")
ALONE = re.compile(r'["\'“«\s]*(yes|no)["\'”»\s]*[.!]?\s*', re.IGNORECASE)
BLOCK = re.compile(r"```(?:json)?\s*\n(.*?)\n?\s*```", re.DOTALL)

Shipped = Literal["harmful-content", "self-harm-vulnerable", "fraud-impersonation", "mass-manipulation"]
Rubric = dict[Language, Annotated[str, Meta(min_length=1, max_length=20_000)]]


class JudgeRailOptions(Options, frozen=True, kw_only=True):
    """`target` is the model that judges, as under `target` in system.yaml; it is asked at temperature 0.

    `hazards` are shipped rubrics, `rubrics` are yours, by name and language, and stand in for shipped ones of the same
    name. Each rubric is a query for each text; all are asked at once. `characters` is the longest text that is judged,
    `deadline` the seconds for one text.
    """

    target: TargetDescription
    hazards: tuple[Shipped, ...] = (
        "harmful-content",
        "self-harm-vulnerable",
        "fraud-impersonation",
        "mass-manipulation",
    )
    rubrics: dict[Slug, Annotated[Rubric, Meta(min_length=1)]] = msgspec.field(default_factory=dict)
    sources: Annotated[tuple[Literal["assistant", "user"], ...], Meta(min_length=1)] = ("assistant",)
    characters: Annotated[int, Meta(ge=1, le=1_000_000)] = 20_000
    deadline: Annotated[float, Meta(gt=0, le=600)] = 20.0

    def problems(self) -> Iterator[tuple[str, str]]:
        """A target that could not be asked, and a judge without a rubric."""
        from aloi.system.reading import target_faults  # noqa: PLC0415 - it loads what reads whole systems

        yield from ((fault.path, fault.message) for fault in target_faults(self.target, ("target",), {}))
        if not self.hazards and not self.rubrics:
            yield "hazards", N_("{option}: name a rubric, here or under `rubrics`")


class JudgeRail:
    """Block a text that a model says breaks a rubric, and every text about which it does not plainly say no.

    `draw` gives the code between which a text is quoted; whoever wrote the text must not be able to foresee it.
    Raises UnknownName for a kind of target that is not installed, AskerError where its key is not set.
    """

    version: ClassVar[str] = "1"
    tables: ClassVar[tuple[str, ...]] = (TABLE, "languages")
    Options: ClassVar[type[Options]] = JudgeRailOptions

    def __init__(self, options: JudgeRailOptions, *, draw: Callable[[int], str] = secrets.token_hex) -> None:
        self.roles: frozenset[Role] = frozenset(options.sources)
        self.deadline = options.deadline + GRACE
        self._options = options
        self._draw = draw
        shipped: dict[str, Rubric] = table(TABLE)["rubrics"]
        self._rubrics = {name: shipped[name] for name in options.hazards} | options.rubrics
        _check(options.target)
        self._consulted = Consulted(options.target)

    def screen(self, message: Message) -> Ruling:
        # Half a surrogate pair cannot be sent.
        text = message.content.encode("utf-8", "replace").decode()
        if not text.strip():
            return Allow()
        if len(text) > self._options.characters:
            return Block(reason=TOO_LONG)
        requests = [self._request(text, rubric) for rubric in self._rubrics.values()]
        answers = self._consulted.ask(requests, self._options.deadline)
        found = [ruled(name, answer) for name, answer in zip(self._rubrics, answers, strict=True)]
        broken = [one for one in found if one.startswith("breaks-")]
        failed = [reason for reason in (DEADLINE, ERROR, UNCLEAR) if reason in found]
        asked = len(requests)
        return next((Block(reason=reason, queries=asked) for reason in broken + failed), Allow(queries=asked))

    @property
    def asks(self) -> int:
        """A question for each rubric."""
        return len(self._rubrics)

    def _request(self, text: str, rubric: Mapping[str, str]) -> Request:
        """What the judge is asked: the text as one JSON string, between lines that its author cannot have known."""
        spoken = language(text)
        words: dict[str, dict[str, str]] = table(TABLE)["prompts"]
        chosen = words.get(spoken, words["en"])
        quoted = json.dumps(text, ensure_ascii=False)
        fence = self._draw(12)
        while fence in quoted:
            fence = self._draw(12)
        criteria = next((rubric[one] for one in (spoken, "en") if one in rubric), next(iter(rubric.values())))
        values = {"rubric": criteria, "fence": f"==={fence}===", "text": quoted}
        return Request(
            prompt=_filled(chosen["system"], values),
            messages=(Message(role="user", content=_filled(chosen["question"], values)),),
            max_tokens=self._options.target.max_tokens,
            temperature=0.0,
        )


def ruled(name: str, answer: Response | Exception) -> str:
    """The reason to block that lies in a judge's answer about one rubric; empty for a plain no, and only for that."""
    match answer:
        case Late() | Unscorable(reason="timeout"):
            return DEADLINE
        case Unscorable(reason="empty"):
            return UNCLEAR
        case Exception():
            return ERROR
    # A word that was cut off may have been the beginning of another one.
    whole = answer.finish in {"stop", ""} and not answer.tool_calls
    said = _word(answer.text) if whole else ""
    return {"yes": f"breaks-{name}", "no": ""}.get(said, UNCLEAR)


def _word(text: str) -> str:
    """`yes` or `no`, if a text is that and nothing else: the bare word, or a JSON object with it and maybe a reason."""
    if len(text) > LONGEST_RULING:
        return ""
    said = text.strip()
    if block := BLOCK.fullmatch(said):
        said = block[1].strip()
    if alone := ALONE.fullmatch(said):
        return alone[1].lower()
    try:
        found = json.loads(said, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict) or not {"breaks"} <= found.keys() <= {"breaks", "reason"}:
        return ""
    return found["breaks"] if found["breaks"] in ("yes", "no") else ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Each slot filled once: what is filled in is text, whatever braces it holds."""
    return SLOT.sub(lambda found: values.get(found[1], found[0]), template)


def _check(description: TargetDescription) -> None:
    """Whether it could be asked, as far as can be told without asking: else every text would be blocked."""
    target_kind(description)
    if description.kind == "openai":
        from aloi.system.openai import endpoint_key  # noqa: PLC0415 - it loads an HTTP client

        endpoint_key(description)
