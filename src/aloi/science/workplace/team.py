"""What outlives a conversation: notes for later, and work handed over to another agent."""

from typing import Any

from aloi.science.workplace.office import Office


def remember(office: Office, given: dict[str, Any]) -> str:
    """Keep a note for later conversations."""
    office.notes.append(given["text"])
    office.did("noted", text=given["text"])
    return "Noted."


def recall(office: Office, _: dict[str, Any]) -> str:
    """Every note that was kept."""
    office.did("recalled")
    return "\n".join(f"- {note}" for note in office.notes) or "There is no note."


def hand_over(office: Office, given: dict[str, Any]) -> str:
    """Give work to another agent of the house."""
    office.handovers.append(f"For {given['agent']}: {given['text']}")
    office.did("handed", given["agent"], to=(given["agent"],), text=given["text"])
    return f"{given['agent']} will find it."


def read_handovers(office: Office, _: dict[str, Any]) -> str:
    """The work that was handed over."""
    office.did("read", "handovers")
    return "\n\n".join(office.handovers) or "Nothing was handed over."
