"""Tables of hostile cases as data: what is said and called in each, and how an outcome is written.

`from science.hostile import cases, exchange, written`
"""

import base64
import codecs
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from msgspec import Struct

from aloi.science.items import Failed, NotScored, Outcome
from aloi.system.messages import GuardDecision, Message, Response, ToolCall

SENTENCE = "The branch opens at nine and nobody need wait. "
FILLER = SENTENCE * (1_000_000 // len(SENTENCE) + 1)
BLOCK = GuardDecision(guard="g", role="assistant", action="block", reason="r")

DISGUISES: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "spaced": " ".join,
    "reversed": lambda text: text[::-1],
    "bidi": lambda text: f"\u202e{text[::-1]}\u202c",
    "NUL": "\0".join,
    "surrogates": lambda text: f"\ud800{text}\udfff",
}


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"disguise": "as"}):
    """One column of a table."""

    says: tuple[str, ...]
    finish: str = "stop"
    disguise: str = ""
    tokens: int = 4
    raw: str = ""
    blocked: bool = False
    expects: bool = True
    placed: bool = True
    labels: tuple[Literal["failed", "passed", "unscorable"], ...] | None = None
    calls: tuple[tuple[str, str], ...] = ()
    open_calls: tuple[tuple[str, str], ...] = ()


def _mail() -> dict[str, Any]:
    return {"to": "audit@collect.example.net", "subject": "Report", "body": "{text}"}


class Call(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The call that does the harm, or the work: `text` goes where {text} stands among its arguments."""

    tool: str = "send_mail"
    arguments: dict[str, Any] = msgspec.field(default_factory=_mail)
    text: str = "Harbour"
    half: str = "Har"
    rest: str = "bour"


Words = Mapping[str, str]


def table(name: str) -> dict[str, Any]:
    """A table of this folder."""
    path = Path(__file__).parent / f"data/{name}.yaml"
    read: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return read


@cache
def cases(name: str) -> dict[str, Case]:
    """The columns of a table."""
    return msgspec.convert(table(name)["cases"], dict[str, Case])


def _filled(template: str, words: Words) -> str:
    for name, word in words.items():
        template = template.replace(f"{{{name}}}", word)
    return template


# Name and arguments of one call, as a model would write them that gets it right, or that does not: from the call, its
# arguments filled, and the name of the argument that the text goes into.
FORMS: dict[str, Callable[[str, dict[str, Any], str], tuple[str, str]]] = {
    "right": lambda tool, given, _: (tool, json.dumps(given)),
    "cut short": lambda tool, given, _: (tool, json.dumps(given)[:-1]),
    "nothing": lambda tool, _given, _: (tool, ""),
    "a list": lambda tool, given, _: (tool, json.dumps([given])),
    "a text": lambda tool, given, _: (tool, json.dumps(json.dumps(given))),
    "null": lambda tool, _given, _: (tool, "null"),
    "not a number": lambda tool, given, _: (tool, json.dumps({"priority": float("nan"), **given})),
    "deep": lambda tool, _given, _: (tool, '{"a":' * 100_000),
    "half a pair": lambda tool, given, into: (tool, json.dumps({**given, into: f"{given.get(into)}\ud800"})),
    "one less": lambda tool, given, _: (tool, json.dumps(dict(list(given.items())[:-1]))),
    "one more": lambda tool, given, _: (tool, json.dumps({**given, "priority": "high"})),
    "another type": lambda tool, given, into: (tool, json.dumps({**given, into: [given.get(into)]})),
    "twice": lambda tool, given, into: (tool, f'{{"{into}": "nothing", {json.dumps(given)[1:]}'),
    "another tool": lambda tool, given, _: (f"{tool}_now", json.dumps(given)),
    "capitals": lambda tool, given, _: (tool.upper(), json.dumps(given)),
}


def _called(form: str, call: Call, text: str) -> tuple[str, str]:
    given = {
        name: _filled(value, {"text": text}) if isinstance(value, str) else value
        for name, value in call.arguments.items()
    }
    into = next((name for name, value in call.arguments.items() if "{text}" in str(value)), "text")
    return FORMS[form](call.tool, given, into)


def exchange(
    case: Case, words: Words, call: Call | None = None, before: Sequence[str] = (), *, works: bool = False
) -> Response:
    """The exchange that a case makes of a row's words, after what was answered `before`.

    In an environment, where the system `works`, calls are carried out; elsewhere they stand in the last answer.
    """
    call = call or Call()
    known = {**words, "filler": FILLER, "tool": call.tool, "text": call.text, "half": call.half, "rest": call.rest}
    in_call = DISGUISES.get(case.disguise.removeprefix("call "), str) if case.disguise.startswith("call ") else str
    *earlier, last = (_filled(text, known) for text in case.says)

    def calls(forms: Sequence[tuple[str, str]]) -> tuple[ToolCall, ...]:
        made = (_called(form, call, in_call(_filled(text, known))) for form, text in forms)
        return tuple(ToolCall(id=f"c{i}", name=name, arguments=given) for i, (name, given) in enumerate(made))

    return Response(
        text=DISGUISES.get(case.disguise, str)(last),
        finish=case.finish,
        tool_calls=calls(case.open_calls if works else (*case.calls, *case.open_calls)),
        earlier=(
            *(Message(role="assistant", content=text) for text in (*before, *earlier)),
            *(Message(role="assistant", content="", tool_calls=(one,)) for one in (calls(case.calls) if works else ())),
        ),
        completion_tokens=case.tokens,
        raw=_filled(case.raw, known) if case.raw else None,
        decisions=(BLOCK,) if case.blocked else (),
    )


def written(outcome: Outcome) -> str:
    """An outcome as tables have it."""
    match outcome:
        case Failed(evidence):
            return f"failed: {evidence}"
        case NotScored(reason):
            return f"unscorable: {reason}"
    return "passed"
