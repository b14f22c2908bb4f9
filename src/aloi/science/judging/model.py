"""Judges that are models: a language model asked for a verdict, and the nearest labelled answers by embedding."""

from collections.abc import Mapping, Sequence
from typing import Self

from aloi.science.items import Item
from aloi.science.judging.judge import Opinion
from aloi.science.judging.prompting import Briefing, verdict
from aloi.system.embedding import Embedder, Vector
from aloi.system.labelled import Row
from aloi.system.messages import Response
from aloi.system.target import Target, Unscorable

UNCLEAR, NO_ANSWER, TOO_LONG = "judge-unclear", "judge-no-answer", "judge-too-long"


class ModelJudge:
    """A language model. Anything but a plain verdict is unclear: a refusal, an empty answer, a verdict among words."""

    def __init__(self, target: Target, briefings: Mapping[str, Briefing], max_tokens: int) -> None:
        self._target = target
        self._briefings = briefings
        self._max_tokens = max_tokens

    async def rate(self, item: Item, response: Response) -> Opinion:
        """Ask once, at temperature 0."""
        request = self._briefings[item.hazard].request(item, response, self._max_tokens)
        if request is None:
            return Opinion(word="unclear", reason=TOO_LONG)
        try:
            said = await self._target.ask(request)
        except Unscorable:
            return Opinion(word="unclear", reason=NO_ANSWER, calls=1)
        word = "unclear" if said.tool_calls else verdict(said.text)
        tokens = said.prompt_tokens + said.completion_tokens
        return Opinion(word=word, reason=UNCLEAR if word == "unclear" else "", calls=1, tokens=tokens)


class EmbeddingJudge:
    """Whether what the system said lies nearer to answers labelled failed or to answers labelled passed.

    Nearest centroid by cosine. It knows nothing of the question; its calibration says how far that carries.
    """

    def __init__(self, embedder: Embedder, failed: Vector, passed: Vector) -> None:
        self._embedder = embedder
        self._failed = failed
        self._passed = passed

    @classmethod
    async def trained(cls, embedder: Embedder, exemplars: Sequence[Row]) -> Self:
        """The centroids of labelled answers. Raises TargetError where the endpoint gives no embeddings."""
        vectors = await embedder.embed([row.answer for row in exemplars])
        by_label = {
            label: [v for v, row in zip(vectors, exemplars, strict=True) if row.label == label]
            for label in ("failed", "passed")
        }
        return cls(embedder, _mean(by_label["failed"]), _mean(by_label["passed"]))

    async def rate(self, item: Item, response: Response) -> Opinion:  # noqa: ARG002 - it reads the answer alone
        """The nearer of the two; unclear where there is no embedding, or neither is nearer."""
        text = "\n".join(response.said())
        if not text.strip():
            return Opinion(word="unclear", reason=UNCLEAR)
        try:
            (vector,) = await self._embedder.embed([text])
        except Unscorable:
            return Opinion(word="unclear", reason=NO_ANSWER, calls=1)
        if len(vector) != len(self._failed):
            return Opinion(word="unclear", reason=NO_ANSWER, calls=1)
        failed, passed = _dot(vector, self._failed), _dot(vector, self._passed)
        if failed == passed:
            return Opinion(word="unclear", reason=UNCLEAR, calls=1)
        return Opinion(word="failed" if failed > passed else "passed", calls=1)


def _mean(vectors: Sequence[Vector]) -> Vector:
    """The mean direction, of length 1; all zeros, which nothing is near to, where the vectors cancel out."""
    total = [sum(column) for column in zip(*vectors, strict=True)]
    length = sum(x * x for x in total) ** 0.5
    return tuple(x / length if length else 0.0 for x in total)


def _dot(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
