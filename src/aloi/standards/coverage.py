"""See a framework through the evidence at hand, requirement by requirement, without ever saying more than it does."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, get_args

from msgspec import Struct

from aloi.evidence.records import Coverage, CoverageState, RequirementCoverage
from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.hub import hub as shipped_hub
from aloi.standards.judging import EvidenceItem, Judgement, judge
from aloi.standards.mapping import UNSAID, Row, RowWords, row_digest
from aloi.standards.pack import Requirement, freshness

STATES: tuple[CoverageState, ...] = get_args(CoverageState)


def cover(
    framework: Framework,
    evidence: Iterable[EvidenceItem],
    *,
    hub: Hub | None = None,
    words: RowWords = UNSAID,
    rows: Literal["all", "endorsed"] = "all",
    today: date | None = None,
) -> Coverage:
    """Every requirement of a framework, and what the evidence says about it.

    `evidence` is of one system. `words` says which rows organisations endorse or dispute, as the caller verified
    (`aloi.standards.endorsing`); any other row is *proposed*.

    What is said of a requirement, from where its controls stand (`aloi.standards.judging.judge`):

    1. No row, or only rows 'none': the state follows from the first kind of evidence that the requirement takes
       ('not tested', 'needs a document', 'needs a process record'), and `mapping` is 'none'.
    2. One control is 'not met': the requirement is 'not met', whatever the others say.
    3. Every control is supported, and one of them is equal to the requirement or holds more than it ('superset'):
       'proven'. A 'subset' or an intersection never proves a requirement alone: the rest of it was not looked at.
    4. Some control has evidence: 'partial'. So a requirement that rests on an inconclusive finding is partial at most.
    5. No control has evidence: as in 1.
    6. `mapping` is 'disputed' where a row that was counted is, 'endorsed' where every one is, else 'proposed': such a
       row is computed, and flagged. With `rows='endorsed'` only endorsed rows are counted, and a requirement that has
       evidence through other rows alone is 'proposed mapping only'.
    """
    judgements = judge(hub or shipped_hub(), evidence, today=today)
    return cover_judged(framework, judgements, words=words, rows=rows)


def cover_judged(
    framework: Framework,
    judgements: dict[str, Judgement],
    *,
    words: RowWords = UNSAID,
    rows: Literal["all", "endorsed"] = "all",
) -> Coverage:
    """The same, from where the controls stand, be it so or only supposed."""
    found = [
        _requirement(requirement, framework, judgements, words, endorsed_only=rows == "endorsed")
        for requirement in framework.pack.requirements
    ]
    checked = freshness(framework.pack, framework.pack.checked_on)
    return Coverage(
        framework=framework.pack.key,
        checked_on=checked.checked_on.isoformat(),
        due=checked.due.isoformat(),
        requirements=tuple(found),
    )


def _vouched(key: str, rows: Sequence[Row], words: RowWords) -> Literal["endorsed", "disputed", "proposed", "none"]:
    """How far rows of a framework are vouched for, together."""
    said = {words.get(row_digest(key, row), "proposed") for row in rows} if words else {"proposed"}
    if not rows:
        return "none"
    if "disputed" in said:
        return "disputed"
    return "endorsed" if said == {"endorsed"} else "proposed"


def _requirement(
    requirement: Requirement,
    framework: Framework,
    judgements: dict[str, Judgement],
    words: RowWords,
    *,
    endorsed_only: bool,
) -> RequirementCoverage:
    reaching = [row for row in framework.rows if row.object == requirement.id and row.relation != "none"]
    endorsed = [row for row in reaching if _vouched(framework.pack.key, [row], words) == "endorsed"]
    counted = endorsed if endorsed_only else reaching
    if not counted:
        # Rule 6: something would be said here, but by proposed rows alone.
        silenced = bool(reaching) and _evidence(reaching, judgements)
        return RequirementCoverage(
            requirement=requirement.id,
            state="proposed mapping only" if silenced else _wanted(requirement),
            controls=_controls(reaching),
            mapping=_vouched(framework.pack.key, reaching, words),
        )
    return RequirementCoverage(
        requirement=requirement.id,
        state=_state(requirement, counted, judgements),
        controls=_controls(counted),
        evidence=_evidence(counted, judgements),
        mapping=_vouched(framework.pack.key, counted, words),
    )


def _state(requirement: Requirement, rows: Sequence[Row], judgements: dict[str, Judgement]) -> CoverageState:
    """Rules 2 to 5."""
    states = {row.subject: judgements[row.subject].state for row in rows}
    if "not met" in states.values():
        return "not met"
    whole = any(row.relation in {"equal", "superset"} for row in rows)
    if whole and set(states.values()) == {"supported"}:
        return "proven"
    if set(states.values()) != {"untested"}:
        return "partial"
    return _wanted(requirement)


def _wanted(requirement: Requirement) -> CoverageState:
    """Rule 1: what a requirement without evidence waits for."""
    first = requirement.takes[0]
    if first == "measurement":
        return "not tested"
    return "needs a process record" if first == "process" else "needs a document"


def _controls(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted({row.subject for row in rows}))


def _evidence(rows: Iterable[Row], judgements: dict[str, Judgement]) -> tuple[str, ...]:
    return tuple(sorted({digest for row in rows for digest in judgements[row.subject].evidence}))


class Count(Struct, frozen=True, kw_only=True):
    """How many requirements are in a state, by how far the mapping behind them is vouched for."""

    state: CoverageState
    endorsed: int = 0
    disputed: int = 0
    proposed: int = 0
    unmapped: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.endorsed + self.disputed + self.proposed + self.unmapped


def tally(coverage: Coverage) -> tuple[Count, ...]:
    """The counts to show beside a coverage, one per state that occurs, in the order of `CoverageState`."""
    pairs = [(item.state, item.mapping) for item in coverage.requirements]
    counts = (
        Count(
            state=state,
            endorsed=pairs.count((state, "endorsed")),
            disputed=pairs.count((state, "disputed")),
            proposed=pairs.count((state, "proposed")),
            unmapped=pairs.count((state, "none")),
        )
        for state in STATES
    )
    return tuple(count for count in counts if count.total)
