"""From what was read to what is stated: rates with their doubt, a watch on the share of blocks, what is not said."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from msgspec import Struct

from aloi.assurance.loop import SOFTWARE
from aloi.assurance.monitoring.labels import Word
from aloi.assurance.monitoring.traffic import Batch, Served, Traffic
from aloi.evidence.fields import moment
from aloi.evidence.monitoring import Ends, GuardAct, GuardSeconds, Monitoring, Period, RateShift, TrafficRecord
from aloi.evidence.records import Estimate, number
from aloi.science.parts import TIME_UNIFORM
from aloi.statistics.shift import RateWatch, rate_bounds, watch_rate

LEVEL = 0.95
NOTHING: Mapping[tuple[str, str], Period] = MappingProxyType({})
# The first period ends with the batch that brings so many blocks, or so many exchanges. Bounds that hold at all times
# allow a rule that looks at what it counts.
FIRST_BLOCKS, FIRST_SCREENED = 200, 20_000


class Watched(Struct, frozen=True, kw_only=True):
    """Where a watch stood after one batch, for a chart: its end, the share of blocks in it, and the log e-value."""

    at: float
    screened: int
    blocked: int
    log_e: float


class Monitored(Struct, frozen=True, kw_only=True):
    """What is stated about one system, named by its fingerprint, and the path of its watch."""

    system: str
    fingerprint: str
    finding: Monitoring
    path: tuple[Watched, ...]


def monitored(
    traffic: Traffic, alpha: float, earlier: Mapping[tuple[str, str], Period] = NOTHING
) -> tuple[Monitored, ...]:
    """What the record says, one after the other as sets of guards followed each other.

    `earlier` are periods that were stated before, by fingerprint and set of guards. The share of blocks is compared
    with the period that is there, else with the first period of the record.
    """
    known = [earlier.get((one.guards.fingerprint, one.guards.guard_set)) for one in traffic.served]
    return tuple(_monitored(one, traffic, alpha, period) for one, period in zip(traffic.served, known, strict=True))


def _monitored(served: Served, traffic: Traffic, alpha: float, earlier: Period | None) -> Monitored:
    ends = Ends(**{name: served.counts[name] for name in ("answered", "changed", "blocked", "error", "gone")})
    screened = ends.screened
    shift, path = _shift(served.batches, alpha, earlier)
    took = served.took.total()
    finding = Monitoring(
        began=_time(min(one.since for one in served.batches)),
        ended=_time(max(one.at for one in served.batches), up=True),
        guard_set=served.guards.guard_set,
        remedies=served.guards.remedies,
        record=TrafficRecord(
            lines=traffic.range.lines,
            first="sha256:" + traffic.range.first,
            last="sha256:" + traffic.range.last,
            whole=traffic.whole,
        ),
        exchanges=ends,
        uncounted=served.uncounted,
        missed=served.missed,
        blocked=rate(ends.blocked, screened),
        changed=rate(ends.changed, screened),
        errors=rate(ends.error, ends.total),
        acts=tuple(
            GuardAct(guard=guard, role=role, action=action, rate=rate(count, screened))  # type: ignore[arg-type] # read so
            for (guard, role, action), count in sorted(served.acts.items())
        ),
        guard_seconds=GuardSeconds(p50=number(served.seconds(0.5), 2), p95=number(served.seconds(0.95), 2), n=took)
        if took
        else None,
        false_alarms=_labelled(served.blocks, "ordinary", "harmful"),
        misses=_labelled(served.samples, "harmful", "ordinary"),
        shift=shift,
        unsaid=_unsaid(served, traffic, watched=shift is not None),
        software=SOFTWARE,
    )
    return Monitored(system=served.guards.system, fingerprint=served.guards.fingerprint, finding=finding, path=path)


def rate(events: int, n: int, unclear: int = 0) -> Estimate:
    """A rate with the house's time-uniform bounds; each of the `unclear` may have been an event."""
    low, high = rate_bounds(events, n, 1 - LEVEL, unclear)
    value = events / n if n else (low + high) / 2
    return Estimate(
        value=number(min(max(value, low), high)),
        low=min(number(low), number(value)),
        high=max(number(high), number(value)),
        failures=events,
        n=n,
        unscorable=unclear,
        level=number(LEVEL),
        method=TIME_UNIFORM,
    )


def _labelled(words: Counter[Word], event: Word, other: Word) -> Estimate | None:
    n = words[event] + words[other]
    return rate(words[event], n, words["unclear"]) if n else None


def _unsaid(served: Served, traffic: Traffic, *, watched: bool) -> tuple[str, ...]:
    facts = {
        "hazard-rates": True,
        "texts": not served.texts,
        "false-alarms": not (served.blocks["ordinary"] + served.blocks["harmful"]),
        "misses": not (served.samples["ordinary"] + served.samples["harmful"]),
        "shift": not watched,
        "removed": not traffic.whole,
        "uncounted": served.uncounted > 0,
        "missed": served.missed > 0,
    }
    return tuple(code for code, holds in facts.items() if holds)


def _shift(
    batches: Sequence[Batch], alpha: float, earlier: Period | None
) -> tuple[RateShift | None, tuple[Watched, ...]]:
    reference, rest = (earlier, _after(batches, earlier)) if earlier else _first(batches)
    if reference is None:
        return None, ()
    watched, path, rang, above = watch_rate(reference.blocked, reference.screened, alpha), [], None, True
    for batch in rest:
        watched.take(batch.blocked, batch.screened)
        if batch.screened:
            one = Watched(at=batch.at, screened=batch.screened, blocked=batch.blocked, log_e=watched.log_e)
            path.append(one)
        if watched.rang and rang is None:
            rang, above = _time(batch.at, up=True), watched.above
    return _told(watched, reference, alpha, rang, above=above), tuple(path)


def _told(watched: RateWatch, reference: Period, alpha: float, rang: str | None, *, above: bool) -> RateShift:
    return RateShift(
        reference=reference,
        low=number(watched.low),
        high=number(watched.high),
        alpha=number(alpha),
        looks=watched.batches,
        screened=watched.n,
        blocked=watched.events,
        log_e=number(watched.log_e),
        peak_log_e=number(watched.peak),
        rang_at=rang,
        towards=("higher" if above else "lower") if rang else None,
    )


def _first(batches: Sequence[Batch]) -> tuple[Period | None, Sequence[Batch]]:
    """The first period, and what came after; no period where there is not enough yet."""
    screened = blocked = 0
    for place, batch in enumerate(batches):
        screened, blocked = screened + batch.screened, blocked + batch.blocked
        if blocked >= FIRST_BLOCKS or screened >= FIRST_SCREENED:
            began = min(one.since for one in batches[: place + 1])
            first = Period(began=_time(began), ended=_time(batch.at, up=True), screened=screened, blocked=blocked)
            return first, batches[place + 1 :]
    return None, ()


def _after(batches: Sequence[Batch], earlier: Period) -> Sequence[Batch]:
    """Batches that the earlier period did not count."""
    return [one for one in batches if one.since >= moment(earlier.ended)]


def _time(seconds: float, *, up: bool = False) -> str:
    whole = -int(-seconds // 1) if up else int(seconds)
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
