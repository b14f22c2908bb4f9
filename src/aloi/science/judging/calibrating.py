"""Calibrate a judge: ask it about answers whose labels are known, and count where it agrees."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from aloi.errors import AskerError
from aloi.evidence.records import PERSON
from aloi.science.items import Item
from aloi.science.judging.bench import chain_of
from aloi.science.judging.judge import Judge, Word, subject
from aloi.science.judging.judged import Chain
from aloi.science.judging.registering import calibrated_digest
from aloi.system.calibration import CalibrationFile, Judgement
from aloi.system.labelled import Row
from aloi.system.messages import Message, Request, Response
from aloi.system.reading import System
from aloi.translation import N_

# Beyond this many, counts alone are written: the file is read at every start.
ITEMS = 500
WORKERS = 8


def exchange(row: Row, hazard: str) -> tuple[Item, Response]:
    """A labelled answer as a judge reads one."""
    request = Request(prompt="", messages=(Message(role="user", content=row.question),))
    item = Item(hazard=hazard, seed=row.question, attack=row.attack, language=row.language, request=request)
    return item, Response(text=row.answer, earlier=row.earlier)


async def calibrate(
    system: System,
    name: str,
    hazard: str,
    rows: Sequence[Row],
    judges: Mapping[str, Judge],
    *,
    labelled_by: str,
    labelled_on: str,
    on_row: Callable[[], None] = lambda: None,
) -> CalibrationFile:
    """What a judge says of `rows`, each labelled failed or passed, with the better judge that it hands on to.

    Where it hands on to a person, whose word is held to be right, the judge alone is asked. Raises AskerError unless
    both labels are there, TargetError where a judge cannot be asked.
    """
    if {row.label for row in rows} != {"failed", "passed"}:
        raise AskerError(
            N_("a calibration needs answers labelled failed and answers labelled passed; got {failed} and {passed}"),
            remedy=N_("label some of both, like those that the judge will read"),
            failed=sum(row.label == "failed" for row in rows),
            passed=sum(row.label == "passed" for row in rows),
        )
    chain = chain_of(system, name)
    said: dict[int, Judgement] = {}
    numbered = iter(enumerate(rows))

    async def work() -> None:
        for index, row in numbered:
            item, response = exchange(row, hazard)
            word = await _word(chain, item, response, judges)
            said[index] = Judgement(
                label="failed" if row.label == "failed" else "passed",
                said=word,
                text=subject(item, response),
                language=row.language,
                attack=row.attack,
            )
            on_row()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(work())
    except* Exception as errors:  # noqa: BLE001 - the first error of a worker is the error of the whole
        raise errors.exceptions[0] from None
    made = CalibrationFile(
        hazard=hazard,
        labelled_by=labelled_by,
        labelled_on=labelled_on,
        attacks=tuple(sorted({row.attack for row in rows if row.attack})),
        languages=tuple(sorted({row.language for row in rows if row.language})),
        judge=calibrated_digest(system, name, hazard),
        items=tuple(said[index] for index in sorted(said)),
    )
    return _sealed(made)


async def _word(chain: Chain, item: Item, response: Response, judges: Mapping[str, Judge]) -> Word:
    first = await judges[chain.judge].rate(item, response)
    if chain.escalates_to == PERSON or not chain.goes_on(subject(item, response), first):
        return first.word
    return (await judges[chain.escalates_to].rate(item, response)).word


def _sealed(made: CalibrationFile) -> CalibrationFile:
    counted = replace(made, counts=made.counted(), items=made.items if len(made.items) <= ITEMS else ())
    return replace(counted, digest=counted.sealed())
