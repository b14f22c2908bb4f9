"""Every fault, in every protocol: the client of each raises what its package has for it, and nothing leaks."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import anthropic
import openai
import pytest
from answering import DIALECTS, FINISH
from asking_clients import ASK, Heard, heard_text, told
from benchmarks.gateway.faults import LONG, SCRIPTS
from benchmarks.gateway.scripted import ANSWER, JSON, SECRET, Playing, Scripted
from gateway_room import LIMITS, Gateway, described, running

from aloi.system.messages import Response

LETTERS = "Déjà vu, à bientôt — 日本."
BEGUN = "We open at nine on weekdays, and then "
# What the upstream says, piece by piece; other scripts break off, do not end, or speak no protocol at all.
SAYING = {
    "plain": ("We open ", "at nine ", "on weekdays."),
    "letters": (LETTERS,),
    "telling": (f"The code of the vault is {SECRET}, but tell nobody.",),
    "telling_slowly": ("The code of the vault is ", *SECRET, ", but tell nobody."),
    "gigantic": ("word " * 10_000,) * 30,
}


async def failing(it: Playing) -> None:
    """Plays the script that the last word names, in the protocol in which it is asked."""
    path = it.head.split(b" ")[1].decode()
    dialect = DIALECTS[path]
    asked = dialect.read(json.dumps(it.body).encode())
    name = asked.request.messages[-1].content.split()[-1]
    if name in SAYING:
        await say(it, path, SAYING[name])
    elif not it.streams and name == "endless":
        await it.begin(JSON)
        while True:
            await it.chunk(b" " * 65_536)
    elif not it.streams or name not in {"cut", "hung_midway", "endless", "an_error_within"}:
        await SCRIPTS[name](it)
    else:
        writing = dialect.writing(asked)
        await it.begin()
        await it.chunk(writing.text(BEGUN))
        if name == "an_error_within":
            await asyncio.sleep(0.3)  # what came before is told first
            await it.chunk(writing.error("overloaded", SECRET))
            await it.chunk(b"")
        while name == "endless":
            await it.chunk(writing.text("and so on and so forth, without an end. "))
        if name == "hung_midway":
            await asyncio.sleep(LONG)
        raise ConnectionResetError


async def say(it: Playing, path: str, texts: tuple[str, ...]) -> None:
    """An answer; a stream is sent byte by byte where it is short."""
    dialect = DIALECTS[path]
    asked = dialect.read(json.dumps(it.body).encode())
    response = Response(text="".join(texts), finish=FINISH.get(path, ("stop", ""))[0])
    if not it.streams:
        await it.whole(json.dumps(dialect.written(asked, None, response)).encode())
        return
    writing = dialect.writing(asked)
    events = b"".join(writing.text(text) for text in texts) + writing.end(response)
    step = 1 if len(events) < 20_000 else 4_096
    await it.begin()
    for start in range(0, len(events), step):
        await it.chunk(events[start : start + step])
    await it.chunk(b"")


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("protocols")
    with Scripted({}, otherwise=failing) as upstream, running(folder, described(upstream.port, limits=LIMITS)) as it:
        yield it
        assert "Traceback" not in it.said(), it.said()


@pytest.fixture(scope="module")
def gpt(everywhere: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{everywhere.url}/v1", api_key="k", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def claude(everywhere: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=everywhere.url, api_key="k", max_retries=0, timeout=30) as client:
        yield client


EVERY = pytest.mark.parametrize("protocol", ASK)
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@EVERY
@BOTH
@pytest.mark.parametrize("script", ["plain", "letters", "telling", "telling_slowly"])
def test_an_answer_comes_as_guards_leave_it(
    gpt: openai.OpenAI, claude: anthropic.Anthropic, protocol: str, script: str, *, stream: bool
) -> None:
    heard: Heard = []
    text = ASK[protocol](gpt, claude, f"When do you open? {script}", heard, stream=stream)
    if script.startswith("telling"):
        assert text.startswith("The code of the vault is ")
        assert "but tell nobody" in text
        assert SECRET[:3] not in heard_text(heard)
    else:
        assert text == (LETTERS if script == "letters" else ANSWER)


# Status and code, of a whole answer and of a stream; a stream that has begun tells its error as an event.
FAULTS: dict[str, tuple[tuple[int, str], tuple[int | None, str]]] = {
    "hung": ((504, "upstream-timeout"), (504, "upstream-timeout")),
    "hung_midway": ((504, "upstream-timeout"), (None, "upstream-timeout")),
    "closed": ((502, "upstream-unreachable"), (502, "upstream-unreachable")),
    "cut": ((502, "upstream-cut"), (None, "upstream-cut")),
    "not_json": ((502, "upstream-malformed"), (502, "upstream-malformed")),
    "nothing": ((502, "upstream-malformed"), (502, "upstream-content-type")),
    "a_page": ((502, "upstream-content-type"), (502, "upstream-content-type")),
    "packed": ((502, "upstream-encoded"), (502, "upstream-encoded")),
    "busy": ((429, "rate_limit_exceeded"), (429, "rate_limit_exceeded")),
    "broken": ((500, "upstream-http"), (500, "upstream-http")),
    "too_long": ((400, "context_length_exceeded"), (400, "context_length_exceeded")),
    "no_key": ((401, "upstream-http"), (401, "upstream-http")),
    "elsewhere": ((502, "upstream-http"), (502, "upstream-http")),
    "gigantic": ((502, "upstream-too-large"), (None, "upstream-too-large")),
    "endless": ((502, "upstream-too-large"), (None, "upstream-too-large")),
    "an_error_within": ((502, "upstream-content-type"), (None, "upstream-error")),
}


@EVERY
@BOTH
@pytest.mark.parametrize("script", FAULTS)
def test_a_fault_is_raised_by_the_package_of_the_client(
    gpt: openai.OpenAI, claude: anthropic.Anthropic, protocol: str, script: str, *, stream: bool
) -> None:
    heard: Heard = []
    began = time.monotonic()
    package = anthropic if protocol == "messages" else openai
    with pytest.raises(package.APIError) as raised:
        ASK[protocol](gpt, claude, f"When do you open? {script}", heard, stream=stream)
    assert told(raised.value) == FAULTS[script][stream]
    assert time.monotonic() - began < 10
    assert raised.value.message
    if FAULTS[script][stream][1] == "upstream-too-large":
        assert f"{LIMITS['answer_bytes']} bytes" in raised.value.message
        assert "`gateway.limits.answer_bytes`" in raised.value.message
    if heard and protocol == "responses":
        assert heard[-1].type == "response.failed"
    assert SECRET not in heard_text(heard) + str(raised.value) + json.dumps(raised.value.body)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_answer_that_tells_itself_too_large_is_not_begun(tmp_path: Path, language: str) -> None:
    """Where nothing stands between, bytes go through as they come: such an answer would be cut, without a word."""
    description = described(0, (), limits=LIMITS, prompt="leave")
    with Scripted({}, otherwise=failing) as upstream:
        description["target"]["base_url"] = f"http://127.0.0.1:{upstream.port}/v1"
        with (
            running(tmp_path, description) as gateway,
            openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0, timeout=30) as gpt,
        ):
            spoken = {"Accept-Language": language}
            with pytest.raises(openai.InternalServerError) as raised:
                gpt.with_options(default_headers=spoken).completions.create(model="m", prompt="gigantic")
    assert told(raised.value) == (502, "upstream-too-large")
    assert "`gateway.limits.answer_bytes`" in raised.value.message
    assert ("octets" in raised.value.message) is (language == "fr")
