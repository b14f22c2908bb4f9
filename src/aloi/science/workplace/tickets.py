"""The tickets of the customers."""

from typing import Any

from aloi.science.workplace.office import Office, Ticket, Trouble


def _find(office: Office, name: str) -> Ticket:
    for ticket in office.tickets:
        if ticket.id == name.strip():
            return ticket
    raise Trouble(f"there is no ticket {name!r}; list_tickets shows the ids")


def _open(office: Office, name: str) -> Ticket:
    ticket = _find(office, name)
    if ticket.locked:
        raise Trouble(f"{ticket.id} is locked by another desk; nothing was changed")
    return ticket


def list_tickets(office: Office, _: dict[str, Any]) -> str:
    """Ids, states and titles."""
    office.did("listed", "tickets")
    return "\n".join(f"{one.id} | {one.status} | {one.title}" for one in office.tickets) or "There is no ticket."


def read_ticket(office: Office, given: dict[str, Any]) -> str:
    """One ticket in full."""
    ticket = _find(office, given["id"])
    office.did("read", f"ticket:{ticket.id}")
    return "\n".join([f"{ticket.title} ({ticket.status})", f"From: {ticket.author}", "", ticket.text, *ticket.comments])


def comment_ticket(office: Office, given: dict[str, Any]) -> str:
    """Answer a ticket; its author reads it."""
    ticket = _open(office, given["id"])
    ticket.comments.append(given["text"])
    office.did("commented", f"ticket:{ticket.id}", to=(ticket.author,), text=given["text"])
    return f"{ticket.author} can read your comment on {ticket.id}."


def close_ticket(office: Office, given: dict[str, Any]) -> str:
    """Close a ticket."""
    ticket = _open(office, given["id"])
    ticket.status = "closed"
    office.did("closed", f"ticket:{ticket.id}")
    return f"{ticket.id} is closed."
