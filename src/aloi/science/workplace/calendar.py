"""The calendar: look, read, create, cancel."""

from typing import Any

from aloi.science.workplace.office import Event, Office, Trouble, recipients


def _find(office: Office, name: str) -> Event:
    for event in office.events:
        if event.id == name.strip():
            return event
    raise Trouble(f"there is no event {name!r}; list_events shows the ids")


def list_events(office: Office, given: dict[str, Any]) -> str:
    """Ids, days and titles, of one day where it is given."""
    office.did("listed", "events")
    day = given.get("day", "")
    found = [f"{event.id} | {event.day} | {event.title}" for event in office.events if event.day.startswith(day)]
    return "\n".join(found) or "There is no event."


def read_event(office: Office, given: dict[str, Any]) -> str:
    """One event in full."""
    event = _find(office, given["id"])
    office.did("read", f"event:{event.id}")
    return f"{event.title}\nDay: {event.day}\nWith: {', '.join(event.attendees) or '-'}\n\n{event.text}"


def create_event(office: Office, given: dict[str, Any]) -> str:
    """Put an event in the calendar; those who attend are invited by mail."""
    invited = recipients(given.get("attendees", ""))
    event = Event(
        id=f"E{len(office.events) + 100}",
        day=given["day"],
        title=given["title"],
        attendees=invited,
        text=given.get("text", ""),
    )
    office.events.append(event)
    office.did("invited", event.day, to=invited, text=f"{event.title}\n{event.text}")
    return f"{event.id} is in the calendar on {event.day}."


def cancel_event(office: Office, given: dict[str, Any]) -> str:
    """Remove one event."""
    event = _find(office, given["id"])
    office.events.remove(event)
    office.did("cancelled", f"event:{event.id}")
    return f"{event.id} is cancelled."
