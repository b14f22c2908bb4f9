"""For each gap in a coverage, the cheapest next piece of evidence."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal

from msgspec import Struct

from aloi.evidence.records import Coverage
from aloi.standards.frameworks import Framework
from aloi.standards.hub import Control, Hub, Proof
from aloi.standards.hub import hub as shipped_hub
from aloi.standards.judging import EvidenceItem, Judgement, judge
from aloi.standards.pack import Requirement
from aloi.translation import N_

Action = Literal["plan", "measure", "remedy", "artefact", "document", "process", "endorse"]


class NextStep(Struct, frozen=True, kw_only=True):
    """One thing to do for one requirement. `message` is a template over `about`, `options` and `requirement`.

    `about` is a hazard for 'measure' and 'remedy', else a control, or the requirement itself where no control reaches
    it. `options` are remedies that serve the hazard. `cost` orders steps: lower is cheaper.
    """

    requirement: str
    action: Action
    about: str
    options: tuple[str, ...] = ()
    message: str
    cost: int

    @property
    def facts(self) -> dict[str, str]:
        """The facts of `message`."""
        options = ", ".join(self.options)
        return {"about": self.about, "options": options, "requirement": self.requirement}


# From what a machine does in minutes to what an organisation does in weeks. A judge costs a calibration first.
_COSTS = ("plan", "exact", "statistic", "judge", "remedy", "endorse", "artefact", "document", "process")

_WRITTEN: dict[Proof, tuple[Action, str]] = {
    "artefact": ("artefact", N_("attach the artefact that shows {about}")),
    "document": ("document", N_("write and attach the document on {about}")),
    "process": ("process", N_("attach the record of the process for {about}")),
}
_ASKED: dict[str, tuple[Action, str]] = {
    "measurement": ("document", N_("no control of Aloi measures {requirement} yet: attach your own measurement")),
    "artefact": ("artefact", N_("attach an artefact that answers {requirement}")),
    "document": ("document", N_("write and attach a document that answers {requirement}")),
    "process": ("process", N_("attach the record of a process that answers {requirement}")),
}


def next_evidence(
    coverage: Coverage,
    framework: Framework,
    evidence: Iterable[EvidenceItem],
    *,
    hub: Hub | None = None,
    today: date | None = None,
) -> tuple[NextStep, ...]:
    """The cheapest next step of every requirement that is not proven, cheapest first, then in the pack's order.

    A hazard with a verdict 'not met' is remedied before anything else is done for its requirement, since no further
    evidence would help. Where all controls are supported and the requirement is still partial, what remains is the
    part that no control reaches: the requirement's own first kind of written evidence.
    """
    hub = hub or shipped_hub()
    judgements = judge(hub, evidence, today=today)
    requirements = {requirement.id: requirement for requirement in framework.pack.requirements}
    steps = []
    for item in coverage.requirements:
        if item.state == "proven":
            continue
        if item.state == "proposed mapping only":
            message = N_("have the mapping of {about} to {requirement} endorsed")
            steps.append(_step(item.requirement, "endorse", ", ".join(item.controls), message, "endorse"))
            continue
        found = list(_steps(requirements[item.requirement], item.controls, hub, judgements))
        urgent = [step for step in found if step.action == "remedy" and item.state == "not met"]
        steps.append(min(urgent or found, key=lambda step: step.cost))
    return tuple(sorted(steps, key=lambda step: step.cost))


def _step(
    requirement: str, action: Action, about: str, message: str, cost: str, options: tuple[str, ...] = ()
) -> NextStep:
    return NextStep(
        requirement=requirement,
        action=action,
        about=about,
        options=options,
        message=message,
        cost=_COSTS.index(cost),
    )


def _steps(
    requirement: Requirement, controls: Iterable[str], hub: Hub, judgements: dict[str, Judgement]
) -> Iterator[NextStep]:
    found = [step for name in controls for step in _for_control(requirement, hub.control(name), hub, judgements[name])]
    yield from found
    if not found:
        # A partial requirement waits for words or records, whatever else it takes.
        written = [kind for kind in requirement.takes if kind != "measurement"] if list(controls) else requirement.takes
        action, message = _ASKED[written[0] if written else "document"]
        yield _step(requirement.id, action, requirement.id, message, action)


def _for_control(requirement: Requirement, control: Control, hub: Hub, judgement: Judgement) -> Iterator[NextStep]:
    if judgement.state == "supported":
        return
    if control.proof in _WRITTEN:
        action, message = _WRITTEN[control.proof]
        if judgement.evidence:
            message = N_("have what is attached for {about} judged by somebody who may: nothing in it was read")
        yield _step(requirement.id, action, control.id, message, action)
    elif control.proof == "findings":
        yield from _for_hazards(requirement, hub, judgement)
    elif control.proof == "effect":
        message = N_("apply a remedy and confirm what it bought and what it broke")
        yield _step(requirement.id, "remedy", control.id, message, "remedy", hub.remedies_of(control))
    else:
        message = N_("register a plan, then measure at the thresholds it sets")
        yield _step(requirement.id, "plan", control.id, message, "plan")


def _for_hazards(requirement: Requirement, hub: Hub, judgement: Judgement) -> Iterator[NextStep]:
    for hazard in judgement.failed:
        options = hub.hazard(hazard).remedies
        message = N_("lower {about} with a remedy, then confirm")
        if not options:
            message = N_("lower {about} by a change of the system, then measure it again")
        yield _step(requirement.id, "remedy", hazard, message, "remedy", options)
    for hazard in judgement.undecided:
        message = N_("measure {about} again with more trials or a calibrated judge")
        yield _step(requirement.id, "measure", hazard, message, hub.hazard(hazard).scorer)
    for hazard in judgement.missing:
        known = hub.hazard(hazard)
        message = N_("measure {about}") if known.probed else N_("measure {about} with a probe of your own: none ships")
        yield _step(requirement.id, "measure", hazard, message, known.scorer if known.probed else "document")
