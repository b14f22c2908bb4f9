"""The OpenAI-compatible target against a real server that fails in every way we know: the exact outcome of each."""

import asyncio
import os
import time
import traceback
from email.utils import formatdate

import msgspec
import pytest

from aloi.errors import AskerError, TargetError
from aloi.system.messages import Document
from aloi.system.openai import ANSWER_LIMIT, OpenAIKind, open_endpoint, retry_after
from aloi.system.target import Unscorable, target_kind
from system.faulty import (
    KEY,
    QUESTION,
    asked,
    completion,
    describe,
    endless,
    gzip_bomb,
    hangs,
    hangs_in_the_body,
    in_turn,
    resets,
    says,
    says_bytes,
    serving,
)


def told(error: BaseException) -> str:
    """All that any log could show of an error."""
    facts = getattr(error, "facts", {})
    return "".join(traceback.format_exception(error)) + repr(error) + repr(facts) + repr(error.__context__)


async def failure(reply, **fields):
    async with asked(reply, **fields) as (target, endpoint):
        with pytest.raises(TargetError) as caught:
            await target.ask(QUESTION)
    assert KEY not in told(caught.value)
    return caught.value, endpoint


async def test_a_good_answer():
    async with asked(says(completion())) as (target, endpoint):
        response = await target.ask(QUESTION)
    assert (response.text, response.finish) == ("At nine.", "stop")
    assert (response.prompt_tokens, response.completion_tokens) == (7, 3)
    assert 0 < response.seconds < 1
    assert endpoint.paths == ["/v1/chat/completions"]
    assert endpoint.keys == [f"Bearer {KEY}"]
    (body,) = endpoint.bodies
    assert body["messages"] == [
        {"role": "system", "content": "Answer."},
        {"role": "user", "content": "When do you open?"},
    ]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 48, 0.7)


async def test_documents_follow_the_question():
    request = msgspec.structs.replace(QUESTION, documents=(Document(id="a", text="A"), Document(id="b", text="B")))
    async with asked(says(completion())) as (target, endpoint):
        await target.ask(request)
    sent = endpoint.bodies[0]["messages"][1]["content"]
    assert sent == "When do you open?\n\n<document>\nA\n</document>\n<document>\nB\n</document>"


# What comes -> (reason of Unscorable, times asked with one retry)
LOST = {
    "429 for ever": (says({}, 429), "http-429", 2),
    "500 for ever": (says({}, 500), "http-500", 2),
    "503 for ever": (says({}, 503), "http-503", 2),
    "408": (says({}, 408), "http-408", 2),
    "400 is not asked again": (says({"error": "bad"}, 400), "http-400", 1),
    "413 is not asked again": (says({}, 413), "http-413", 1),
    "hung socket": (hangs, "timeout", 2),
    "hung in the body": (hangs_in_the_body, "timeout", 2),
    "reset in the middle": (resets, "connection-lost", 2),
    "not JSON": (says_bytes(b'{"choices": [{'), "malformed", 2),
    "no bytes": (says_bytes(b""), "malformed", 2),
    "a web page": (says_bytes(b"<html>It works</html>", **{"Content-Type": "text/html"}), "malformed", 2),
    "a list": (says([1]), "malformed", 2),
    "an error object": (says({"error": {"message": "overloaded"}}), "malformed", 2),
    "no choices": (says({"choices": []}), "malformed", 2),
    "choices null": (says({"choices": None}), "malformed", 2),
    "no message": (says({"choices": [{}]}), "malformed", 2),
    "content is a number": (says(completion(7)), "malformed", 2),
    "deep nesting": (says_bytes(b'{"choices":' + b"[" * 100_000), "malformed", 2),
    "not UTF-8": (says_bytes(b'{"choices":[{"message":{"content":"\xff\xfe"}}]}'), "malformed", 2),
    "content empty": (says(completion("")), "empty", 1),
    "content blank": (says(completion(" \n\t")), "empty", 1),
    "content null": (says(completion(None)), "empty", 1),
    "endless answer": (endless, "too-large", 1),
    "small answer that unpacks to a large one": (gzip_bomb, "too-large", 1),
    "answer just too large": (says_bytes(b" " * ANSWER_LIMIT), "too-large", 1),
}


@pytest.mark.parametrize("case", LOST)
async def test_one_lost_answer_is_unscorable_and_retried_only_where_that_may_help(case):
    reply, reason, times = LOST[case]
    error, endpoint = await failure(reply, timeout=0.3 if reason == "timeout" else 30.0)
    assert isinstance(error, Unscorable)
    assert error.reason == reason
    assert len(endpoint.paths) == times


# What comes -> a part of the sentence. No retry can mend these: the run must stop.
FATAL = {
    "wrong key": (says({}, 401), "refused the key (HTTP 401)"),
    "forbidden": (says({}, 403), "refused the key (HTTP 403)"),
    "not found": (says({}, 404), "is not a chat endpoint of the model m (HTTP 404)"),
    "method not allowed": (says({}, 405), "is not a chat endpoint"),
    "redirect": (says({}, 302, Location="/elsewhere"), "is not a chat endpoint of the model m (HTTP 302)"),
}


@pytest.mark.parametrize("case", FATAL)
async def test_what_asking_again_cannot_mend_stops_at_once(case):
    reply, expected = FATAL[case]
    error, endpoint = await failure(reply)
    assert not isinstance(error, Unscorable)
    assert expected in str(error)
    assert error.remedy
    assert len(endpoint.paths) == 1


async def test_a_redirect_is_not_followed_and_leaks_no_key():
    async with serving(says(completion())) as thief:
        location = f"http://127.0.0.1:{thief.port}/v1/chat/completions"
        await failure(says({}, 307, Location=location))
        assert thief.paths == []


@pytest.mark.parametrize(
    "reply",
    [says({}, 429), says({}, 500), resets, says_bytes(b"{"), says({}, 503, **{"Retry-After": "0"})],
    ids=["429", "500", "reset", "malformed", "503"],
)
async def test_an_endpoint_that_recovers_is_asked_again(reply):
    async with asked(in_turn(reply, reply, says(completion())), retries=2) as (target, endpoint):
        assert (await target.ask(QUESTION)).text == "At nine."
    assert len(endpoint.paths) == 3


async def test_the_wait_that_the_endpoint_asks_for_is_kept():
    async with asked(in_turn(says({}, 429, **{"Retry-After": "1"}), says(completion()))) as (target, endpoint):
        await target.ask(QUESTION)
    assert 1.0 <= endpoint.at[1] - endpoint.at[0] < 2.5


async def test_the_wait_may_be_a_date():
    date = formatdate(time.time() + 2, usegmt=True)  # whole seconds: between 1 and 2 from now
    async with asked(in_turn(says({}, 503, **{"Retry-After": date}), says(completion()))) as (target, endpoint):
        await target.ask(QUESTION)
    assert 0.9 <= endpoint.at[1] - endpoint.at[0] < 3.5


RETRY_AFTER = {
    "2": 2.0, "0": 0.0, "-5": 0.0, "1.5": 1.5, "nan": 0.0, "inf": float("inf"), "": 0.0, "soon": 0.0,
    "Thu, 01 Jan 1970 00:01:40 GMT": 90.0, "Thu, 01 Jan 1970 00:00:00 GMT": 0.0,
    "Thu, 99 Jan 1970 00:00:00 GMT": 0.0, "9" * 400: float("inf"),
}  # fmt: skip


@pytest.mark.parametrize("header", RETRY_AFTER)
def test_retry_after_reads_seconds_and_dates_and_never_raises(header):
    assert retry_after(header, now=10.0) == RETRY_AFTER[header]
    assert retry_after(None, now=10.0) == 0.0


async def test_an_endpoint_that_is_down_is_named():
    async with serving(says({})) as endpoint:
        port = endpoint.port
    async with open_endpoint(describe(port), KEY) as target:
        with pytest.raises(TargetError, match=rf"127\.0\.0\.1:{port}/v1/chat/completions cannot be reached") as caught:
            await target.ask(QUESTION)
    assert not isinstance(caught.value, Unscorable)
    assert "resume the run" in caught.value.remedy
    assert KEY not in told(caught.value)


async def test_a_host_that_does_not_exist_is_named():
    description = msgspec.structs.replace(describe(1), base_url="http://nobody.invalid/v1", retries=0)
    async with open_endpoint(description, KEY) as target:
        with pytest.raises(TargetError, match="cannot be reached"):
            await target.ask(QUESTION)


async def test_missing_counts_are_zero_and_a_refusal_is_an_answer():
    counts = {"prompt_tokens": None, "completion_tokens": None}
    for usage in (None, {}, counts):
        async with asked(says(completion(usage=usage))) as (target, _):
            assert (await target.ask(QUESTION)).completion_tokens == 0
    message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    async with asked(says(completion(choices=[{"message": message}]))) as (target, _):
        assert (await target.ask(QUESTION)).text == "I cannot help with that."


async def test_many_requests_share_the_connections_that_are_allowed():
    under_way, most = 0, 0

    async def counted(request, times):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return await says(completion())(request, times)

    async with asked(counted, concurrency=3, timeout=10.0) as (target, endpoint):
        answers = await asyncio.gather(*(target.ask(QUESTION) for _ in range(30)))
    assert len(answers) == len(endpoint.paths) == 30
    assert most == 3


async def test_a_slow_neighbour_does_not_spend_the_time_of_those_who_wait():
    """Waiting for a free connection is our own queue, and no fault of the endpoint."""

    async def slow(request, times):
        await asyncio.sleep(0.25)
        return await says(completion())(request, times)

    async with asked(slow, concurrency=1, timeout=0.6, retries=0) as (target, _):
        answers = await asyncio.gather(*(target.ask(QUESTION) for _ in range(5)))
    assert len(answers) == 5


async def test_the_key_comes_from_the_environment():
    os.environ["ALOI_TEST_KEY"] = f"{KEY}\n"  # as `$(cat file)` in some shells would not, but many tools do
    try:
        async with serving(says(completion())) as endpoint:
            description = describe(endpoint.port, api_key_env="ALOI_TEST_KEY")
            async with target_kind(description).open(description) as target:
                await target.ask(QUESTION)
            assert endpoint.keys == [f"Bearer {KEY}"]
    finally:
        del os.environ["ALOI_TEST_KEY"]


@pytest.mark.parametrize("key", ["sk-\u00e9l\u00e9phant", "sk-a\nX-Evil: 1", "sk-\x00"])
async def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key):
    if "\x00" not in key:  # the environment cannot hold it either
        os.environ["ALOI_TEST_KEY"] = key
        try:
            with pytest.raises(AskerError, match="holds characters that no key has") as caught:
                async with OpenAIKind().open(describe(1, api_key_env="ALOI_TEST_KEY")):
                    pass
        finally:
            del os.environ["ALOI_TEST_KEY"]
        assert key not in told(caught.value)


async def test_a_key_that_is_not_set_is_named_by_its_variable():
    with pytest.raises(AskerError, match="ALOI_NO_SUCH_KEY is not set"):
        async with OpenAIKind().open(describe(1, api_key_env="ALOI_NO_SUCH_KEY")):
            pass


def test_the_identity_is_the_model_that_is_asked_for():
    assert OpenAIKind().identity(describe(1)) == "openai:m"


async def test_no_cookie_ties_one_trial_to_the_next():
    seen = []

    async def sets_a_cookie(request, times):
        seen.append(request.headers.get("Cookie"))
        return await says(completion(), **{"Set-Cookie": "session=1; Path=/"})(request, times)

    async with serving(sets_a_cookie) as endpoint:
        # By name: for a bare address a client keeps no cookies anyway.
        named = describe(endpoint.port, base_url=f"http://localhost:{endpoint.port}/v1")
        async with open_endpoint(named, KEY) as target:
            await target.ask(QUESTION)
            await target.ask(QUESTION)
    assert seen == [None, None]
