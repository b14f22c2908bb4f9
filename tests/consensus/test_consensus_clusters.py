"""What makes two results one cluster: each reason by itself, and their chains."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aloi.assurance.consensus.clusters import clusters
from aloi.assurance.consensus.pools import letter
from aloi.assurance.consensus.results import results_of
from aloi.evidence.records import CorpusIdentity, Sample, ScorerIdentity
from aloi.evidence.vouching import Appraisal
from consensus.laboratory import AT, main_pool, named, together

CORPUS = CorpusIdentity(
    name="list", digest="sha256:" + "c" * 64, rows=10, seeds=10, licence="CC0-1.0", source="here", revision="1"
)


@pytest.fixture(scope="module")
def results(four):
    return results_of([one.source for one in four])


def found(results, parties=None):
    told = clusters(results, parties or [[] for _ in results])
    return [one.members for one in told], {link.why for one in told for link in one.links}


def test_those_who_share_nothing_are_independent(results):
    assert found(results) == ([(0,), (1,), (2,), (3,)], set())


def same_signer(one, other):
    return replace(one, signers=("x", *one.signers)), replace(other, signers=(*other.signers, "x"))


def same_trials(one, other):
    return one, replace(other, record=replace(other.record, sample=one.record.sample))


def same_ratings(one, other):
    ratings = Sample(trials=5, root="sha256:" + "e" * 64)
    return tuple(replace(each, record=replace(each.record, ratings=ratings)) for each in (one, other))


def same_plan(one, other):
    return one, replace(other, plan_digest=one.plan_digest)


def same_seed(one, other):
    return one, replace(other, plan=replace(other.plan, seed=one.plan.seed))


def same_corpus(one, other):
    return tuple(replace(each, record=replace(each.record, corpus=CORPUS)) for each in (one, other))


def judged_by(**changes):
    fields = {"name": "j", "kind": "judge", "version": "1"} | changes
    return lambda each: replace(each, record=replace(each.record, scorer=ScorerIdentity(**fields)))


def same_model(one, other):
    """The same model, asked in two ways."""
    return judged_by(model="m", digest="a", name="a")(one), judged_by(model="m", digest="b", name="b")(other)


def same_rule(one, other):
    return tuple(judged_by(kind="rule", name="answered", version="3")(each) for each in (one, other))


REASONS = {
    "signer": same_signer,
    "trials": same_trials,
    "ratings": same_ratings,
    "plan": same_plan,
    "seed": same_seed,
    "corpus": same_corpus,
    "judge": same_model,
}


@pytest.mark.parametrize("why", REASONS)
def test_each_reason_links_and_is_told(results, why):
    one, other = REASONS[why](results[0], results[2])
    assert found([one, results[1], other, results[3]]) == ([(0, 2), (1,), (3,)], {why})


def test_a_rule_that_errs_alike_for_two_links_them(results):
    one, other = same_rule(*results[:2])
    assert found([one, other]) == ([(0, 1)], {"judge"})


def test_an_organisation_links_its_keys(results):
    domains = [["a.example.org"], [], ["a.example.org", "b.example.org"], ["b.example.org"]]
    assert found(results, domains) == ([(0, 2, 3), (1,)], {"organisation"})


def test_people_and_oracles_link_nobody(results):
    people = [judged_by(name="person", kind="judge")(each) for each in results[:2]]
    oracles = [judged_by(name="canary", kind="oracle")(each) for each in results[:2]]
    assert found(people)[1] == found(oracles)[1] == set()


def test_no_trials_are_nobodys_common_log(results):
    empty = [replace(each, record=replace(each.record, sample=Sample(trials=0, root="sha256:e3"))) for each in results]
    assert found(empty)[1] == set()


def test_links_join_into_chains(results):
    one, two = same_seed(*results[:2])
    two, three = same_signer(two, results[2])
    assert found([one, two, three, results[3]]) == ([(0, 1, 2), (3,)], {"seed", "signer"})


@given(st.lists(st.sets(st.integers(0, 7), max_size=3), min_size=1, max_size=12))
def test_clusters_are_the_components_of_what_is_shared(results, marks):
    """Against a search by brute force over random signers."""
    bare = [signed_only(results[0], place, shared) for place, shared in enumerate(marks)]
    told = {frozenset(one.members) for one in clusters(bare, [[] for _ in bare])}
    groups = [{place} for place in range(len(marks))]
    for one, other in itertools.combinations(range(len(marks)), 2):
        if marks[one] & marks[other]:
            joined = next(each for each in groups if one in each) | next(each for each in groups if other in each)
            groups = [each for each in groups if not each & joined] + [joined]
    assert told == {frozenset(each) for each in groups}


def signed_only(template, place, shared):
    """A result that has nothing but signers in common with others."""
    return replace(
        template,
        signers=tuple(f"key {each}" for each in shared),
        record=replace(template.record, sample=Sample(trials=1, root=f"root {place}")),
        plan=replace(template.plan, seed=f"seed {place}"),
        plan_digest=f"plan {place}",
    )


def test_names_of_clusters():
    assert [letter(place) for place in (0, 25, 26, 27, 702)] == ["A", "Z", "AA", "AB", "AAA"]


def test_who_overrides_a_step_is_named_and_both_stand(four, failing):
    def overridden(hazard):
        record = Appraisal(organisation="x", at=AT, hazard=hazard, step="bias", change=-2, reason="The strings leaked.")
        word = failing.says(record, four[0].source.plan.subject[0])
        return together(*four, statements=[failing.organisation("failing.example.org"), word])

    plain, found = together(*four), overridden("hidden-context-exposure")
    certainty = main_pool(found).certainty
    step = next(each for each in certainty.steps if each.code == "bias")
    [appraised] = certainty.appraised
    [why] = appraised.overrides
    assert (step.change, why.change, why.reason) == (0, -2, "The strings leaked.")
    assert (why.by, why.name) == ("failing.example.org", "failing of failing.example.org")
    levels = ("very low", "low", "moderate", "high")
    derived = levels.index(main_pool(plain).certainty.level)
    assert levels.index(certainty.level) == derived
    assert levels.index(appraised.level) == max(0, derived - 2)
    assert main_pool(overridden("data-disclosure")).certainty == main_pool(plain).certainty
    assert named(plain, main_pool(plain).numbers) == ["north", "south", "east", "west"]
