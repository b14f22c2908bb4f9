"""Tables of hostile bodies, and what came of each as plain values.

A body is `json` (any value, written as JSON), `text` (as it stands) or `bytes` (by Python's escapes), `times` as often
and `then` behind it. What a request comes to is `refused: [field, sentence]`, or `read`: what guards are shown.
"""

import codecs
from pathlib import Path

import msgspec
import yaml

from aloi.solutions.gateway.dialects.dialect import Broken, Event, Malformed
from aloi.solutions.limits.tokens import MOST
from aloi.system.messages import Request

HERE = Path(__file__).parent
SHOWN = 160


def table(name):
    return yaml.safe_load((HERE / f"hostile-{name}.yaml").read_bytes())


def body_of(row):
    if "json" in row:
        body = msgspec.json.encode(row["json"])
    elif "bytes" in row:
        body = codecs.decode(row["bytes"], "unicode_escape").encode("latin-1")
    else:
        body = row["text"].encode()
    return body * row.get("times", 1) + row.get("then", "").encode() * row.get("times", 1)


def outcome_of_request(dialect, body, **left):
    """What comes of a body; `left` are fields that the upstream is sent otherwise than the client wrote them."""
    try:
        asked = dialect.read(body)
    except Malformed as error:
        return {"refused": [error.field, str(error)[:SHOWN]]}
    assert dialect.sent(asked, asked.request) == msgspec.json.decode(body) | left
    return {"read": plain(asked.request) | ({"stream": True} if asked.stream else {})}


def plain(value):
    """What differs from a request or response of nothing, in few words."""
    if isinstance(value, Request):
        told = {"prompt": value.prompt} if value.prompt else {}
        told["messages"] = [_line(one) for one in value.messages]
        if value.tools:
            told["tools"] = [msgspec.to_builtins(tool) for tool in value.tools]
        if value.max_tokens != MOST:
            told["max_tokens"] = value.max_tokens
        return told | ({"temperature": value.temperature} if value.temperature != 1.0 else {})
    told = {name: field for name, field in msgspec.json.decode(msgspec.json.encode(value)).items() if field}
    return told | ({} if value.finish == "stop" else {"finish": value.finish})


def _line(message):
    line = [message.role, message.content]
    if message.tool_call_id:
        line.append(message.tool_call_id)
    return line + [[call.id, call.name, call.arguments] for call in message.tool_calls]


def outcome_of_answer(dialect, body):
    try:
        answered = dialect.answer(body)
    except Broken as broken:
        return {"broken": broken.reason}
    return {"read": plain(answered.response)}


def outcome_of_events(dialect, rows):
    """What a stream's events come to; each is data alone, or a name and data, as a value or as it stands."""
    reading = dialect.reading()
    try:
        texts = [reading.feed(_event(row)) for row in rows]
    except Broken as broken:
        return {"broken": broken.reason} | ({"said": broken.said} if broken.reason == "error" else {})
    response = reading.response()
    assert "".join(texts) == response.text
    return {"read": plain(response), "ended": reading.ended}


def _event(row):
    name, value = row if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) else ("", row)
    if isinstance(value, dict) and set(value) == {"bytes"}:
        return Event(name, codecs.decode(value["bytes"], "unicode_escape").encode("latin-1"))
    return Event(name, value.encode() if isinstance(value, str) else msgspec.json.encode(value))
