"""Ask a language model for a verdict, in words that the judged text cannot take over, and read it strictly."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
from msgspec import Struct

from aloi.errors import AskerError
from aloi.science.items import Item
from aloi.science.judging.judge import Word, subject
from aloi.science.shipped import shipped
from aloi.system.messages import Message, Request, Response
from aloi.translation import N_

SLOT = re.compile(r"\{([a-z]+)\}")
BLOCK = re.compile(r"```(?:json)?\s*\n(.*?)\n?\s*```", re.DOTALL)
ALONE = re.compile(r'["“«\s]*(failed|passed)["”»\s]*\.?', re.IGNORECASE)
LONGEST_VERDICT = 2_000
# A judge that is shown a part would judge a part: what is longer is not judged.
LONGEST_EXCHANGE = 200_000


class Prompt(Struct, frozen=True, forbid_unknown_fields=True):
    """The words in one language. `speakers` name who says what."""

    system: str
    question: str
    speakers: dict[str, str]


class Prompts(Struct, frozen=True, forbid_unknown_fields=True):
    """A way to ask, in every language that it speaks."""

    name: str
    version: str
    source: str
    licence: str
    prompts: dict[str, Prompt]

    def spoken(self, language: str) -> Prompt:
        """The words for a conversation in a language: its own, else English."""
        return self.prompts.get(language) or self.prompts["en"]


@cache
def prompts() -> Prompts:
    """The shipped way to ask."""
    return msgspec.convert(shipped("judge-prompt"), Prompts)


@cache
def shipped_criteria() -> dict[str, dict[str, str]]:
    """What counts as a failure, by hazard and language."""
    return msgspec.convert(shipped("criteria"), dict[str, dict[str, str]])


def criteria_for(hazard: str, own: Mapping[str, str], judge: str) -> Mapping[str, str]:
    """What counts as a failure of a hazard: as the judge's description says, else as shipped. Raises AskerError."""
    found = own or shipped_criteria().get(hazard)
    if not found:
        raise AskerError(
            N_("the judge {judge} is not told what counts as a failure of {hazard}"),
            remedy=N_("write it down in assurance.judges.{judge}.criteria, by language"),
            judge=judge,
            hazard=hazard,
        )
    return found


class Briefing(Struct, frozen=True, kw_only=True):
    """What a judge is told about a hazard: criteria by language, and whether the system's prompt is part of the case.

    The run's `seed` goes into every fence: who is judged does not know it.
    """

    criteria: Mapping[str, str]
    shows_prompt: bool = False
    seed: str = ""

    def request(self, item: Item, response: Response, max_tokens: int) -> Request | None:
        """What the judge is asked about one answer; None where it is too long to be judged whole."""
        spoken = prompts().spoken(item.language)
        exchange = "\n\n".join(self._turns(item, response, spoken.speakers))
        if len(exchange) > LONGEST_EXCHANGE:
            return None
        values = {"fence": self.fence(item, response, exchange), "conversation": exchange}
        values["criteria"] = _in_language(self.criteria, item.language)
        return Request(
            prompt=_filled(spoken.system, values),
            messages=(Message(role="user", content=_filled(spoken.question, values)),),
            max_tokens=max_tokens,
            temperature=0.0,
        )

    def fence(self, item: Item, response: Response, exchange: str) -> str:
        """A code that stands nowhere in the exchange, drawn from the run's seed, the item and the answer."""
        seed = f"{self.seed}\x1f{item.seed}\x1f{subject(item, response)}"
        while True:
            seed = hashlib.sha256(seed.encode(errors="backslashreplace")).hexdigest()
            if seed[:24] not in exchange:
                return f"==={seed[:24]}==="

    def _turns(self, item: Item, response: Response, speakers: Mapping[str, str]) -> Iterator[str]:
        request = item.request
        if self.shows_prompt and request.prompt:
            yield f"{speakers['system']}:\n{request.prompt}"
        last = max((i for i, one in enumerate(request.messages) if one.role == "user"), default=-1)
        for i, message in enumerate(request.messages):
            yield from _turn(message, speakers)
            if i == last:
                yield from (f"{speakers['document']}:\n{document.text}" for document in request.documents)
        for message in response.earlier:
            yield from _turn(message, speakers)
        final = Message(role="assistant", content=response.text, tool_calls=response.tool_calls)
        yield from _turn(final, speakers)


def _in_language(texts: Mapping[str, str], language: str) -> str:
    return next((texts[name] for name in (language, "en") if name in texts), next(iter(texts.values())))


def _turn(message: Message, speakers: Mapping[str, str]) -> Iterator[str]:
    if message.content or not message.tool_calls:
        yield f"{speakers[message.role]}:\n{message.content}"
    yield from (f"{speakers['call']}: {call.name} {call.arguments}" for call in message.tool_calls)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Each slot filled once: what is filled in is text, whatever braces it holds."""
    return SLOT.sub(lambda found: values.get(found[1], found[0]), template)


def verdict(text: str) -> Word:
    """The verdict, if a text is one and nothing else: the bare word, or a JSON object with it and perhaps a reason."""
    if len(text) > LONGEST_VERDICT:
        return "unclear"
    said = text.strip()
    if block := BLOCK.fullmatch(said):
        said = block[1].strip()
    if alone := ALONE.fullmatch(said):
        return _word(alone[1].lower())
    try:
        found = json.loads(said, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return "unclear"
    if not isinstance(found, dict) or not {"verdict"} <= found.keys() <= {"verdict", "reason"}:
        return "unclear"
    return _word(found["verdict"])


def _word(said: object) -> Word:
    return "failed" if said == "failed" else "passed" if said == "passed" else "unclear"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)
