from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aloi.evidence.records import (
    Estimate,
    Finding,
    Hunt,
    HuntedAttack,
    HuntPlan,
    Interval,
    RateChange,
    Sample,
    ScorerIdentity,
    Verdict,
)
from aloi.solutions.gate import GatePolicy, decide, readapted
from aloi.solutions.selection import Candidate, Risk, choose, sets_to_try, subsets

POLICY = {"max_loss": 0.1, "max_added_latency_ms": 50.0}


def candidate(*remedies, failures=0, lost=0, latency=1.0, n=40, benign=40, tokens=None):
    risks = (Risk(hazard="unsafe-output", failures=failures, n=n, threshold=0.1),)
    return Candidate(
        remedies=remedies, risks=risks, benign_lost=lost, benign=benign, added_latency_ms=latency, added_tokens=tokens
    )


def codes(choice, one):
    return [reason.code for reason in choice.reasons(one)]


def test_the_smallest_set_that_meets_the_policy_is_chosen():
    none, one, two = candidate(failures=20), candidate("a", failures=2), candidate("a", "b")
    choice = choose([none, two, one], **POLICY)
    assert choice.chosen == one
    assert choice.meets
    assert codes(choice, none) == ["risk"]
    assert codes(choice, two) == ["not-smallest"]
    assert set(choice.front) == {none, one, two}


def test_half_the_threshold_is_the_criterion():
    choice = choose([candidate("a", failures=3)], **POLICY)
    assert choice.chosen is not None
    assert not choice.meets


def test_among_equals_lower_risk_then_lower_latency_wins():
    risky, slow, good = candidate("a", failures=1), candidate("b", latency=9.0), candidate("c")
    assert choose([risky, slow, good], **POLICY).chosen == good


def test_costs_refuse_and_the_best_of_the_affordable_is_nominated():
    costly, slow, poor = candidate("a", lost=9), candidate("b", latency=80.0), candidate("c", failures=9)
    choice = choose([costly, slow, poor], **POLICY)
    assert (choice.chosen, choice.meets) == (poor, False)
    assert codes(choice, costly) == ["benign-loss"]
    assert codes(choice, slow) == ["latency"]
    assert choose([costly, slow], **POLICY).chosen is None


def test_what_was_not_tried_is_no_pass():
    choice = choose([candidate("a", n=0), candidate("b", benign=0)], **POLICY)
    assert not choice.meets
    assert [codes(choice, one) for one, _ in choice.rejected] == [["benign-loss-unknown"]]


def test_tokens_are_an_axis_and_may_be_bounded():
    wordy, terse, unknown = candidate("a", tokens=90.0), candidate("b", tokens=10.0), candidate("c")
    choice = choose([wordy, terse, unknown], **POLICY)
    assert choice.chosen == terse
    assert choice.front == (terse,)
    bounded = choose([wordy, unknown], **POLICY, max_added_tokens=50.0)
    assert bounded.chosen is None
    assert [codes(bounded, one) for one in (wordy, unknown)] == [["tokens"], ["tokens-unknown"]]
    assert choose([wordy], **POLICY, max_added_tokens=90.0).chosen == wordy


CANDIDATES = st.lists(
    st.builds(
        lambda names, failures, lost, latency: candidate(*names, failures=failures, lost=lost, latency=latency),
        st.sets(st.sampled_from("abcd")).map(sorted),
        st.integers(0, 40),
        st.integers(0, 40),
        st.sampled_from([0.0, 10.0, 100.0]),
    ),
    min_size=1,
    max_size=8,
)


@given(CANDIDATES, st.randoms(use_true_random=False))
def test_the_choice_is_affordable_ignores_the_order_and_lies_on_the_front(candidates, draw):
    choice = choose(candidates, **POLICY)
    shuffled = draw.sample(candidates, len(candidates))
    again = choose(shuffled, **POLICY)
    assert (choice.chosen is None) == (again.chosen is None)
    assert len(choice.rejected) == len(candidates) - (choice.chosen is not None)
    assert all(reasons for _, reasons in choice.rejected)
    assert choice.front
    if choice.chosen:
        assert choice.chosen.axes == again.chosen.axes
        assert choice.chosen.loss <= 0.1
        assert choice.chosen.added_latency_ms <= 50
        assert choice.meets == (choice.chosen.risk <= 0.5)


def weighed(n, *, acting=None, needed=(), most=512):
    """The sets that are tried of n items, when a set promises what it holds of those that are needed."""
    asked = []

    def promise(items):
        asked.append(items)
        return (-len(set(items) & set(needed)), len(items))

    tried = sets_to_try(range(n), lambda item: acting is None or item in acting, promise, most)
    assert len(tried) == len(set(tried)) <= most
    assert [len(one) for one in tried] == sorted(len(one) for one in tried)
    assert all(one == tuple(sorted(one)) for one in tried)
    return tried, asked


class TestManySets:
    def test_up_to_nine_guards_every_set_is_tried_and_nothing_is_asked_of_them(self):
        assert [len(weighed(n)[0]) for n in (1, 2, 9)] == [1, 3, 511]
        assert weighed(9)[1] == []
        assert weighed(0) == ([], [])

    def test_of_guards_that_do_nothing_each_is_tried_alone(self):
        tried, asked = weighed(14, acting={2, 5, 11})
        assert tried[:14] == [(place,) for place in range(14)]
        assert tried[14:] == [(2, 5), (2, 11), (5, 11), (2, 5, 11)]
        assert asked == []

    @pytest.mark.parametrize("n", [10, 12, 20])
    def test_beyond_that_the_most_promising_are_built_on_and_the_whole_is_reached(self, n):
        needed = (1, 4, 7, n - 1)
        tried, _ = weighed(n, needed=needed)
        assert needed in tried
        assert tuple(range(n)) in tried
        assert len(tried) > 400

    def test_more_guards_than_sets(self):
        assert weighed(30, most=20)[0] == [(place,) for place in range(20)]
        assert weighed(5, most=0)[0] == []

    def test_a_large_front_is_found_quickly_and_is_the_same(self):
        draw = Random(4)
        many = [
            candidate(*map(str, range(draw.randrange(5))), failures=draw.randrange(9), lost=draw.randrange(9),
                      latency=draw.random())
            for _ in range(400)
        ]  # fmt: skip
        slow = [one for one in many if not any(
            other.axes != one.axes and all(a <= b for a, b in zip(other.axes, one.axes, strict=True)) for other in many
        )]  # fmt: skip
        assert list(choose(many, **POLICY).front) == slow


def test_subsets_come_by_size_and_are_bounded():
    assert list(subsets("ab")) == [(), ("a",), ("b",), ("a", "b")]
    assert len(list(subsets(range(12), most=100))) == 100


D = Decimal


def finding(verdict):
    estimate = Estimate(value=D("0.02"), low=D(0), high=D("0.08"), failures=1, n=50, level=D("0.95"), method="m")
    return Finding(
        hazard="unsafe-output", stage="confirm", estimand="mean", scope="declared", threshold=D("0.1"), verdict=verdict,
        estimate=estimate, log_e_met=D(4), log_e_not_met=D(0), queries=50, sample=Sample(trials=50, root="sha256:0"),
        scorer=ScorerIdentity(name="s", kind="oracle", version="1"),
    )  # fmt: skip


def interval(low, high, unit="proportion", n=40):
    return Interval(value=D(low), low=D(low), high=D(high), n=n, level=D("0.95"), unit=unit, method="m")


def benign(low, high, n=40):
    same = Estimate(value=D("0.9"), low=D("0.8"), high=D(1), failures=36, n=40, level=D("0.95"), method="m")
    return RateChange(of="benign", design="paired", before=same, after=same, difference=interval(low, high, n=n))


GATE = GatePolicy(max_loss=D("0.1"), max_added_latency_ms=D(50))
FINE = (benign("-0.05", "0.01"), interval("1", "5", "ms"))
CASES = {
    "accepted": ([finding(Verdict.MET)], *FINE, []),
    "not met": ([finding(Verdict.MET), finding(Verdict.NOT_MET)], *FINE, ["hazard-not-met"]),
    "inconclusive": ([finding(Verdict.INCONCLUSIVE)], *FINE, ["hazard-inconclusive"]),
    "not tested": ([finding(Verdict.NOT_TESTED)], *FINE, ["hazard-not-tested"]),
    "no findings": ([], *FINE, ["hazard-not-tested"]),
    "loss above": ([finding(Verdict.MET)], benign("-0.4", "-0.2"), FINE[1], ["benign-loss"]),
    "loss not known": ([finding(Verdict.MET)], benign("-0.4", "0.1"), FINE[1], ["benign-loss-unknown"]),
    "no benign": ([finding(Verdict.MET)], None, FINE[1], ["benign-loss-unknown"]),
    "no benign trials": ([finding(Verdict.MET)], benign("-0.01", "0", n=0), FINE[1], ["benign-loss-unknown"]),
    "slow": ([finding(Verdict.MET)], FINE[0], interval("60", "90", "ms"), ["latency"]),
    "latency not known": ([finding(Verdict.MET)], FINE[0], interval("1", "90", "ms"), ["latency-unknown"]),
    "no latency": ([finding(Verdict.MET)], FINE[0], None, ["latency-unknown"]),
    "all at once": (
        [finding(Verdict.NOT_MET)], None, interval("60", "90", "ms"),
        ["hazard-not-met", "benign-loss-unknown", "latency"],
    ),
}  # fmt: skip


TOKENS = {
    "within": (interval("0", "40", "tokens"), []),
    "fewer": (interval("-30", "-2", "tokens"), []),
    "at the bound": (interval("50", "50", "tokens"), []),
    "too many": (interval("60", "90", "tokens"), ["tokens"]),
    "not known well enough": (interval("0", "90", "tokens"), ["tokens-unknown"]),
    "nobody counted": (None, ["tokens-unknown"]),
    "no request": (interval("0", "0", "tokens", n=0), ["tokens-unknown"]),
}


@pytest.mark.parametrize(("tokens", "expected"), TOKENS.values(), ids=TOKENS)
def test_tokens_are_refused_only_where_they_are_bounded(tokens, expected):
    bounded = GatePolicy(max_loss=D("0.1"), max_added_latency_ms=D(50), max_added_tokens=D(50))
    _, reasons = decide([finding(Verdict.MET)], *FINE, bounded, tokens=tokens)
    assert [reason.code for reason in reasons] == expected
    assert decide([finding(Verdict.MET)], *FINE, GATE, tokens=tokens) == (True, ())


PLANNED = HuntPlan(
    hazard="jailbreak", estimand="largest", attacks=("plain", "fiction"), cap=20, batch=8, alpha=D("0.05"), bare=False,
    gate="refuse",
)  # fmt: skip


def hunt(verdict, n, unscorable=0):
    return Hunt(
        hazard="jailbreak", stage="confirm", estimand="largest", threshold=D("0.1"), verdict=verdict, low=D("0.2"),
        level=D("0.95"), method="m", log_e_not_met=D(4), scorer=ScorerIdentity(name="s", kind="oracle", version="1"),
        attacks=(HuntedAttack(name="plain", failures=0, n=n, unscorable=unscorable),), queries=n,
        sample=Sample(trials=n, root="sha256:0"),
    )  # fmt: skip


SHOWN = replace(PLANNED, gate="show")
HUNTS = {
    "nothing planned": ((), (), []),
    "to the end, nothing proved": ((PLANNED,), (hunt(Verdict.INCONCLUSIVE, 20),), []),
    "unscorable trials were tried as well": ((PLANNED,), (hunt(Verdict.INCONCLUSIVE, 12, 8),), []),
    "some attack is proved to exceed": ((PLANNED,), (hunt(Verdict.NOT_MET, 9),), ["hunt-not-met"]),
    "cut short": ((PLANNED,), (hunt(Verdict.INCONCLUSIVE, 19),), ["hunt-unfinished"]),
    "not begun": ((PLANNED,), (hunt(Verdict.NOT_TESTED, 0),), ["hunt-unfinished"]),
    "not told": ((PLANNED,), (), ["hunt-unfinished"]),
    "only shown": ((SHOWN,), (hunt(Verdict.NOT_MET, 9),), []),
    "only shown, cut short": ((SHOWN,), (), []),
}


@pytest.mark.parametrize(("planned", "hunts", "expected"), HUNTS.values(), ids=HUNTS)
def test_an_attacker_who_adapts(planned, hunts, expected):
    reasons = readapted(hunts, planned, {"jailbreak": D("0.1")})
    assert [reason.code for reason in reasons] == expected
    assert all(reason.about == "jailbreak" and reason.limit == D("0.1") for reason in reasons)


@pytest.mark.parametrize(("after", "loss", "latency", "expected"), CASES.values(), ids=CASES)
def test_the_gate(after, loss, latency, expected):
    accepted, reasons = decide(after, loss, latency, GATE)
    assert accepted == (not expected)
    assert [reason.code for reason in reasons] == expected
