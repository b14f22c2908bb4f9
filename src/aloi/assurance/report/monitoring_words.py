"""What the codes of monitoring mean, and its sentences, for terminal and page."""

from collections.abc import Mapping
from types import MappingProxyType

from aloi.evidence.monitoring import RateShift
from aloi.translation import N_

Words = Mapping[str, str]

ROLES: Words = MappingProxyType(
    {
        "system": N_("system prompt"),
        "user": N_("request"),
        "assistant": N_("answer"),
        "document": N_("document"),
        "tool": N_("result of a tool"),
        "call": N_("tool call"),
    }
)
ACTIONS: Words = MappingProxyType(
    {
        "block": N_("block"),
        "rewrite": N_("rewriting"),
        "withhold": N_("withholding"),
        "approve": N_("approval by a person"),
    }
)
UNSAID: Words = MappingProxyType(
    {
        "hazard-rates": N_("how often the system fails on any hazard: nobody judged what was answered"),
        "texts": N_("what was asked and answered: the record keeps no texts"),
        "false-alarms": N_("how many blocks were false alarms: no block was labelled"),
        "misses": N_("how much harm was let pass: no sample was labelled"),
        "shift": N_(
            "whether the share of blocks has changed: the first period ends with {blocks} blocks or {exchanges} "
            "exchanges"
        ),
        "removed": N_("what happened before the first line: the oldest files of the record were removed for space"),
        "uncounted": N_(
            "all that a process did that was ended in the middle: its last decisions are known, not among how many"
        ),
        "missed": N_("all that was to be sampled: some samples could not be written"),
    }
)


def watch_sentence(shift: RateShift) -> str:
    """What the watch says, over `low`, `high`, `alpha`, `began`, `ended`, `share`, and `rang` where it rang."""
    if shift.rang_at is None:
        return N_(
            "No alarm: behind the guards, the share of blocked exchanges is not shown to have left {low} to {high}, "
            "where the reference puts it. That is no proof that it has not."
        )
    if shift.towards == "higher":
        return N_(
            "Alarm of {rang}: more exchanges are blocked than the reference explains ({low} to {high}). Look for an "
            "attack, for other users, or for a guard that errs."
        )
    return N_(
        "Alarm of {rang}: fewer exchanges are blocked than the reference explains ({low} to {high}). Look for an "
        "attack that gets past the guards, for other users, or for a guard that no longer acts."
    )


def reference_sentence(shift: RateShift) -> str:
    """What it is compared with, over `blocked`, `screened`, `began` and `ended`."""
    if shift.reference.statement is None:
        return N_("Reference: the first period, {blocked} of {screened} exchanges blocked, {began} to {ended}.")
    return N_("Reference: an earlier statement, {blocked} of {screened} exchanges blocked, {began} to {ended}.")
