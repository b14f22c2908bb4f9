"""Answers streamed through guards: what is released, when, and what happens where a guard fails in mid-stream."""

import asyncio
import re
import time

import pytest

from aloi.evidence.records import RemedyIdentity
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guard import Allow, Block, Rewrite
from aloi.solutions.guarded import BLOCKED, BrokenStream, GuardedTarget
from aloi.solutions.limits.machine import RequestLimits, RequestLimitsOptions
from aloi.solutions.limits.target import LimitedTarget
from aloi.solutions.streaming import GROWTH
from aloi.system.messages import Message, Request, Response, Tool, ToolCall

REQUEST = Request(prompt="You are Azur.", messages=(Message(role="user", content="hello"),), max_tokens=4_000)
TOOL = Tool(name="pay", description="Pay.", parameters={})
REFUSAL = "I cannot say more."


class Model:
    """A target that streams its answer in pieces, `pause` seconds apart, and stops where it is told to."""

    def __init__(self, *pieces, text=None, calls=()):
        self.pieces = pieces
        self.pause = 1.0
        self.now = 0.0
        self.text = text
        self.calls = calls
        self.given = 0
        self.asked = []

    async def ask(self, request, release=None):
        self.asked.append(release is not None)
        said = ""
        for piece in self.pieces:
            said += piece
            self.given += 1
            self.now += self.pause
            if release is not None and not await release(piece):
                break
        return Response(text=said if self.text is None else self.text, tool_calls=self.calls)


class Stars:
    """Masks numbers, and blocks an answer that says 'boom'; a number or word is settled when a blank ends it."""

    roles = frozenset({"assistant"})
    reads = "answers"

    def screen(self, message):
        if "boom" in message.content:
            return Block(reason="boom")
        masked = re.sub(r"\d+", "*", message.content)
        return Allow() if masked == message.content else Rewrite(content=masked, reason="number")

    def settled(self, text):
        at = text.find("boom")
        return at if at >= 0 else len(text) - len(re.split(r"\s", text)[-1])


class Knowing(Stars):
    """Stars that say what stands behind what is settled, and remember what they were told of it."""

    def __init__(self):
        self.told = []

    def settled_before(self, text, ahead):
        self.told.append((text, ahead.word))
        return self.settled(text)

    def leaves(self, ahead):
        return ahead


class Other(Stars):
    """The same, with something done before each ruling on a text that holds 'now'."""

    def __init__(self, done):
        self.done = done

    def screen(self, message):
        return self.done() if "now" in message.content else super().screen(message)


class Blind:
    """A guard that cannot be streamed through."""

    roles = frozenset({"assistant"})
    reads = "answers"

    def screen(self, message):
        return Allow()


class Reader(Stars):
    """Stars that read calls as well."""

    reads = "all"


class Turncoat(Stars):
    """A guard that says of all it is shown that it is settled, and then changes its mind."""

    def screen(self, message):
        return Rewrite(content=message.content.upper(), reason="loud") if "!" in message.content else Allow()

    def settled(self, text):
        return len(text)


def remedy(guard, name="stars"):
    identity = RemedyIdentity(name=name, version="1", digest="sha256:0")
    return Remedy(name=name, kind="output-guard", hazards=(), implementation=guard, identity=identity)


class Shown:
    """Who reads the answer: what came, and after how much of it they go away."""

    def __init__(self, most=10**9):
        self.pieces = []
        self.most = most

    async def __call__(self, text):
        self.pieces.append(text)
        return len("".join(self.pieces)) < self.most

    @property
    def text(self):
        return "".join(self.pieces)


def streamed(model, *guards, request=REQUEST, reader=None, pause=1.0, **options):
    reader, model.pause = reader or Shown(), pause
    named = [remedy(guard, f"guard-{n}") for n, guard in enumerate(guards)]
    target = GuardedTarget(model, named, clock=lambda: model.now, **options)
    response = asyncio.run(target.ask(request, reader))
    assert response.text.startswith(reader.text)
    return response, reader, target


def test_text_is_released_when_it_is_settled_and_ends_as_it_would_unstreamed():
    model = Model("Pay ", "12", "3 euros", " to ", "us", ".")
    response, reader, target = streamed(model, Stars())
    assert reader.pieces == ["Pay ", "* ", "euros to "]
    assert response.text == "Pay * euros to us."
    assert response.raw == "Pay 123 euros to us."
    assert asyncio.run(GuardedTarget(model, [remedy(Stars())]).ask(REQUEST)).text == response.text
    assert [(one.guard, one.action) for one in response.decisions] == [("guard-0", "rewrite")]
    assert not target.faults


def test_without_a_guard_everything_is_released_at_once():
    response, reader, _ = streamed(Model("a", "b", "c"))
    assert reader.pieces == ["a", "b", "c"]
    assert response.text == "abc"


def test_text_that_comes_fast_is_checked_in_portions():
    model = Model(*("word " for _ in range(4_000)))
    response, reader, _ = streamed(model, Stars(), pause=0.0)
    assert response.text == "word " * 4_000
    # About one check for each 48 characters at first, then for each 1/64 of the whole.
    assert 100 < len(reader.pieces) < 300
    assert all(len(piece) >= GROWTH for piece in reader.pieces[1:])


def test_each_guard_reads_what_the_one_before_it_left():
    class NoStars(Stars):
        def screen(self, message):
            return Block(reason="star") if "*" in message.content else Allow()

        def settled(self, text):
            return text.find("*") if "*" in text else len(text)

    response, reader, _ = streamed(Model("Pay ", "us ", "12 ", "euros"), Stars(), NoStars())
    assert reader.text == "Pay us "
    assert response.finish == BLOCKED
    assert [(one.guard, one.reason) for one in response.decisions] == [("guard-0", "number"), ("guard-1", "star")]


def test_a_guard_is_told_of_the_word_behind_what_it_reads_by_guards_that_keep_it():
    told, silent = Knowing(), Knowing()
    streamed(Model("We op", "en at 9 ", "now"), Knowing(), told, Stars(), silent)
    assert told.told == [("We ", "op"), ("We open at * ", "now")]
    assert not silent.told


def test_what_a_failed_guard_lets_pass_is_known_as_it_was_before_it():
    class Failing(Knowing):
        def screen(self, message):
            raise RuntimeError("no")

    told = Knowing()
    response, reader, _ = streamed(Model("We open ", "now an", "d here"), Knowing(), Failing(), told, fail_open=True)
    assert told.told == [("We open now ", "an"), ("We open now and ", "here")]
    assert response.text == "We open now and here"
    assert reader.text == "We open now and "


def raises():
    raise RuntimeError("no")


def hangs():
    time.sleep(1.0)
    return Allow()


def breaks():
    return Rewrite(content="Something else altogether. now ", reason="broken")


FAULTS = {
    "raises": (Other(raises), "guard-error", ("guard-0", "guard-error")),
    "hangs": (Other(hangs), "guard-deadline", ("guard-0", "guard-deadline")),
    "contract": (Other(breaks), "guard-contract", ("guard-0", "guard-contract")),
    "blocks": (Other(lambda: Block(reason="bad")), "bad", None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_guard_that_fails_in_mid_stream_blocks_the_rest(name):
    guard, reason, fault = FAULTS[name]
    model = Model("All is ", "well, ", "and now ", *("more " * 200).split(" "))
    response, reader, target = streamed(model, guard, refusal=REFUSAL, deadline=0.3)
    assert reader.text == "All is well, "
    assert response.text == f"All is well, \n\n{REFUSAL}"
    assert response.finish == BLOCKED
    assert [(one.action, one.reason) for one in response.decisions] == [("block", reason)]
    assert target.faults == ({fault: 1} if fault else {})
    assert model.given == 3


@pytest.mark.parametrize("name", ["raises", "hangs"])
def test_a_guard_that_fails_lets_the_rest_pass_where_that_is_chosen(name):
    guard, reason, fault = FAULTS[name]
    model = Model("All is ", "well, ", "and now ", "more ", "and more")
    response, reader, target = streamed(model, guard, deadline=0.3, fail_open=True)
    assert response.text == "All is well, and now more and more" == reader.text
    assert [(one.action, one.reason) for one in response.decisions] == [("let-pass", reason)]
    assert target.faults == {fault: 1}


def test_what_a_guard_had_rewritten_before_it_failed_is_never_shown_after_all():
    model = Model("Pay 12 ", "euros ", "and now ", "more")
    response, reader, target = streamed(model, Other(raises), refusal=REFUSAL, fail_open=True)
    assert reader.text == "Pay * euros "
    assert response.text == f"Pay * euros \n\n{REFUSAL}"
    assert set(target.faults) == {("guard-0", "guard-error"), ("guard-0", "guard-contract")}


def test_a_guard_that_fails_lets_a_text_pass_unstreamed_where_that_is_chosen():
    guards = [remedy(Other(raises))]
    closed = asyncio.run(GuardedTarget(Model("now 12"), guards, refusal=REFUSAL).ask(REQUEST))
    assert (closed.text, closed.finish) == (REFUSAL, BLOCKED)
    target = GuardedTarget(Model("now 12"), guards, fail_open=True)
    opened = asyncio.run(target.ask(REQUEST))
    assert (opened.text, opened.blocked) == ("now 12", False)
    assert [(one.guard, one.role, one.action) for one in opened.decisions] == [("stars", "assistant", "let-pass")]
    assert target.faults == {("stars", "guard-error"): 1}


def test_a_guard_that_changes_its_mind_is_caught_at_the_end():
    response, reader, target = streamed(Model("hello ", "you", "!"), Turncoat(), refusal=REFUSAL, pause=0.0)
    assert reader.text == "hello "
    assert response.text == f"hello \n\n{REFUSAL}"
    assert target.faults == {("guard-0", "guard-contract"): 1}


def test_a_block_before_anything_is_released_is_the_refusal_alone():
    response, reader, _ = streamed(Model("boom", " and more"), Stars(), refusal=REFUSAL)
    assert (response.text, reader.text) == (REFUSAL, "")


def test_nothing_of_a_blocked_word_is_released_however_it_is_cut():
    for size in range(1, 6):
        text = "It goes boom in here"
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        response, reader, _ = streamed(Model(*pieces), Stars(), refusal=REFUSAL)
        assert reader.text == "It goes "
        assert response.finish == BLOCKED


@pytest.mark.parametrize("pieces", [(), ("",), ("", "", "")])
def test_an_empty_answer_is_empty(pieces):
    response, reader, _ = streamed(Model(*pieces), Stars())
    assert (response.text, reader.pieces) == ("", [])


def test_a_megabyte_passes():
    response, reader, _ = streamed(Model("word " * 200_000), Stars(), pause=0.0)
    assert response.text == reader.text


def test_a_reader_who_goes_away_ends_the_answer():
    class Endless(Model):
        async def ask(self, request, release=None):
            said = ""
            while await release("on and "):
                said += "on and "
            return Response(text=said + "on and ")

    response, reader, _ = streamed(Endless(), Stars(), reader=Shown(most=500))
    assert 500 <= len(reader.text) <= len(response.text) < 700


def test_guards_that_cannot_be_streamed_through_hold_the_answer_to_its_end():
    model = Model("hello ", "you ")
    response, reader, target = streamed(model, Stars(), Blind())
    assert (response.text, reader.pieces, model.asked) == ("hello you ", [], [False])
    assert target.streams(REQUEST) == "guard-1"


def test_answers_that_may_make_calls_are_held_where_a_guard_reads_calls():
    request = Request(prompt="", messages=REQUEST.messages, tools=(TOOL,))
    model = Model("hello ", "you ", calls=(ToolCall(name="pay"),))
    response, reader, target = streamed(model, Stars(), request=request)
    assert (reader.text, response.tool_calls) == ("hello you ", model.calls)
    assert target.streams(request) == ""
    response, reader, target = streamed(model, Reader(), request=request)
    assert (reader.text, response.text) == ("", "hello you ")
    assert (target.streams(request), target.streams(REQUEST)) == ("guard-0", "")


def test_calls_that_nobody_offered_are_withheld_behind_what_was_released():
    calls = (ToolCall(name="pay", arguments='{"to": "boom"}'),)
    model = Model("hello ", "you", calls=calls)
    response, reader, _ = streamed(model, Reader())
    assert reader.text == "hello "
    assert response.text.startswith("hello you\n[Withheld by policy: boom]")
    assert model.asked == [True]


def test_an_answer_of_which_nothing_was_released_is_asked_again_unstreamed():
    calls = (ToolCall(name="pay", arguments='{"to": "boom"}'),)
    model = Model("hello", calls=calls)
    response, reader, _ = streamed(model, Reader())
    assert reader.text == ""
    assert model.asked == [True, False, False, False]
    assert response.text.startswith("hello\n[Withheld")


def test_a_target_that_answers_otherwise_than_it_streamed_is_told():
    with pytest.raises(BrokenStream):
        streamed(Model("hello ", "you", text="goodbye"), Stars())


def test_limits_hand_the_release_on():
    reader = Shown()
    limits = RequestLimits(RequestLimitsOptions())
    model = Model("hello ", "you")
    target = LimitedTarget(GuardedTarget(model, [remedy(Stars())], clock=lambda: model.now), limits)
    response = asyncio.run(target.ask(REQUEST, reader))
    assert (reader.text, response.text) == ("hello ", "hello you")


def test_time_spent_in_the_window_counts_as_the_guards_time():
    class Slow(Stars):
        def screen(self, message):
            time.sleep(0.02)
            return super().screen(message)

    target = GuardedTarget(Model("hello ", "you"), [remedy(Slow())])
    assert asyncio.run(target.ask(REQUEST, Shown())).guard_seconds > 0.03
