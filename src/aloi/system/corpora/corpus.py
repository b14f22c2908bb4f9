"""A corpus as it will be asked: its rows, who scores them, and where it comes from."""

from msgspec import Struct

from aloi.evidence.canonical import canonical, digest

PLAIN = "plain"


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One prompt. `seed` names its cluster: two prompts of one seed are not independent.

    `attack` says how the prompt is wrapped already. `needles` must not stand in an answer; `hosts` may be linked to.
    """

    prompt: str
    language: str
    seed: str
    attack: str = PLAIN
    needles: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


class Corpus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is drawn from. `labelled`: its rows name their attacks, so that none is put around them.

    `left_out` counts rows in languages that the system does not speak and, in other people's data, rows without a
    usable prompt or that stand twice.
    """

    name: str
    scorer: str
    rows: tuple[Row, ...]
    licence: str
    source: str
    revision: str
    labelled: bool = False
    left_out: int = 0

    def digest(self) -> str:
        """`sha256:` digest over the canonical form (RFC 8785) of all rows, in their order."""
        return digest(canonical(self.rows))

    def seeds(self) -> int:
        """The number of different seeds."""
        return len({row.seed for row in self.rows})
