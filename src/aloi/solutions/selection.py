"""Choose the smallest set of remedies that meets the policy on the selection split.

The split only nominates: rates here carry no interval, and the best of many candidates looks better than it is, so the
choice is confirmed on fresh items. To leave room for that, a candidate must come under the lower edge of the
indifference zone (half the threshold), not merely under the threshold.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations, islice
from typing import TypeVar

from msgspec import Struct

from aloi.evidence.records import Reason, number

T = TypeVar("T")
INDIFFERENCE_LOWER = 0.5
MOST_SUBSETS = 512


class Risk(Struct, frozen=True, kw_only=True):
    """One hazard on the split: failures left of `n` trials (fractions where a rate was scaled), and its threshold."""

    hazard: str
    failures: float
    n: int
    threshold: float

    @property
    def rate(self) -> float | None:
        return self.failures / self.n if self.n else None

    @property
    def ratio(self) -> float:
        """The rate as a multiple of the threshold; infinite where nothing was tried."""
        return float("inf") if self.rate is None else self.rate / self.threshold


class Candidate(Struct, frozen=True, kw_only=True):
    """A set of remedies and what it did on the split. `benign_lost` of `benign` requests are answered no more.

    `hardenings` counts what changes what the model is shown, each patch of a prompt by itself: it was seen on a few
    fresh pairs only.
    `added_tokens` are those of an ordinary request, in the median; None where the endpoint did not count them.
    """

    remedies: tuple[str, ...]
    risks: tuple[Risk, ...]
    benign_lost: float
    benign: int
    added_latency_ms: float
    added_tokens: float | None = None
    hardenings: int = 0

    @property
    def risk(self) -> float:
        """The worst hazard, as a multiple of its threshold."""
        return max((risk.ratio for risk in self.risks), default=0.0)

    @property
    def loss(self) -> float | None:
        return self.benign_lost / self.benign if self.benign else None

    @property
    def axes(self) -> tuple[float, float, float, float, int]:
        """Less is better: risk, benign loss, latency, tokens, size. What is not known counts as the worst."""
        loss, tokens = (float("inf") if cost is None else cost for cost in (self.loss, self.added_tokens))
        return self.risk, loss, self.added_latency_ms, tokens, len(self.remedies)


class Choice(Struct, frozen=True, kw_only=True):
    """`chosen` is None where every candidate costs more than the policy allows.

    `meets` tells whether it also brings every hazard low enough; if not it is the best there is. `front` holds the
    candidates that no other is better than on every axis; `rejected` all but the chosen one, with the reasons.
    """

    chosen: Candidate | None
    meets: bool
    front: tuple[Candidate, ...]
    rejected: tuple[tuple[Candidate, tuple[Reason, ...]], ...]

    def reasons(self, candidate: Candidate) -> tuple[Reason, ...]:
        """Why a candidate was not chosen; nothing for the chosen one."""
        return next((reasons for other, reasons in self.rejected if other == candidate), ())


def subsets(items: Sequence[T], most: int = MOST_SUBSETS) -> Iterator[tuple[T, ...]]:
    """Subsets in order of size, the empty one first, `most` at most: beyond, the largest are left out."""
    sizes = (combinations(items, size) for size in range(len(items) + 1))
    return islice((subset for same in sizes for subset in same), most)


def sets_to_try(
    items: Sequence[T],
    acts: Callable[[T], bool],
    promise: Callable[[tuple[T, ...]], tuple[float, ...]],
    most: int = MOST_SUBSETS,
) -> list[tuple[T, ...]]:
    """The sets that are weighed, in order of size, the empty one left out: at most `most` of them.

    Every subset, where there are no more. Else every item alone, and every subset of those that act at all. Where these
    are too many as well, a beam: each size is built from the most promising sets of the size before (`promise`, the
    lower the better), and may take half of what is left: small sets are looked for, and one of each size is kept.
    """
    if 2 ** len(items) <= most:
        return [subset for subset in subsets(items, most) if subset]
    alone: list[tuple[int, ...]] = [(place,) for place in range(len(items))]
    acting = [place for place in range(len(items)) if acts(items[place])]
    if len(alone) + 2 ** len(acting) <= most:
        layers = [*alone, *(subset for subset in subsets(acting, most) if len(subset) > 1)]
    else:
        layers = _beam(alone, acting, lambda places: promise(tuple(items[place] for place in places)), most)
    return [tuple(items[place] for place in places) for places in layers]


def _beam(
    alone: list[tuple[int, ...]],
    acting: Sequence[int],
    promise: Callable[[tuple[int, ...]], tuple[float, ...]],
    most: int,
) -> list[tuple[int, ...]]:
    found = list(alone)[:most]
    layer: list[tuple[int, ...]] = [(place,) for place in acting]
    for size in range(2, len(acting) + 1):
        left, larger = most - len(found), len(acting) - size
        share = max((left - larger) // 2, min(left, 1))
        wider = dict.fromkeys(
            tuple(sorted({*places, place}))
            for places in sorted(layer, key=promise)
            for place in acting
            if place not in places
        )
        layer = list(islice(wider, share))
        found += sorted(layer)
    return found


def choose(
    candidates: Sequence[Candidate],
    *,
    max_loss: float,
    max_added_latency_ms: float,
    max_added_tokens: float | None = None,
    indifference_lower: float = INDIFFERENCE_LOWER,
) -> Choice:
    """Choose among candidates by the policy.

    A candidate meets it when every hazard's rate is at most `indifference_lower` times its threshold, and loss,
    latency and tokens are within bounds. Ties go to fewer remedies, then fewer hardenings, lower risk, lower loss,
    lower latency, fewer tokens, and the order given. Where none meets it, the one of lowest risk within the bounds on
    cost is chosen.
    """
    costs = [
        (*_costs(one, max_loss, max_added_latency_ms), *_tokens(one.added_tokens, max_added_tokens))
        for one in candidates
    ]
    risks = [_risks(one, indifference_lower) for one in candidates]
    affordable = [i for i, reasons in enumerate(costs) if not reasons]
    meeting = [i for i in affordable if not risks[i]]
    chosen: int | None = None
    if meeting:
        chosen = min(meeting, key=lambda i: _smallest(candidates[i]))
    elif affordable:
        chosen = min(affordable, key=lambda i: _safest(candidates[i]))
    return Choice(
        chosen=None if chosen is None else candidates[chosen],
        meets=bool(meeting),
        front=_front(candidates),
        rejected=tuple(
            (one, (*costs[i], *risks[i]) or (Reason(code="not-smallest", about="remedies"),))
            for i, one in enumerate(candidates)
            if i != chosen
        ),
    )


def _smallest(one: Candidate) -> tuple[float, ...]:
    risk, loss, latency, tokens, size = one.axes
    return size, one.hardenings, risk, loss, latency, tokens


def _safest(one: Candidate) -> tuple[float, ...]:
    risk, loss, latency, tokens, size = one.axes
    return risk, sum(each.ratio for each in one.risks), size, loss, latency, tokens


def _front(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that none dominates, in the order given. Whatever dominates a candidate comes before it by its axes, and so
    does one of the front that dominates it as well."""
    front: list[Candidate] = []
    places: list[int] = []
    for place in sorted(range(len(candidates)), key=lambda place: candidates[place].axes):
        if not any(_dominates(other, candidates[place]) for other in front):
            front.append(candidates[place])
            places.append(place)
    return tuple(candidates[place] for place in sorted(places))


def _dominates(one: Candidate, other: Candidate) -> bool:
    return one.axes != other.axes and all(a <= b for a, b in zip(one.axes, other.axes, strict=True))


def _costs(one: Candidate, max_loss: float, max_added_latency_ms: float) -> tuple[Reason, ...]:
    reasons = []
    if one.loss is None:
        reasons.append(Reason(code="benign-loss-unknown", about="benign", limit=number(max_loss)))
    elif one.loss > max_loss:
        reasons.append(Reason(code="benign-loss", about="benign", got=number(one.loss), limit=number(max_loss)))
    if one.added_latency_ms > max_added_latency_ms:
        got, limit = number(one.added_latency_ms), number(max_added_latency_ms)
        reasons.append(Reason(code="latency", about="latency", got=got, limit=limit))
    return tuple(reasons)


def _tokens(added: float | None, most: float | None) -> tuple[Reason, ...]:
    if most is None or (added is not None and added <= most):
        return ()
    if added is None:
        return (Reason(code="tokens-unknown", about="tokens", limit=number(most)),)
    return (Reason(code="tokens", about="tokens", got=number(added), limit=number(most)),)


def _risks(one: Candidate, indifference_lower: float) -> tuple[Reason, ...]:
    return tuple(
        Reason(code="risk" if risk.rate is not None else "not-tested", about=risk.hazard, got=_got(risk), limit=limit)
        for risk in one.risks
        for limit in (number(indifference_lower * risk.threshold),)
        if risk.rate is None or risk.rate > indifference_lower * risk.threshold
    )


def _got(risk: Risk) -> Decimal | None:
    return None if risk.rate is None else number(risk.rate)
