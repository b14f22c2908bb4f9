"""Microsoft Presidio: personal data by patterns, checksums and named entities of a spaCy model."""

import importlib.util
import logging
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from msgspec import Meta

from aloi.errors import AskerError
from aloi.solutions.adapters.extras import edition, needed
from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.options import Options
from aloi.system.messages import Message, Role
from aloi.translation import N_

EXTRA = "presidio"
WHAT = N_("the guard presidio")
LANGUAGES = "[a-z]{2}"


class PresidioOptions(Options, frozen=True, kw_only=True):
    """`models` names an installed spaCy model for each language that is looked for; every text is read in all of them.

    `entities` are Presidio's own names, all that it knows where none is given; what scores below `threshold` passes.
    """

    models: Annotated[dict[Annotated[str, Meta(pattern=f"^{LANGUAGES}$")], str], Meta(min_length=1)]
    entities: tuple[str, ...] = ()
    threshold: Annotated[float, Meta(gt=0, le=1)] = 0.5
    action: Literal["mask", "block"] = "mask"
    sources: tuple[Literal["assistant", "user", "document", "tool"], ...] = ("assistant",)


class Found(NamedTuple):
    """One entity: where it stands, what it is, and how sure Presidio is."""

    start: int
    end: int
    kind: str
    score: float


class Presidio:
    """Mask what Presidio finds, or block the text. Nothing is downloaded: models and lists are those installed."""

    version: ClassVar[str] = edition("1", "presidio-analyzer")
    tables: ClassVar[tuple[str, ...]] = ()
    Options: ClassVar[type[Options]] = PresidioOptions

    def __init__(self, options: PresidioOptions) -> None:
        self.roles: frozenset[Role] = frozenset(options.sources)
        self._options = options
        self._analyzer = _analyzer(options.models)

    def screen(self, message: Message) -> Ruling:
        found = sorted(self._found(message.content), key=lambda one: (-one.score, one.start))
        score = found[0].score if found else 0.0
        counted = [one for one in found if one.score >= self._options.threshold]
        if not counted:
            return Allow(score=score)
        reason = f"personal-data-{counted[0].kind.lower().replace('_', '-')}"
        if self._options.action == "block":
            return Block(reason=reason, score=score)
        return Rewrite(content=_masked(message.content, counted), reason=reason, score=score)

    def _found(self, text: str) -> Iterable[Found]:
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text to spaCy; places stay
        for language in self._options.models:
            for one in self._analyzer.analyze(text, language, entities=list(self._options.entities) or None):
                yield Found(one.start, one.end, one.entity_type, min(1.0, one.score))


def _masked(text: str, found: list[Found]) -> str:
    """The text with each entity as its kind in brackets; of entities that overlap the surest stands."""
    kept: list[Found] = []
    for one in found:
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    for one in sorted(kept, reverse=True):
        text = f"{text[: one.start]}[{one.kind}]{text[one.end :]}"
    return text


def _analyzer(models: dict[str, str]) -> Any:
    """Raises MissingExtra, and AskerError for a model that is not installed: Presidio would download it."""
    analyzer = needed("presidio_analyzer", WHAT, EXTRA)
    engines = needed("presidio_analyzer.nlp_engine", WHAT, EXTRA)
    for name in models.values():
        if not name.isidentifier() or importlib.util.find_spec(name) is None:
            raise AskerError(
                N_("the spaCy model {name} is not installed, and nothing is downloaded unasked"),
                remedy=N_("install it as a package, fr_core_news_sm for example, and name it as it is imported"),
                name=name,
            )
    _only_the_list_that_is_shipped()
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)  # else it tells of each recogniser of other tongues
    wanted = [{"lang_code": language, "model_name": name} for language, name in models.items()]
    engine = engines.NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": wanted}).create_engine()
    return analyzer.AnalyzerEngine(nlp_engine=engine, supported_languages=list(models))


def _only_the_list_that_is_shipped() -> None:
    """Presidio's e-mail recogniser fetches the public suffix list at its first text; tldextract carries one."""
    tldextract = needed("tldextract.tldextract", WHAT, EXTRA)
    offline: Any = tldextract.__dict__["TLDExtract"](cache_dir=None, suffix_list_urls=())
    vars(tldextract)["TLD_EXTRACTOR"] = offline
