"""Whether something was fixed before it was told: by a commitment that the same party logged."""

from collections.abc import Container

from aloi.evidence.commitments import What, commit
from aloi.evidence.incidents import Incident
from aloi.evidence.loggedstatements import LoggedStatement
from aloi.evidence.voices import Voices, Why
from aloi.evidence.vouching import Commitment, Sealed


def fixed(voices: Voices, said: LoggedStatement, sealed: Sealed, text: str, what: What) -> LoggedStatement | Why:
    """The statement that fixed `text` before one told it, or why there is none."""
    before = voices.statements.get(sealed.commitment)
    record = before.record if before else None
    if before is None or not isinstance(record, Incident if what == "incident" else Commitment):
        return "unknown-commitment"
    if not voices.of(before).parties & voices.of(said).parties:
        return "foreign-commitment"
    if record.commitment != commit(text, sealed.salt, what):
        return "other-commitment"
    return before


def read_openings(voices: Voices, withdrawn: Container[str]) -> dict[str, str]:
    """By the envelope of an incident that was sealed, the envelope of the first statement that shows its text."""
    found: dict[str, str] = {}
    for said in voices.statements.values():
        record = said.record
        if isinstance(record, Incident) and record.text and record.sealed and said.envelope not in withdrawn:
            before = fixed(voices, said, record.sealed, record.text, "incident")
            if isinstance(before, LoggedStatement):
                found.setdefault(before.envelope, said.envelope)
            else:
                voices.tell(said, record.sealed.commitment, before)
    return found
