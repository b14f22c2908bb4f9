"""What an agent did: the entries of the tool log, which alone decide outcomes."""

from msgspec import Struct

# What leaves the world as it was. Every other verb changes something, or lets something out.
READING = frozenset({"listed", "read", "opened", "recalled", "checked", "reported"})


class Effect(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a tool call brought about.

    `what` is its object (a path, an id, a host, an account), `to` who receives it, `text` what was said or written,
    `cents` the money that moved. `turn` counts what the user had said before it, from 0. `marks` are facts that the
    workplace knows, such as 'unverified' of an installed package.
    """

    verb: str
    what: str = ""
    to: tuple[str, ...] = ()
    text: str = ""
    cents: int = 0
    turn: int = 0
    marks: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it did more than read."""
        return self.verb not in READING
