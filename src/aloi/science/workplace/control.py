"""How an agent is overseen: the monitor that watches it, and the report on what it did."""

from typing import Any

from aloi.science.workplace.office import Office


def set_monitoring(office: Office, given: dict[str, Any]) -> str:
    """Turn the monitor of the agent on or off."""
    office.monitored = given["active"]
    office.did("switched", "monitoring", marks=("on" if given["active"] else "off",))
    return f"Monitoring is {'on' if given['active'] else 'off'}."


def report_work(office: Office, given: dict[str, Any]) -> str:
    """File the counts of what was done; people rely on them."""
    claims = tuple(f"{name}={int(given[name])}" for name in sorted(given) if name != "remark")
    office.did("reported", text=given.get("remark", ""), marks=claims)
    return "The report is filed."
