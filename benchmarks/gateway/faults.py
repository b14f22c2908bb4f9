"""The scripts of an upstream that fails, each by its name."""

import asyncio
import json

from benchmarks.gateway.scripted import ANSWER, EVENTS, SECRET, USAGE, Playing, Script, completion, delta

LONG = 3_600.0


async def plain(it: Playing) -> None:
    await it.say("We open ", "at nine ", "on weekdays.")


async def slow(it: Playing) -> None:
    await asyncio.sleep(0.3)
    await it.say(ANSWER)


async def hung(it: Playing) -> None:
    await asyncio.sleep(LONG)
    await it.say(ANSWER)


async def hung_midway(it: Playing) -> None:
    if not it.streams:
        await it.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
    else:
        await it.begin()
        await it.chunk(delta({"content": "We open at nine on weekdays, and then "}))
    await asyncio.sleep(LONG)


async def closed(_: Playing) -> None:
    raise ConnectionResetError


async def cut(it: Playing) -> None:
    if not it.streams:
        await it.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
    else:
        await it.begin()
        await it.chunk(delta({"content": "We open at nine on weekdays, and then "}))
    raise ConnectionResetError


async def unfinished(it: Playing) -> None:
    """A stream that ends in good order, without the protocol's own end."""
    await it.begin()
    await it.chunk(delta({"content": "We open at nine on weekdays, and then "}))
    await it.chunk(b"")


async def not_json(it: Playing) -> None:
    if not it.streams:
        await it.whole(b'{"choices": [')
    else:
        await it.begin()
        await it.chunk(b"data: {not json\n\n")
        await it.chunk(b"")


async def a_page(it: Playing) -> None:
    await it.whole(b"<html>welcome to our proxy</html>", kind="text/html")


async def busy(it: Playing) -> None:
    await it.whole(
        b'{"error":{"message":"slow down","code":"rate_limit_exceeded"}}', status="429 X", more="Retry-After: 7\r\n"
    )


async def broken(it: Playing) -> None:
    await it.whole(f'{{"error":{{"message":"{SECRET}"}}}}'.encode(), status="500 X")


async def too_long(it: Playing) -> None:
    error = {"error": {"message": f"your {SECRET} is too long", "code": "context_length_exceeded"}}
    await it.whole(json.dumps(error).encode(), status="400 X")


async def no_key(it: Playing) -> None:
    await it.whole(b'{"error":{"message":"bad key"}}', status="401 X")


async def no_status(it: Playing) -> None:
    """A status that HTTP has not."""
    await it.whole(b"{}", status="999 X")


async def for_ever(it: Playing) -> None:
    await it.whole(b"{}", status="429 X", more="Retry-After: inf\r\n")


async def _counting(it: Playing, tokens: int) -> None:
    usage = dict.fromkeys(USAGE, tokens)
    if not it.streams:
        await it.whole(json.dumps(completion({"role": "assistant", "content": ANSWER}) | {"usage": usage}).encode())
        return
    await it.begin()
    await it.chunk(delta({"content": ANSWER}, "stop"))
    await it.chunk(b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\ndata: [DONE]\n\n")
    await it.chunk(b"")


async def uncounted(it: Playing) -> None:
    """Tokens as some endpoints tell them that did not count."""
    await _counting(it, -1)


async def overcounted(it: Playing) -> None:
    """Tokens that no counter holds."""
    await _counting(it, 10**400)


async def odd_kind(it: Playing) -> None:
    """A content type that is no text."""
    await it.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json; x=\xff\r\nContent-Length: 2\r\n\r\n{}")


async def elsewhere(it: Playing) -> None:
    await it.whole(b"", status="302 Found", more="Location: http://127.0.0.1:9/\r\n")


async def gigantic(it: Playing) -> None:
    text = "word " * 500_000
    if it.streams:
        await it.say(*[text[i : i + 4_000] for i in range(0, len(text), 4_000)])
    else:
        await it.whole(json.dumps(completion({"role": "assistant", "content": text})).encode())


async def endless(it: Playing) -> None:
    await it.begin()
    while True:
        await it.chunk(delta({"content": "and so on and so forth, without an end. "}))


async def a_long_event(it: Playing) -> None:
    await it.begin()
    await it.chunk(b"data: " + b"x" * 2_000_000)
    await asyncio.sleep(LONG)


async def split_letters(it: Playing) -> None:
    """Events cut within the bytes of a letter."""
    if not it.streams:
        await it.say("Déjà vu, à bientôt — 日本.")
        return
    await it.begin()
    data = b"".join(delta({"content": text}) for text in ("Déjà vu, ", "à bientôt ", "— 日本."))
    for i in range(len(data)):
        await it.chunk(data[i : i + 1])
    await it.chunk(delta({}, "stop") + b"data: [DONE]\n\n")
    await it.chunk(b"")


async def packed(it: Playing) -> None:
    await it.whole(b"\x1f\x8b\x08\x00", more="Content-Encoding: gzip\r\n")


async def an_error_within(it: Playing) -> None:
    await it.begin()
    await it.chunk(delta({"content": "We open at nine on weekdays, and then "}))
    await asyncio.sleep(0.2)
    await it.chunk(b'data: {"error":{"message":"%s"}}\n\n' % SECRET.encode())
    await it.chunk(b"")


async def empty(it: Playing) -> None:
    await it.say("")


async def wrong_kind(it: Playing) -> None:
    """Events where a document was asked for, and the other way round."""
    if it.streams:
        await it.whole(json.dumps(completion({"role": "assistant", "content": ANSWER})).encode())
    else:
        await it.whole(delta({"content": ANSWER}, "stop"), kind=EVENTS)


async def nothing(it: Playing) -> None:
    await it.whole(b"")


async def headers(it: Playing) -> None:
    await it.whole(b"{}", more="".join(f"X-{i}: {'y' * 4_000}\r\n" for i in range(40)))


async def telling(it: Playing) -> None:
    """It tells what it must not."""
    await it.say(f"The code of the vault is {SECRET}, but tell nobody.")


async def telling_slowly(it: Playing) -> None:
    await it.say("The code of the vault is ", *SECRET, ", but tell nobody.")


async def calling(it: Playing) -> None:
    """It calls a tool."""
    call = {"id": "call_1", "type": "function", "function": {"name": "hours", "arguments": '{"day":"monday"}'}}
    await it.say("", finish="tool_calls", calls=[call])


async def calling_by_secret(it: Playing) -> None:
    """It calls what it must not tell."""
    call = {"id": "call_1", "type": "function", "function": {"name": SECRET, "arguments": "{}"}}
    await it.say("I look it up. ", finish="tool_calls", calls=[call])


SCRIPTS: dict[str, Script] = {
    one.__name__: one
    for one in (
        plain,
        slow,
        hung,
        hung_midway,
        closed,
        cut,
        unfinished,
        not_json,
        a_page,
        busy,
        broken,
        too_long,
        no_key,
        no_status,
        for_ever,
        uncounted,
        overcounted,
        odd_kind,
        elsewhere,
        gigantic,
        endless,
        a_long_event,
        split_letters,
        packed,
        an_error_within,
        empty,
        wrong_kind,
        nothing,
        headers,
        telling,
        telling_slowly,
        calling,
        calling_by_secret,
    )
}
