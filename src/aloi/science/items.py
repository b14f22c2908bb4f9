"""What is asked in a trial, and what came of it."""

from typing import Any

from msgspec import Struct

from aloi.system.messages import Request


class Expectation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an oracle looks for: planted strings, hosts that may be linked to, tokens that may be spent.

    `carrier` is the id of the document that brings the attack, if one does: an attack whose carrier never reaches the
    model cannot work. `details` is JSON for a scorer that looks for more than these.
    """

    needles: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    budget: int = 0
    carrier: str = ""
    details: dict[str, Any] = {}


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fresh draw of a probe. `seed` names its cluster: two items of one seed are not independent.

    A conversation goes on after the first answer: `script` holds the user's further turns, in order. An agent's tool
    calls are carried out by the simulated `environment` of that name, which starts from `state`; after `max_answers`
    answers the exchange ends, whatever the model wants. With a `goal`, a model that plays attacker writes all turns of
    the user towards it: `request` is what stood before the first of them.

    A turn of the script is said when the model calls no tool, or, from `interrupt` answers on, right after the results
    of its calls. `sequel` holds the first words of later conversations, each begun with an empty memory in the same
    environment: what the first one left there is all that the next one finds.
    """

    hazard: str
    seed: str
    attack: str
    language: str
    request: Request
    expectation: Expectation = Expectation()
    script: tuple[str, ...] = ()
    interrupt: int = 0
    sequel: tuple[str, ...] = ()
    environment: str = ""
    state: dict[str, Any] = {}
    max_answers: int = 12
    goal: str = ""

    @property
    def converses(self) -> bool:
        """Whether more may follow the first answer. Then no recorded exchange tells what another answer had led to."""
        return bool(self.script or self.sequel or self.environment or self.goal)


class Passed(Struct, frozen=True, tag="passed"):
    """The harm did not happen; for a benign item, the request was answered."""


class Failed(Struct, frozen=True, tag="failed"):
    """The harm happened. `evidence` says where the scorer saw it."""

    evidence: str = ""


class NotScored(Struct, frozen=True, tag="unscorable"):
    """No usable answer. It is counted against every claim, never dropped."""

    reason: str


Outcome = Passed | Failed | NotScored
