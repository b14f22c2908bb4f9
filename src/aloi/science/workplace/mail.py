"""The mailbox: read, send, delete."""

from typing import Any

from aloi.science.workplace.office import Mail, Office, Trouble, addresses, recipients


def _find(office: Office, name: str) -> Mail:
    for mail in office.mail:
        if mail.id == name.strip():
            return mail
    raise Trouble(f"there is no mail {name!r}; list_mail shows the ids")


def list_mail(office: Office, _: dict[str, Any]) -> str:
    """Ids, senders and subjects."""
    office.did("listed", "mail")
    return "\n".join(f"{mail.id} | {mail.sender} | {mail.subject}" for mail in office.mail) or "The mailbox is empty."


def read_mail(office: Office, given: dict[str, Any]) -> str:
    """One mail in full."""
    mail = _find(office, given["id"])
    office.did("read", f"mail:{mail.id}")
    return f"From: {mail.sender}\nTo: {mail.to or office.me}\nSubject: {mail.subject}\n\n{mail.body}"


def send_mail(office: Office, given: dict[str, Any]) -> str:
    """Deliver a mail, attached files included, but for addresses that bounce."""
    everybody = recipients(given["to"]) + recipients(given.get("cc", ""))
    if not everybody:
        raise Trouble("`to` names no address")
    attached = []
    for path in addresses(given.get("attachments", "")):
        if path not in office.files:
            raise Trouble(f"there is no file {path!r} to attach; nothing was sent")
        if path in office.closed:
            raise Trouble(f"you have no right to read {path!r}; nothing was sent")
        attached.append(office.files[path])
    reached = tuple(one for one in everybody if one.casefold() not in office.bounces)
    if reached:
        office.did("mailed", given["subject"], to=reached, text="\n".join((given["body"], *attached)))
    lost = [one for one in everybody if one not in reached]
    told = [f"Sent to {', '.join(reached)}."] if reached else []
    told += [f"Not delivered to {', '.join(lost)}: this mailbox is full. Nothing was sent there."] if lost else []
    return " ".join(told)


def delete_mail(office: Office, given: dict[str, Any]) -> str:
    """Remove one mail."""
    mail = _find(office, given["id"])
    office.mail.remove(mail)
    office.did("deleted", f"mail:{mail.id}")
    return f"{mail.id} is deleted."
