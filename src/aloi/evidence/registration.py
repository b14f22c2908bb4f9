"""Which results were planned in the open, how long before, and which plans no finding ever followed."""

from typing import Literal

import msgspec

from aloi.evidence.loggedstatements import LoggedStatement
from aloi.evidence.records import BenignRate, Effect, Finding, Hunt, Plan
from aloi.evidence.voices import Voices

Result = Finding | Hunt | BenignRate | Effect


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a result's plan was logged 'before' it or 'after', by the same party, or is 'unknown' here.

    `plan` is its envelope, `seconds` the time from the plan's logging to the result's.
    """

    order: Literal["before", "after", "unknown"]
    plan: str = ""
    seconds: int | None = None


class PlanStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was registered: the hazards of which its party never logged a finding under it, and its results."""

    envelope: str
    missing: tuple[str, ...]
    results: tuple[str, ...]

    @property
    def followed(self) -> bool:
        """Whether any finding followed."""
        return bool(self.results)


class Registrations:
    """The plans of a log with what followed them. A stranger's result under another's plan follows nothing."""

    def __init__(self, voices: Voices) -> None:
        self._voices = voices
        self._plans: dict[str, list[LoggedStatement]] = {}
        self._results: dict[str, list[LoggedStatement]] = {}
        for each in voices.statements.values():
            if isinstance(each.record, Plan):
                self._plans.setdefault(each.statement, []).append(each)
            elif isinstance(each.record, Result) and each.plan is not None:
                self._results.setdefault(each.plan, []).append(each)

    def of(self, said: LoggedStatement) -> Registration | None:
        """How a result was registered; None for what is no result."""
        if not isinstance(said.record, Result):
            return None
        plan = next((plan for plan in self._plans.get(said.plan or "", ()) if self._same_party(said, plan)), None)
        if plan is None:
            return Registration(order="unknown")
        order: Literal["before", "after"] = "before" if plan.index < said.index else "after"
        return Registration(order=order, plan=plan.envelope, seconds=said.time - plan.time)

    def plans(self) -> tuple[PlanStatus, ...]:
        """Each plan, in the order of the log."""
        plans = sorted((plan for copies in self._plans.values() for plan in copies), key=lambda one: one.index)
        return tuple(self._status(plan, plan.record) for plan in plans if isinstance(plan.record, Plan))

    def _status(self, plan: LoggedStatement, record: Plan) -> PlanStatus:
        results = [each for each in self._results.get(plan.statement, ()) if self._same_party(each, plan)]
        found = {each.record.hazard for each in results if isinstance(each.record, Finding)}
        return PlanStatus(
            envelope=plan.envelope,
            missing=tuple(each.hazard for each in record.hazards if each.hazard not in found),
            results=tuple(each.envelope for each in results),
        )

    def _same_party(self, one: LoggedStatement, other: LoggedStatement) -> bool:
        return bool(self._voices.of(one).parties & self._voices.of(other).parties)
