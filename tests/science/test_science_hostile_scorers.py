"""Every scorer against every hostile answer and call: the outcome stands in `data/hostile-scorers.yaml`.

Whoever adds a scorer adds a row, whoever thinks of another trick a column; both are asked for by name.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from aloi import plugins
from aloi.evidence.records import PERSON, ScorerIdentity
from aloi.science.agentdojo.scorers import SecurityScorer, UtilityScorer
from aloi.science.items import Expectation, Item
from aloi.science.judging.judge import RuleJudge, subject
from aloi.science.judging.judged import Chain, Judged, Words
from aloi.science.judging.ratings import Awaiting, Labels, Ratings, Waiting
from aloi.science.probe import Scorer, scorer_for
from aloi.system.messages import Message, Request
from science.dojo import toys
from science.hostile import Call, Case, cases, exchange, table, written
from science.talking import OFFICE

TABLE = "hostile-scorers"
DOJO = {"agentdojo-security": SecurityScorer, "agentdojo-utility": UtilityScorer}
# Signs that a fault of a table is a plain mistake of whoever wrote it.
KNOWN = ("passed", "failed: ", "unscorable: ", "n/a: ")


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row: what the scorer expects of an item, the words of its cases, and an outcome for each."""

    words: dict[str, str]
    outcomes: dict[str, str]
    expects: dict[str, Any] = {}
    before: tuple[str, ...] = ()
    office: bool = False
    dojo: dict[str, Any] = {}
    call: Call = Call()
    otherwise: str = ""

    def expected(self, case: str) -> str:
        """The outcome of a case; empty where the case cannot be made."""
        outcome = self.outcomes.get(case, self.otherwise)
        return "" if outcome.startswith("n/a: ") else outcome

    @property
    def works(self) -> bool:
        """Whether it is an agent's row."""
        return self.office or bool(self.dojo)

    def item(self, case: Case) -> Item:
        """The item that is answered."""
        kind = "workplace" if self.office else "agentdojo" if self.dojo else ""
        question = Message(role="user", content=self.words["attack"])
        return Item(
            hazard="h",
            seed="s",
            attack="a",
            language="en",
            request=Request(prompt="Work.", messages=(question,)),
            environment=kind if case.placed else "",
            state=OFFICE if self.office else self.dojo,
            expectation=msgspec.convert(self.expects if case.expects else {}, Expectation),
        )


ROWS = msgspec.convert(table(TABLE)["scorers"], dict[str, Row])
JUDGED = msgspec.convert(table(TABLE)["judged"], dict[str, Row])
CELLS = [(name, case) for name, row in ROWS.items() for case in row.outcomes if row.expected(case)]
JUDGED_CELLS = [(name, case) for name, row in JUDGED.items() for case in cases(TABLE) if row.expected(case)]


def scorer_of(name: str) -> Scorer:
    return DOJO[name](toys) if name in DOJO else scorer_for(name)


@pytest.mark.parametrize(("scorer", "case"), CELLS, ids=[f"{scorer}: {case}" for scorer, case in CELLS])
def test_the_outcome_is_that_of_the_table(scorer, case):
    row, known = ROWS[scorer], cases(TABLE)[case]
    outcome = scorer_of(scorer).score(
        row.item(known), exchange(known, row.words, row.call, row.before, works=row.works)
    )
    assert written(outcome) == row.expected(case)


@pytest.mark.parametrize(("scorer", "case"), JUDGED_CELLS, ids=[f"{scorer}: {case}" for scorer, case in JUDGED_CELLS])
async def test_what_people_and_a_rule_before_them_make_of_it(tmp_path, scorer, case):
    row, known = JUDGED[scorer], cases(TABLE)[case]
    item, response = row.item(known), exchange(known, row.words, row.call)
    rule = scorer.partition(",")[0]
    chain = Chain(judge=PERSON) if rule == PERSON else Chain(judge=rule, escalates_to=PERSON)
    judges = {} if rule == PERSON else {rule: RuleJudge(scorer_for(rule))}
    words = opened(tmp_path)
    with words.ratings, words.labels, words.waiting:
        judged = Judged(ScorerIdentity(name=scorer, kind="judge", version="1"), chain, words, judges=judges)
        await judged.rate(item, response)
        one = Awaiting(subject=subject(item, response), item=item, response=response)
        for i, word in enumerate(known.labels or ()):
            words.labels.write(f"person {i}", one, word)
        assert written(judged.score(item, response)) == row.expected(case)


def opened(folder: Path) -> Words:
    return Words(
        Ratings(folder / "r.jsonl", write=True),
        Labels(folder / "l.jsonl", write=True),
        Waiting(folder / "w.jsonl", write=True),
    )


def test_every_scorer_that_is_installed_has_a_row_and_every_row_a_scorer():
    installed = set(plugins.names("aloi.scorers"))
    assert installed - ROWS.keys() == set(), "scorers without a row in tests/science/data/hostile-scorers.yaml"
    assert ROWS.keys() - installed == set(), "rows of scorers that do not exist"


@pytest.mark.parametrize("scorer", ROWS)
def test_every_row_has_an_outcome_for_every_case(scorer):
    columns = cases(TABLE).keys()
    assert columns - ROWS[scorer].outcomes.keys() == set(), f"{scorer}: cases without an outcome"
    assert ROWS[scorer].outcomes.keys() - columns == set(), f"{scorer}: outcomes of cases that do not exist"


@pytest.mark.parametrize("row", [*ROWS.values(), *JUDGED.values()], ids=[*ROWS, *JUDGED])
def test_a_cell_is_an_outcome_or_says_why_there_is_none(row):
    for case, outcome in row.outcomes.items():
        assert case in cases(TABLE)
        assert outcome == "passed" or any(len(outcome) > len(sign) and outcome.startswith(sign) for sign in KNOWN)
    assert sum(outcome.startswith("n/a: ") for outcome in row.outcomes.values()) <= len(row.outcomes) / 2


@pytest.mark.parametrize("scorer", ROWS)
def test_a_scorer_is_told_from_one_that_always_says_the_same(scorer):
    """A table of one outcome could not tell a scorer from a constant."""
    seen = {outcome.partition(":")[0] for outcome in ROWS[scorer].outcomes.values()} - {"n/a"}
    assert {"passed", "failed"} <= seen
