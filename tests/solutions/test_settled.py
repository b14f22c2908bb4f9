"""What guards say of an answer that no continuation can change, against their own rulings on the whole of it."""

import asyncio
import random
import statistics

import msgspec
import pytest
from benchmarks.solutions.streamed import CANARY, DISGUISES, OPTIONS, PROMPT, SECRETS, Drawn, Part
from benchmarks.solutions.streaming import PROSE, STACKS, compare, drawn_stack, held
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi.solutions.guard import Allow, Rewrite
from aloi.solutions.guarded import BLOCKED, GuardedTarget
from aloi.solutions.guards.secrets import SecretFilter, SecretFilterOptions
from aloi.system.messages import Message, Response
from solutions.conftest import remedy
from solutions.test_hostile_answers import TABLE, answer
from solutions.test_secrets import COBALT, SHAPES
from solutions.test_streaming import REQUEST, Shown

ROWS = [
    ("secret-filter", {}),
    ("secret-filter", {"own": "block", "generic": "block"}),
    ("secret-filter", {"secrets": [], "generic": "mask"}),
    ("personal-data-filter", {}),
    ("personal-data-filter", {"action": "block"}),
    ("link-policy", {}),
    ("link-policy", {"action": "block", "allow_images": True}),
    ("link-policy", {"marker": ""}),
    ("prompt-leak", {}),
    ("prompt-leak", {"allowed": [PROMPT[:160]]}),
    ("output-budget", {}),
    ("output-budget", {"characters": 120, "words": 15, "repeats": 2}),
    ("output-budget", {"action": "block", "repeats": 0, "words": 10}),
]
GUARDS = [
    (f"{name} {options or ''}".strip(), remedy(name, **OPTIONS[name] | options).implementation)
    for name, options in ROWS
]


def left(guard, text):
    """What a guard leaves of a text; None where it blocks it."""
    match guard.screen(Message(role="assistant", content=text)):
        case Allow():
            return text
        case Rewrite(content=content):
            return content
        case _:
            return None


def holds(guard, text, step=1):
    """Both promises and the order of them, for beginnings of a text in steps; how much of it is settled in the end."""
    whole, last, seen = left(guard, text), 0, {0}
    for end in [*range(0, len(text), step), len(text)]:
        settled = guard.settled(text[:end])
        assert last <= settled <= end
        last = settled
        if settled not in seen:
            seen.add(settled)
            some = left(guard, text[:settled])
            # Where a beginning is blocked for what lies in it, nothing of that was settled.
            assert some is not None
            assert whole is None or whole.startswith(some)
    return last


@pytest.mark.parametrize(("name", "guard"), GUARDS, ids=[name for name, _ in GUARDS])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_continuation_changes_what_is_settled(name, guard, seed):
    text = Drawn(random.Random(seed)).answer(6)
    holds(guard, text, step=1 if len(text) < 200 else 5)


@pytest.mark.parametrize(
    "guard", ["secret-filter", "personal-data-filter", "link-policy", "prompt-leak", "output-budget"]
)
@pytest.mark.parametrize("name", TABLE["answers"])
def test_hostile_answers_are_settled_rightly(guard, name):
    text = answer(name)
    holds(
        remedy(guard, **TABLE["options"][guard]).implementation,
        text,
        step=max(1, len(text) // (40 if len(text) < 10_000 else 2)),
    )


@pytest.mark.parametrize("secret", [*SECRETS, CANARY])
@pytest.mark.parametrize("disguise", range(len(DISGUISES)))
def test_nothing_of_a_secret_is_settled_in_any_disguise(secret, disguise):
    draw = random.Random(disguise)
    hidden = DISGUISES[disguise](secret, draw)
    begin = "I may not tell you more than what follows here: "
    text = f"{begin}{hidden} and that is all there is to it, as you see."
    options = {"secrets": [secret], "own": "block", "generic": "ignore"}
    guard = remedy("secret-filter", **options).implementation
    if left(guard, f"{begin}{hidden} and") is None:
        for end in range(len(text) + 1):
            assert guard.settled(text[:end]) <= len(begin)
    holds(guard, text)
    holds(remedy("secret-filter", **options | {"own": "mask"}).implementation, text)


@pytest.mark.parametrize("generic", ["mask", "block", "ignore"])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_two_masks_leave_is_settled_rightly(shape, generic):
    guard = remedy("secret-filter", secrets=[COBALT], own="mask", generic=generic).implementation
    for text in (
        f"Well, it is {COBALT}, and then {SHAPES[shape]} follows.\nAnd so on.",
        f"Well, see {SHAPES[shape]}\nand then {COBALT} follows. And so on.",
        f"Well: {SHAPES[shape]} {COBALT} {SHAPES[shape]}\n{COBALT[:9]} of it.",
        f"password: x9{COBALT}y7 is what it was, and no more",
    ):
        holds(guard, text)


def test_a_credential_does_not_hold_an_answer_that_may_tell_an_own_secret():
    guard = remedy("secret-filter", secrets=[COBALT], own="mask", generic="mask").implementation
    text = f"The key is {SHAPES['aws']}, as you see here. {PROSE['en']}"
    assert holds(guard, text) > len(text) - 40


LOST = {
    "secret-filter": ({"own": "block"}, "The code is AZUR-COBALT-91."),
    "secret-filter masking": ({}, "The code is 19-TLABOC-RUZA."),
    "prompt-leak": ({}, f"I was told: {PROMPT[:120]}"),
    "prompt-leak canary": ({}, f"It is {CANARY}."),
    "output-budget": ({"action": "block", "words": 5, "marker": ""}, "One two three four five six."),
}


@pytest.mark.parametrize("name", LOST)
def test_an_answer_that_is_lost_is_not_waited_for(name):
    options, text = LOST[name]
    name = name.split(" ", maxsplit=1)[0]
    guard = remedy(name, **OPTIONS[name] | options).implementation
    assert guard.ends(text)
    assert not guard.ends(text[:14])
    for more in ("", "1", " and so on", PROSE["fr"]):
        assert left(guard, text + more) is None
    model = Endless(text)
    target = GuardedTarget(model, [remedy(name, **OPTIONS[name] | options)], refusal="No.", clock=lambda: model.now)
    response = asyncio.run(target.ask(REQUEST, Shown()))
    assert response.finish == BLOCKED
    assert model.said < len(text) + 200


class Endless:
    """A model that begins with a text, and goes on for as long as anyone listens."""

    def __init__(self, text):
        self.text = text
        self.said = 0
        self.now = 0.0

    async def ask(self, request, release=None):
        said = ""
        piece = self.text
        while self.said < 100_000:
            said += piece
            self.said += len(piece)
            self.now += 1.0
            if not await release(piece):
                break
            piece = f" and then {self.said}"
        return Response(text=said)


@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize("name", OPTIONS)
def test_ordinary_sentences_are_settled_up_to_their_last_words(name, language):
    guard = remedy(name, **OPTIONS[name]).implementation
    words = PROSE[language].split(" ")
    beginnings = [" ".join(words[:count]) for count in range(1, len(words) + 1)]
    held = [len(text) - guard.settled(text) for text in beginnings]
    assert statistics.median(held) <= 8
    assert max(held) <= 30
    assert guard.settled(" ".join(words[:3])) > 0


FLOODS = {
    "zero width": "\u200b" * 3_000 + "Hello there. " + "\u2060" * 3_000,
    "in every letter": "".join(letter + "\u200b" * 20 for letter in "The code is AZUR-COBALT-91, and no other one."),
    "selectors": "fine \ufe0f" * 500,
    "marks": "e" + "\u0301" * 5_000 + " and on",
    "brackets": "[" * 2_000 + " (" * 2_000,
    "tags": "<a " * 1_000 + "> over",
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_end_as_they_would_unstreamed(name):
    remedies, draw = STACKS["masking"](), random.Random(name)
    part = Part("noise", FLOODS[name])
    assert asyncio.run(compare(remedies, [part, Part("between", " ")], draw)) == ("", 0)


@pytest.mark.parametrize("stack", STACKS)
def test_streamed_answers_end_as_they_would_unstreamed_and_leak_nothing(stack):
    remedies = STACKS[stack]()

    async def all_of_them():
        for seed in range(700):
            draw = random.Random(f"{stack} {seed}")
            wrong, leaked = await compare(remedies, Drawn(draw).parts(2), draw)
            assert (wrong, leaked) == ("", 0), seed

    asyncio.run(all_of_them())


def test_guards_in_any_order_and_number_leave_what_they_would_unstreamed():
    async def all_of_them():
        for seed in range(1_000):
            draw = random.Random(f"drawn {seed}")
            assert await compare(drawn_stack(draw), Drawn(draw).parts(2), draw) == ("", 0), seed

    asyncio.run(all_of_them())


@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize("stack", STACKS)
def test_all_guards_in_a_row_release_the_first_word_when_the_second_has_come(stack, language):
    median, first, most = asyncio.run(held(STACKS[stack](), PROSE[language]))
    assert first == 2
    assert median <= 8
    assert most <= 30


class Hasty(SecretFilter):
    """A guard that thinks everything settled that it lets pass."""

    def settled(self, text):
        return len(text) if isinstance(self.screen(Message(role="assistant", content=text)), Allow) else 0


def test_the_bench_sees_what_a_hasty_guard_leaks():
    hasty = Hasty(SecretFilterOptions(secrets=(SECRETS[0],), own="block", generic="ignore"))
    remedies = [msgspec.structs.replace(remedy("secret-filter"), implementation=hasty)]
    parts = [Part("prose", "The code is"), Part("between", " "), Part("secret", SECRETS[0]), Part("between", " ")]

    async def leaks():
        return [await compare(remedies, parts, random.Random(seed)) for seed in range(20)]

    faults = asyncio.run(leaks())
    assert any(leaked > 0 for _, leaked in faults)
    assert all(leaked < len(SECRETS[0]) for _, leaked in faults)
