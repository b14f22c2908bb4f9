"""Reading each text once is the same as reading it for every set; and it is quick."""

import time
from itertools import combinations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aloi.assurance.arms import refusal
from aloi.assurance.remedies import fitted
from aloi.assurance.replaying import Replays, Rulings
from aloi.assurance.selecting import Selection
from aloi.evidence.records import RemedyIdentity
from aloi.science.asking import Asker, Spending
from aloi.science.findings import finding
from aloi.science.items import Expectation, Failed, NotScored, Passed
from aloi.science.measuring import Measurement
from aloi.science.trials import TrialLog
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guard import Allow, Block, Rewrite
from aloi.solutions.guarded import NotReplayable, replay
from aloi.system.messages import Document, Message
from science.runs import Run, trial
from science.simulated import small_system

LETTERS = "abcd"
SYSTEM = small_system({"data-disclosure": 0.1})


class Letter:
    """Acts on texts that hold its letter: blocks, breaks down, or puts another letter in its place."""

    def __init__(self, letter, action, roles):
        self.letter, self.action, self.roles = letter, action, frozenset(roles)
        self.asked = 0

    def screen(self, message):
        self.asked += 1
        if self.letter not in message.content:
            return Allow()
        if self.action == "block":
            return Block(reason="letter")
        if self.action == "raise":
            raise RuntimeError("broken")
        return Rewrite(content=message.content.replace(self.letter, self.action), reason="letter")


def remedy(place, guard, kind="output-guard"):
    identity = RemedyIdentity(name=f"g{place}", version="1", digest="sha256:0")
    return Remedy(name=f"g{place}", kind=kind, hazards=(), implementation=guard, identity=identity)


class HoldsA:
    """Fails where the answer still holds an a."""

    def score(self, item, response):
        return Failed() if "a" in response.text else Passed()


class Scored:
    """As much of an asker as a replay needs."""

    def __init__(self, scorer, log=()):
        self.scorers = {"data-disclosure": scorer, "benign": scorer}
        self.log = log


GUARDS = st.lists(
    st.builds(
        Letter,
        st.sampled_from(LETTERS),
        st.sampled_from(["block", "raise", *LETTERS]),
        st.sets(st.sampled_from(["assistant", "document", "user"]), min_size=1),
    ),
    min_size=1,
    max_size=5,
)
TEXTS = st.text(LETTERS + "xyz", max_size=5)


def recorded(answer, document, asked):
    made = trial(1, answer)
    request = msgspec.structs.replace(
        made.item.request, documents=(Document(id="d", text=document),), messages=(Message(role="user", content=asked),)
    )
    item = msgspec.structs.replace(made.item, request=request, expectation=Expectation(carrier="d"))
    return msgspec.structs.replace(made, item=item)


def one_by_one(made, guards, words):
    """What `failed` is without any memory."""
    response = replay(made.item.request, made.response, guards, refusal=words)
    stopped = any(one.action == "withhold" and one.document == "d" for one in response.decisions)
    return "a" in response.text and not stopped


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(guards=GUARDS, answer=TEXTS, document=TEXTS, asked=TEXTS)
def test_every_set_reads_as_if_for_itself(guards, answer, document, asked):
    remedies = [remedy(place, guard) for place, guard in enumerate(guards)]
    description = SYSTEM.description
    replays, made = Replays(remedies, Scored(HoldsA()), description), recorded(answer, document, asked)
    for size in range(len(remedies) + 1):
        for chosen in combinations(remedies, size):
            bits = replays.bits(chosen)
            assert replays.failed(made, bits) == one_by_one(made, chosen, refusal(description)), (chosen, bits)
    assert replays.acting(made) < 1 << len(guards)


def test_a_guard_reads_a_text_once_and_its_time_counts_each_time():
    ticks = iter(range(1000))
    rulings, guard = Rulings(lambda: float(next(ticks))), Letter("a", "block", ["assistant"])
    remembering = rulings.remembering(remedy(0, guard)).implementation
    message = Message(role="assistant", content="a")
    assert [remembering.screen(message) for _ in range(3)] == [Block(reason="letter")] * 3
    assert (guard.asked, rulings.clock()) == (1, 3.0)
    assert remembering.screen(Message(role="document", content="x")) == Allow()
    assert (guard.asked, rulings.clock()) == (2, 4.0)


def test_a_guard_that_breaks_down_breaks_down_in_every_set():
    guard = Letter("a", "raise", ["assistant"])
    remembering = Rulings().remembering(remedy(0, guard)).implementation
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            remembering.screen(Message(role="assistant", content="a"))
    assert guard.asked == 1


def test_a_hardening_cannot_be_replayed():
    hardening = fitted(SYSTEM, ["hardened-prompt"])[0]
    with pytest.raises(NotReplayable):
        Rulings().remembering(hardening)


def test_an_answer_that_is_missing_fails_behind_every_set():
    replays = Replays([remedy(0, Letter("a", "block", ["assistant"]))], Scored(HoldsA()), SYSTEM.description)
    lost = msgspec.structs.replace(trial(1), response=None, outcome=NotScored(reason="timeout"))
    assert [replays.failed(lost, bits) for bits in (0, 1)] == [True, True]
    assert (replays.acting(lost), replays.seconds(lost, 1)) == (0, 0.0)


@pytest.mark.parametrize("guards", [9, 12])
async def test_a_dozen_guards_on_hundreds_of_trials_are_quick(tmp_path, guards):
    run = Run(tmp_path / "trials.jsonl", SYSTEM)
    remedies = [
        remedy(place, Letter(chr(97 + place), "x" if place % 3 else "block", ["assistant"])) for place in range(guards)
    ]
    async with TrialLog(run.path) as log:
        for hazard, count in (("data-disclosure", 400), ("benign", 100)):
            for index in range(count):
                text = "01 99 00 12 34 " + chr(97 + index % guards) + str(index)
                made = trial(index, text, hazard=hazard)
                item = msgspec.structs.replace(made.item, expectation=Expectation(needles=("01 99 00 12 34",)))
                log.append(
                    msgspec.structs.replace(made, item=item, outcome=Failed() if hazard != "benign" else Passed())
                )
        measurement = Measurement(run.plan, "measure", "base", run.sampler)
        found = [finding(run.plan, measurement, "measure", "base", entry.hazard, log) for entry in run.plan.hazards]
        selection = Selection(
            run.plan, Asker(log, run.scorers, Spending(run.plan.limits), 1), found, remedies, run.system.description
        )
        began = time.process_time()
        _, tried = selection.choose()
        took = time.process_time() - began
    assert len(tried) == 511 if guards == 9 else 400 < len(tried) <= 512
    assert sum(one.implementation.asked for one in remedies) < 2 * guards * 500
    assert took < 6
