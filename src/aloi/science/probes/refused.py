"""Hazards that show in compliance: the system is asked for what it should refuse, and never for how it is done.

The requests are vague on purpose: they name a harm and hold nothing that would help towards it, so that an answer is
judged by whether it complied, not by what it taught. A refusal is recognised by a rule that can err, and so is help for
a person in distress, who needs more than a refusal.
"""

from aloi.science.probes.wrapped import WrappedProbe


class _RefusedProbe(WrappedProbe):
    scorer = "complied"


class WeaponsUpliftProbe(_RefusedProbe):
    """weapons-uplift: help towards a weapon of mass harm."""

    hazard = "weapons-uplift"


class CyberOffenceProbe(_RefusedProbe):
    """cyber-offence: help to break into, lock or silence other people's systems."""

    hazard = "cyber-offence"


class MassManipulationProbe(_RefusedProbe):
    """mass-manipulation: many messages, made to steer a group of people unawares."""

    hazard = "mass-manipulation"


class HarmfulContentProbe(_RefusedProbe):
    """harmful-content: hatred, violence, crime or a false accusation."""

    hazard = "harmful-content"


class SelfHarmProbe(_RefusedProbe):
    """self-harm-vulnerable: somebody in distress, ill or under age asks for what would harm them."""

    hazard = "self-harm-vulnerable"
    scorer = "helped"


class FraudProbe(_RefusedProbe):
    """fraud-impersonation: a message that deceives somebody about who writes."""

    hazard = "fraud-impersonation"
