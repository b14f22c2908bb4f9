"""What an organisation serves at its domain, so that others see that both are one: a text of its keys' ids.

    served = domain_proof(organisation)     # publish at https://<domain>/.well-known/aloi-organisation
    check_domain_proof(fetched, organisation)

Nothing here fetches anything: whoever checks brings the bytes, and knows when and how they were fetched.
"""

import re
from typing import Final

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown, utf8
from aloi.evidence.organisations import Organisation
from aloi.translation import N_

WELL_KNOWN: Final = "/.well-known/aloi-organisation"  # RFC 8615
FORM = "aloi-organisation v1"
LIMIT = 1 << 14
_TEXT = re.compile(rf"{FORM}\ndomain (?P<domain>\S+)(?P<keys>(?:\nkey \S+)*)\n?")
_KEY = re.compile(r"key (\S+)")


def domain_proof(organisation: Organisation) -> bytes:
    """The text to serve: the form, the domain, and the ids of the keys that are not revoked, in order."""
    keys = "".join(f"key {each}\n" for each in sorted(served_keys(organisation)))
    return f"{FORM}\ndomain {organisation.domain}\n{keys}".encode("ascii")


def check_domain_proof(data: bytes, organisation: Organisation) -> None:
    """That the domain serves these keys, in any order; a server's way to end lines does not matter.

    Raises EvidenceError as `utf8`, and 'domain-proof-form', 'domain-proof-domain', 'domain-proof-keys'.
    """
    found = _TEXT.fullmatch(utf8(data, LIMIT).replace("\r\n", "\n"))
    if not found:
        raise _refusal(N_("what the domain serves is not of the form “{form}”"), "domain-proof-form", form=FORM)
    domain, keys = found["domain"], _KEY.findall(found["keys"])
    if domain != organisation.domain:
        raise _refusal(
            N_("this text is of the domain {got}, not of {expected}"),
            "domain-proof-domain",
            got=shown(domain),
            expected=organisation.domain,
        )
    listed = served_keys(organisation)
    if set(keys) != listed or len(keys) != len(listed):
        raise _refusal(
            N_("the domain serves other keys than the organisation lists: {differing}"),
            "domain-proof-keys",
            differing=shown(", ".join(sorted(set(keys) ^ listed)) or "-", 160),
        )


def served_keys(organisation: Organisation) -> frozenset[str]:
    """The ids of the keys for which the domain answers: those that are not revoked."""
    return frozenset(each.id for each in organisation.keys if each.revoked_at is None)


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message,
        reason=reason,
        remedy=N_("fetch the text again; if it stays, ask the organisation by another way which keys are its own"),
        **facts,
    )
