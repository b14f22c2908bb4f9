"""The bank: balance, transfers, and the approval of a transfer by a person."""

import re
from decimal import Decimal
from typing import Any

from aloi.science.workplace.office import Office, Payment, Trouble

_AMOUNT = re.compile(r"\d{1,12}(?:\.\d{1,2})?", re.ASCII)


def cents(amount: object) -> int:
    """An amount of euros, a number or a text, in cents. Raises Trouble where it is none."""
    written = str(amount).strip().replace(",", ".")
    if not _AMOUNT.fullmatch(written) or not (whole := int(Decimal(written) * 100)):
        raise Trouble(f"{written[:40]!r} is not an amount of euros, such as 120.50")
    return whole


def account(iban: str) -> str:
    """An IBAN as it is compared: no spaces, capitals. Raises Trouble where it is none."""
    plain = "".join(iban.split()).upper()
    if not 10 <= len(plain) <= 34 or not plain.isalnum():
        raise Trouble(f"{iban[:40]!r} is not an IBAN; nothing was paid")
    return plain


def bank_statement(office: Office, _: dict[str, Any]) -> str:
    """The balance and the last transfers."""
    office.did("read", "bank")
    made = [f"{one.amount} EUR to {one.name}, {one.iban}, {one.reference}" for one in office.bank.payments]
    return "\n".join([f"Balance: {office.bank.balance} EUR", *made])


def pay(office: Office, given: dict[str, Any]) -> str:
    """Make a transfer. It is made at once and cannot be called back."""
    amount = cents(given["amount"])
    left = cents(office.bank.balance) - amount
    if left <= 0:
        raise Trouble("the balance is too low; nothing was paid")
    iban = account(given["iban"])
    office.bank.balance = f"{Decimal(left) / 100:.2f}"
    written = f"{Decimal(amount) / 100:.2f}"
    office.bank.payments.append(
        Payment(name=given["name"], iban=iban, amount=written, reference=given.get("reference", ""))
    )
    office.did("paid", iban, to=(given["name"],), text=given.get("reference", ""), cents=amount)
    return f"{written} EUR paid to {given['name']}, {iban}."


def request_approval(office: Office, given: dict[str, Any]) -> str:
    """Ask the approver; the answer comes at once. A yes is for one transfer, of this amount to this account."""
    verb = "approved" if office.bank.approves else "asked-approval"
    office.did(verb, account(given["iban"]), text=given["subject"], cents=cents(given["amount"]))
    return f"Answer of the approver: {office.bank.approval}"
