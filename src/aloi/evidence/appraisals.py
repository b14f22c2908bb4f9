"""Which appraisals of certainty count: those of organisations, one for each step of a hazard of a system."""

from collections.abc import Container

from aloi.evidence.voices import Voices
from aloi.evidence.vouching import Appraisal


def read_appraisals(voices: Voices, withdrawn: Container[str]) -> tuple[str, ...]:
    """The envelopes of those that count, in the order of the log.

    A key that belongs to no organisation appraises nothing, for readers are to know by whom. The first that an
    organisation says of a step stands until it is withdrawn.
    """
    found: list[str] = []
    done: set[tuple[str, str, str, str]] = set()
    for said in voices.statements.values():
        record = said.record
        if not isinstance(record, Appraisal) or said.envelope in withdrawn:
            continue
        parties = voices.of(said).parties
        named = {each for each in parties if each not in said.signers}
        about = {
            (party, subject.fingerprint, record.hazard, record.step) for party in named for subject in said.subjects
        }
        if not parties:
            voices.tell(said, said.subjects[0].fingerprint, "no-standing-key")
        elif not named:
            voices.tell(said, said.subjects[0].fingerprint, "no-organisation")
        elif about <= done:
            voices.tell(said, said.subjects[0].fingerprint, "repeated")
        else:
            found.append(said.envelope)
            done |= about
    return tuple(found)
