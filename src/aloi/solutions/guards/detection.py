"""Block what a user says where it tries to take the assistant off its rules: direct injections and jailbreaks.

What to expect stands in `docs/detector.md`, per source that the model has not seen. It reads words, not intentions: a
text that quotes an attack may be taken for one, and orders hidden in documents are mostly not seen. `sources` may add
documents and tool results; the remedies for those are structural.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from aloi.evidence.updates import DetectorUpdate
from aloi.solutions.detector import READ_BY, VERSION, read, updated
from aloi.solutions.guard import Allow, Block, Ruling
from aloi.solutions.options import Options
from aloi.system.messages import Message, Role


class InjectionDetectorOptions(Options, frozen=True, kw_only=True):
    """`threshold` in (0, 1]: a text that scores at least this much is blocked; 0.5 is the one that was calibrated.

    `update` is what `aloi guard accept` accepted; in system.yaml it names that file.
    """

    threshold: Annotated[float, Meta(gt=0, le=1)] = 0.5
    sources: tuple[Literal["user", "document", "tool"], ...] = ("user",)
    update: DetectorUpdate | None = None


class InjectionDetector:
    """Withhold a message that the model takes for an attack on the assistant's rules."""

    version: ClassVar[str] = VERSION
    tables: ClassVar[tuple[str, ...]] = READ_BY
    Options: ClassVar[type[Options]] = InjectionDetectorOptions
    judges_words: ClassVar[bool] = True

    def __init__(self, options: InjectionDetectorOptions) -> None:
        self.roles: frozenset[Role] = frozenset(options.sources)
        self._threshold = options.threshold
        self._model = updated(options.update) if options.update else None

    def screen(self, message: Message) -> Ruling:
        reading = read(message.content, self._model)
        if reading.score >= self._threshold:
            return Block(reason="attack-on-the-assistant", score=reading.score)
        return Allow(score=reading.score)
