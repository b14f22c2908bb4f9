"""Where each hazard stands: as planned, as measured on the bare system, as confirmed behind the remedies."""

from decimal import Decimal

from msgspec import Struct

from aloi.assurance.story import Story
from aloi.evidence.records import Counted, Estimate, Finding, RateChange, Verdict


class Outcome(Struct, frozen=True, kw_only=True):
    """One hazard through the whole loop."""

    hazard: str
    title: str
    threshold: Decimal
    measured: Finding | None
    confirmed: Finding | None
    change: RateChange | None

    @property
    def before(self) -> Estimate | None:
        """The bare system's rate: on the same items as `after` where there is one."""
        if self.change:
            return self.change.before
        return self.measured.estimate if self.measured else None

    @property
    def after(self) -> Estimate | None:
        """The rate behind the remedies, accepted or not."""
        if self.change:
            return self.change.after
        return self.confirmed.estimate if self.confirmed else None

    @property
    def verdict_before(self) -> Verdict:
        """The verdict on the bare system."""
        return self.measured.verdict if self.measured else Verdict.NOT_TESTED

    @property
    def verdict_after(self) -> Verdict | None:
        """The verdict behind the remedies; None where nothing was confirmed for this hazard."""
        return self.confirmed.verdict if self.confirmed else None


def outcomes(story: Story, titles: dict[str, str]) -> tuple[Outcome, ...]:
    """Every hazard of the plan in its order, then any that only a finding names."""
    thresholds = {one.hazard: one.threshold for one in story.findings}
    thresholds |= {one.hazard: one.threshold for one in story.plan.hazards}
    found = {(finding.hazard, finding.stage): finding for finding in story.findings}
    changes = {change.of: change for change in story.effect.changes} if story.effect else {}
    return tuple(
        Outcome(
            hazard=hazard,
            title=titles[hazard],
            threshold=thresholds[hazard],
            measured=found.get((hazard, "measure")),
            confirmed=found.get((hazard, "confirm")),
            change=changes.get(hazard),
        )
        for hazard in hazards(story)
    )


def hazards(story: Story) -> tuple[str, ...]:
    """The hazards that are planned or found, each once, the plan's order first."""
    named = [plan.hazard for plan in story.plan.hazards]
    named += [finding.hazard for finding in story.findings]
    return tuple(dict.fromkeys(named))


def counted(story: Story, hazard: str) -> Counted:
    """What the rates of a hazard are rates of: judge-rated failures as soon as one of them is."""
    told = [one.counts for one in story.findings if one.hazard == hazard]
    told += [change.counts for change in (story.effect.changes if story.effect else ()) if change.of == hazard]
    return "judge-rated failures" if "judge-rated failures" in told else "failures"
