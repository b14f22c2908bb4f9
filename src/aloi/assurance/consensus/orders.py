"""What logs show of the order in which statements were made, each log by itself.

Times are a log's own word, so they prove nothing for a result. They may speak against one: what another log held
earlier was not registered before, and not fixed before it could be read.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from aloi.evidence.replications import Repetition
from aloi.evidence.status import Status, Statuses
from aloi.evidence.vouching import Replication

Registered = Literal["log", "clock", "after"]


class InLog(Struct, frozen=True, kw_only=True):
    """Where statements stand in one log alone, which proves their order."""

    origin: str
    statuses: Statuses


def registered(envelopes: Sequence[str], logs: Sequence[InLog]) -> Registered:
    """How the plan of a result was registered: by a 'log' before it, by its signer's 'clock', or 'after' it.

    `envelopes` are those in which the result stands.
    """
    told = [
        (log, status.registration)
        for log in logs
        for status in _known(envelopes, log)
        if status.registration and status.registration.order != "unknown"
    ]
    first = _first(envelopes, logs)
    plans = [log.statuses.statements[found.plan].logged.time for log, found in told if found.order == "before"]
    if first is not None and any(time <= first for time in plans):
        return "log"
    return "after" if told else "clock"


def blind(envelopes: Sequence[str], logs: Sequence[InLog]) -> tuple[str, ...]:
    """The statements of findings that repeat a result, and were fixed before any log held it."""
    first = _first(envelopes, logs)
    found = [
        log.statuses.statements[each.finding].logged.statement
        for log in logs
        for status in _known(envelopes, log)
        for each in status.replications
        if each.blind and first is not None and _fixed(each, log) <= first
    ]
    return tuple(dict.fromkeys(found))


def _fixed(repetition: Repetition, log: InLog) -> int:
    """When the log held what the repetition was fixed by."""
    record = log.statuses.statements[repetition.envelope].logged.record
    assert isinstance(record, Replication)
    assert record.sealed is not None
    return log.statuses.statements[record.sealed.commitment].logged.time


def _known(envelopes: Sequence[str], log: InLog) -> Iterator[Status]:
    yield from (log.statuses.statements[each] for each in envelopes if each in log.statuses.statements)


def _first(envelopes: Sequence[str], logs: Sequence[InLog]) -> int | None:
    """The second at which the first of the logs held a result."""
    return min((status.logged.time for log in logs for status in _known(envelopes, log)), default=None)
