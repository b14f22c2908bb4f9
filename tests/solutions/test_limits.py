"""Limits: what binds, what it leaves, and what hostile clocks, counts and callers cannot make of it."""

import math
from decimal import Decimal

import msgspec
import pytest

from aloi.solutions.catalogue import build, check
from aloi.solutions.guarded import NotReplayable, replay
from aloi.solutions.limits.loops import call_digest, tally
from aloi.solutions.limits.machine import DAY, Admitted, Asked, Refused
from aloi.solutions.limits.target import LimitedTarget
from aloi.solutions.limits.tokens import MOST, Tokens, sent, size, spent_before, used
from aloi.solutions.tables import table
from aloi.system.messages import Message, Request, Response, ToolCall
from aloi.system.target import Unscorable

NOON = 20_000 * DAY + DAY / 2
OFF = dict.fromkeys(("answer_tokens", "same_result", "same_call", "calls", "turns"))


@pytest.fixture
def limits(resolve):
    def made(**options):
        return build("request-limits", OFF | options, load=resolve).implementation

    return made


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


class Says:
    """A target that says the same always, and remembers what it was asked."""

    def __init__(self, response=None, lost=()):
        self.response, self.lost, self.asked = response or Response(text="Yes."), list(lost), []

    async def ask(self, request):
        self.asked.append(request)
        if self.lost:
            raise self.lost.pop()
        return self.response


def question(*said, prompt="", max_tokens=48):
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[i % 2], content=text) for i, text in enumerate(said or ("Hello?",)))
    return Request(prompt=prompt, messages=messages, max_tokens=max_tokens)


def work(*steps, results=True):
    """An agent's conversation: each step is (tool, arguments, result)."""
    messages = [Message(role="user", content="Do it.")]
    for place, (name, arguments, result) in enumerate(steps):
        call = ToolCall(id=f"c{place}", name=name, arguments=arguments)
        messages.append(Message(role="assistant", content="", tool_calls=(call,)))
        if results:
            messages.append(Message(role="tool", content=result, tool_call_id=call.id))
    return Request(prompt="", messages=tuple(messages))


def calling(*calls):
    made = tuple(ToolCall(id=f"n{i}", name=name, arguments=arguments) for i, (name, arguments) in enumerate(calls))
    return Response(text="", tool_calls=made)


READ = ("read", '{"file": "a"}')
LOOPS = {
    # options, steps before, the calls of the answer, the reasons
    "the same result twice, then again": ({"same_result": 2}, [(*READ, "x")] * 2, [READ], ["same-result"]),
    "the same result once": ({"same_result": 2}, [(*READ, "x")], [READ], [""]),
    "results that change": ({"same_result": 2}, [(*READ, str(i)) for i in range(9)], [READ], [""]),
    "results that come back": ({"same_result": 2}, [(*READ, str(i % 2)) for i in range(4)], [READ], ["same-result"]),
    "same call whatever the results": ({"same_call": 3}, [(*READ, str(i)) for i in range(3)], [READ], ["same-call"]),
    "other order of keys": (
        {"same_call": 1}, [("pay", '{"to": "a", "sum": 1}', "ok")], [("pay", '{"sum":1,"to":"a"}')], ["same-call"]),
    "other arguments": ({"same_call": 1}, [(*READ, "x")], [("read", '{"file": "b"}')], [""]),
    "other tool": ({"same_call": 1}, [(*READ, "x")], [("open", READ[1])], [""]),
    "malformed, the same": ({"same_call": 1}, [("read", '{"file', "bad")], [("read", ' {"file ')], ["same-call"]),
    "deeply nested": ({"same_call": 1}, [("read", "[" * 99_999, "bad")], [("read", "[" * 99_999)], ["same-call"]),
    "no arguments": ({"same_call": 1}, [("list", "", "x")], [("list", "")], ["same-call"]),
    "twice in one answer": ({"same_call": 1}, [], [READ, READ], ["", "same-call"]),
    "one of two goes on": ({"same_result": 2}, [(*READ, "x")] * 2, [READ, ("stop", "{}")], ["same-result", ""]),
    "too many in all": ({"calls": 3}, [("read", str(i), "x") for i in range(3)], [("read", "9")], ["calls"]),
    "one more": ({"calls": 2}, [("read", "1", "x")], [("read", "8"), ("read", "9")], ["", "calls"]),
    "0 lets none pass": ({"calls": 0}, [], [READ], ["calls"]),
    "0 same results": ({"same_result": 0}, [], [READ], ["same-result"]),
    "no limit": ({}, [(*READ, "x")] * 50, [READ] * 9, [""] * 9),
}  # fmt: skip


@pytest.mark.parametrize(("options", "steps", "calls", "reasons"), LOOPS.values(), ids=LOOPS)
async def test_loops(options, steps, calls, reasons, limits):
    answer = calling(*calls)
    response = await LimitedTarget(Says(answer), limits(**options)).ask(work(*steps))
    assert [line.reason for line in response.decisions] == [one for one in reasons if one]
    kept = tuple(call for call, reason in zip(answer.tool_calls, reasons, strict=True) if not reason)
    assert response.tool_calls == kept
    assert response.changed_request == any(reasons)
    if not kept:
        assert (response.finish, response.raw) == ("blocked", "")
        assert response.text == table("limits")["words"][reasons[0]]["en"]
    assert all(
        (line.action, line.role, line.guard) == ("withhold", "call", "request-limits") for line in response.decisions
    )


def test_results_belong_to_their_calls():
    calls = (ToolCall(id="a", name="one"), ToolCall(id="b", name="two"))
    swapped = (
        Message(role="assistant", content="", tool_calls=calls),
        Message(role="tool", content="of two", tool_call_id="b"),
        Message(role="tool", content="of one", tool_call_id="a"),
    )
    lost = (Message(role="tool", content="of nobody", tool_call_id="z"),)
    seen = tally((*lost, *swapped, *swapped, *lost))
    assert seen.results == {call_digest(call): 2 for call in calls}
    assert (seen.calls, seen.turns) == (4, 0)
    without_ids = tuple(msgspec.structs.replace(message, tool_call_id="?") for message in swapped)
    assert set(tally(without_ids).results.values()) == {1}


async def test_turns_are_counted(limits):
    target = LimitedTarget(Says(), limits(turns=2))
    assert (await target.ask(question("a", "b", "c"))).text == "Yes."
    refused = await target.ask(question("a", "b", "c", "d", "e"))
    assert (refused.finish, refused.raw, [line.reason for line in refused.decisions]) == ("blocked", None, ["turns"])
    assert refused.decisions[0].role == "user"


async def test_an_answer_is_capped_before_it_is_written(limits):
    says = Says()
    target = LimitedTarget(says, limits(answer_tokens=100))
    capped, short = await target.ask(question(max_tokens=4_000)), await target.ask(question(max_tokens=60))
    assert [request.max_tokens for request in says.asked] == [100, 60]
    assert (capped.changed_request, short.changed_request) == (True, False)
    assert limits(answer_tokens=100).harden(question(max_tokens=4_000)).max_tokens == 100


async def test_a_rate_lets_a_minutes_worth_pass_and_refills(limits):
    clock, says = Clock(), Says()
    target = LimitedTarget(says, limits(requests_per_minute=6, language="fr"), clock=clock)
    answers = [await target.ask(question()) for _ in range(8)]
    assert [bool(answer.decisions) for answer in answers] == [False] * 6 + [True] * 2
    assert answers[-1].text == "Trop de demandes à la fois. Veuillez réessayer dans 10 s."
    assert len(says.asked) == 6
    clock.now += 10
    assert not (await target.ask(question())).decisions
    assert (await target.ask(question())).decisions[0].reason == "request-rate"


CLOCKS = {
    # moments of five requests; a bucket of two that refills one in thirty seconds
    "stands still": ([0, 0, 0, 0, 0], "..xxx"),
    "goes on": ([0, 0, 0, 30, 60], "..x.."),
    "trembles": ([0, 0, -30, -29, 31], "..xx."),
    "is set back an hour, and goes on": ([0, 0, -3600, -3590, -3569], "..xx."),
    "is no number": ([0, 0, math.nan, math.nan, 30], "..xx."),
    "is without end": ([0, 0, math.inf, math.inf, 30], "..xx."),
    "begins as no number": ([math.nan, math.nan, math.nan, 0, 0], "..x.."),
    "leaps a century": ([0, 0, 0, 3e9, 3e9], "..x.."),
    "leaps and is set right": ([0, 0, 3e9, 0, 0], "....x"),
    "leaps, is set right, goes on": ([3e9, 3e9, 0, 29, 31], "..xx."),
}


@pytest.mark.parametrize(("moments", "expected"), CLOCKS.values(), ids=CLOCKS)
async def test_clocks(moments, expected, limits):
    clock = Clock()
    target = LimitedTarget(Says(), limits(requests_per_minute=2), clock=clock)
    seen = ""
    for moment in moments:
        clock.now = NOON + moment
        seen += "x" if (await target.ask(question())).decisions else "."
    assert seen == expected


async def test_a_clock_that_falls_back_brings_no_day_back(limits):
    clock = Clock()
    target = LimitedTarget(Says(), limits(day_tokens=60, answer_tokens=48), clock=clock)
    first, again = await target.ask(question()), None
    assert not first.decisions
    clock.now = NOON + DAY
    for _ in range(40):
        again = await target.ask(question())
        if again.decisions:
            break
    assert again.decisions[0].reason == "day-tokens"
    clock.now = NOON - DAY
    assert (await target.ask(question())).decisions[0].reason == "day-tokens"
    clock.now = NOON + 2 * DAY
    assert not (await target.ask(question())).decisions


SPENDING = {
    # options, (sent, answer wanted, taken before), what the answer may take or the reason
    "tokens left bound the answer": ({"conversation_tokens": 100}, (10, 500, Tokens(20, 30)), 40),
    "nothing left": ({"conversation_tokens": 100}, (50, 500, Tokens(20, 30)), "conversation-tokens"),
    "a limit of 0": ({"conversation_tokens": 0}, (0, 1, Tokens()), "conversation-tokens"),
    "a day of 0": ({"day_tokens": 0}, (1, 1, Tokens()), "day-tokens"),
    "requests of 0": ({"requests_per_minute": 0}, (1, 1, Tokens()), "request-rate"),
    "tokens a minute of 0": ({"tokens_per_minute": 0}, (0, 0, Tokens()), "token-rate"),
    "larger than a minute's worth, bucket full": ({"tokens_per_minute": 50}, (400, 100, Tokens()), 100),
    "money": ({"conversation_money": 1.0, "price_in": 1.0, "price_out": 2.0}, (100, 999, Tokens(500, 100)), 100),
    "money without price of answers": ({"day_money": 1.0, "price_in": 1.0}, (1_000, 999, Tokens()), 999),
    "money spent": ({"day_money": 1.0, "price_in": 1.0}, (1_001, 999, Tokens()), "day-money"),
    "money of 0": ({"day_money": 0.0, "price_in": 1.0}, (1, 9, Tokens()), "day-money"),
    "money in tenths adds up": ({"conversation_money": 0.3, "price_out": 0.1}, (0, 9_999, Tokens(0, 2_000)), 1_000),
    "huge counts": ({"conversation_tokens": 10**9}, (MOST, MOST, Tokens(MOST, MOST)), "conversation-tokens"),
    "huge answer wanted": ({}, (1, 10**400, Tokens()), MOST),
    "huge answer, tokens a minute": ({"tokens_per_minute": 50}, (1, 10**400, Tokens()), MOST),
    "no limit": ({}, (10**9, 7, Tokens(10**12, 10**12)), 7),
}


@pytest.mark.parametrize(("options", "asked", "expected"), SPENDING.values(), ids=SPENDING)
def test_spending(options, asked, expected, limits):
    machine = limits(**options)
    size_, answer, before = asked
    account = machine.opened(NOON)
    after, ruling = machine.admit(account, Asked(sent=size_, answer=answer, before=before), NOON)
    if isinstance(expected, str):
        assert isinstance(ruling, Refused)
        assert ruling.reason == expected
        assert after == account  # a refusal is charged nothing
    else:
        assert isinstance(ruling, Admitted)
        assert ruling.answer == expected


BAD = {
    "negative price": ({"price_in": -1.0}, {"price_in"}),
    "price that is no number": ({"price_out": math.nan}, {"price_out"}),
    "price without end": ({"price_out": math.inf}, {"price_out"}),
    "money without prices": ({"day_money": 5.0}, {"day_money"}),
    "money at prices of 0": ({"conversation_money": 5.0, "price_in": 0.0}, {"conversation_money"}),
    "negative limits": ({"calls": -1, "turns": -1, "day_tokens": -5}, {"calls", "turns", "day_tokens"}),
    "an answer of nothing": ({"answer_tokens": 0}, {"answer_tokens"}),
    "too large a number": ({"day_tokens": 2**60}, {"day_tokens"}),
    "nobody": ({"callers": 0}, {"callers"}),
    "words": ({"calls": "many"}, {"calls"}),
}


@pytest.mark.parametrize(("options", "at"), BAD.values(), ids=BAD)
def test_options_that_cannot_be(options, at, resolve):
    assert {fault.path for fault in check("request-limits", options, "x", resolve)} == {f"x.{one}" for one in at}


async def test_a_conversation_is_charged_what_the_endpoint_counts(limits):
    says = Says(Response(text="Yes.", prompt_tokens=400, completion_tokens=100))
    target = LimitedTarget(says, limits(conversation_tokens=1_200))
    said = ["Hello?"]
    for _ in range(2):
        said += [(await target.ask(question(*said, max_tokens=300))).text, "And then?"]
    assert [request.max_tokens for request in says.asked] == [300, 300]
    third = await target.ask(question(*said, max_tokens=300))
    assert not third.decisions  # 1,000 of 1,200 are spent: what is left bounds the answer
    assert says.asked[-1].max_tokens == 1_200 - 1_000 - sent(question(*said))
    said += [third.text, "And now?"]
    assert (await target.ask(question(*said))).decisions[0].reason == "conversation-tokens"
    assert not (await target.ask(question("Another one?"))).decisions


COUNTS = {
    "missing": (Response(text="four" * 10), Tokens(sent(question()), 10)),
    "negative": (Response(text="four" * 10, prompt_tokens=-5, completion_tokens=-5), Tokens(sent(question()), 10)),
    "given": (Response(text="", prompt_tokens=7, completion_tokens=3), Tokens(7, 3)),
    "huge": (Response(text="", prompt_tokens=10**300, completion_tokens=10**300), Tokens(MOST, MOST)),
    "an empty answer": (Response(text=""), Tokens(sent(question()), 0)),
    "a megabyte": (Response(text="x" * 2**20), Tokens(sent(question()), 2**18)),
    "half a surrogate": (Response(text="\ud800"), Tokens(sent(question()), 1)),
    "a call": (calling(("read", "x" * 40)), Tokens(sent(question()), 11)),
    "what the model said before guards": (Response(text="", raw="four" * 10), Tokens(sent(question()), 10)),
}


@pytest.mark.parametrize(("response", "expected"), COUNTS.values(), ids=COUNTS)
async def test_counts(response, expected, limits):
    assert used(question(), response) == expected
    target = LimitedTarget(Says(response), limits(day_tokens=10**6, requests_per_minute=1))
    await target.ask(question())
    assert (await target.ask(question())).decisions


def test_a_changed_history_is_counted_from_its_own_words():
    long = question("a" * 400, "b" * 400, "c" * 400, "d" * 400, "e", prompt="p" * 40)
    # The first answer was shown 110 tokens, the second all before it as well.
    assert spent_before(long) == Tokens((10 + 100) + (10 + 300), 200)
    assert size("") == 0
    assert spent_before(question()) == Tokens()


async def test_a_history_that_was_made_up_opens_no_new_budget(limits):
    target = LimitedTarget(Says(), limits(conversation_tokens=300))
    assert (await target.ask(question("a" * 800, "b" * 800, "c"))).decisions[0].reason == "conversation-tokens"


async def test_what_is_under_way_is_charged_before_it_is_answered(limits):
    machine = limits(day_tokens=1_000)
    account, first = machine.admit(machine.opened(NOON), Asked(sent=100, answer=600), NOON)
    account, second = machine.admit(account, Asked(sent=100, answer=600), NOON)
    assert (first.answer, second.answer) == (600, 200)
    _, third = machine.admit(account, Asked(sent=100, answer=600), NOON)
    assert third == Refused(reason="day-tokens", seconds=DAY / 2)
    account = machine.settle(account, first, Tokens(100, 50), NOON)
    assert account.today.total == 100 + 50 + 100 + 200
    # An answer that comes after midnight is charged to the day on which it was asked.
    assert machine.settle(account, second, Tokens(100, 200), NOON + DAY).today == Tokens()


async def test_an_answer_that_is_lost_stays_charged(limits):
    says = Says(lost=[Unscorable("timeout", "late")])
    target = LimitedTarget(says, limits(day_tokens=100), clock=Clock())
    with pytest.raises(Unscorable):
        await target.ask(question(max_tokens=98))
    assert (await target.ask(question())).decisions[0].reason == "day-tokens"


async def test_callers_have_accounts_of_their_own(limits):
    target = LimitedTarget(
        Says(), limits(requests_per_minute=1), caller=lambda request: request.messages[0].content, clock=Clock()
    )
    for name in ("ann", "bob"):
        assert not (await target.ask(question(name))).decisions
        assert (await target.ask(question(name))).decisions


async def test_many_callers_cannot_wash_a_debt_away(limits):
    clock = Clock()
    options = limits(requests_per_minute=1, callers=100)
    target = LimitedTarget(Says(), options, caller=lambda request: request.messages[0].content, clock=clock)
    passed = sum([not (await target.ask(question(f"caller {i}"))).decisions for i in range(1_000)])
    assert passed == 101  # a hundred, and one for all the others together
    assert (await target.ask(question("caller 0"))).decisions
    clock.now += 60  # all have paid: the oldest may be forgotten, one at a time
    assert sum([not (await target.ask(question(f"late {i}"))).decisions for i in range(50)]) == 50
    assert len(target._memory.accounts) <= 101


async def test_without_limits_of_a_caller_nothing_is_remembered_of_one(limits):
    target = LimitedTarget(Says(), limits(calls=5), shared=False)
    for i in range(50):
        await target.ask(question(f"{i}"))
    assert not target._memory.accounts


async def test_in_a_run_each_conversation_is_a_caller(limits):
    target = LimitedTarget(Says(), limits(requests_per_minute=2), shared=False, clock=Clock())
    assert not any([(await target.ask(question())).decisions for _ in range(20)])
    said = ["One?"]
    for _ in range(2):
        said += [(await target.ask(question(*said))).text, "More?"]
    assert (await target.ask(question(*said))).decisions[0].reason == "request-rate"


def test_every_code_has_words_in_both_languages():
    codes = {"turns", "same-result", "same-call", "calls", "request-rate", "token-rate"}
    codes |= {f"{scope}-{what}" for scope in ("conversation", "day") for what in ("tokens", "money")}
    words = table("limits")["words"]
    assert set(words) == codes
    assert all(set(texts) == {"en", "fr"} for texts in words.values())


def test_limits_are_asked_and_never_replayed(resolve):
    with pytest.raises(NotReplayable):
        replay(question(), Response(text="Yes."), [build("request-limits", load=resolve)])


def test_money_is_exact(limits):
    machine = limits(day_money=1.0, price_in=0.1, price_out=0.1)
    account, spent = machine.opened(NOON), Decimal(0)
    while isinstance((moved := machine.admit(account, Asked(sent=1_000, answer=1), NOON))[1], Admitted):
        account = machine.settle(moved[0], moved[1], Tokens(1_000, 0), NOON)
        spent += Decimal("0.1")
    assert spent == Decimal("0.9")  # the tenth request would leave nothing to answer with
