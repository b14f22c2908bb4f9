"""What remedies add in tokens: known only where both sides of a request were counted."""

import msgspec
import pytest

from aloi.assurance.confirming import Confirmation
from aloi.science.asking import Asker, Spending
from aloi.science.items import Passed
from aloi.science.trials import TrialLog
from aloi.system.messages import Response
from science.runs import Run, trial

ARM = "hardened-prompt"


def answer(tokens, **more):
    return Response(text="ok", prompt_tokens=tokens, completion_tokens=5 if tokens else 0, **more)


SAME = {"raw": "ok"}
CHANGED = {"raw": "ok", "changed_request": True}
CASES = {
    "guards on the answer add none": ([(answer(40, **SAME), None)] * 9, (0, 0, 0)),
    "a longer prompt": ([(answer(52, **CHANGED), answer(40))] * 9, (12, 12, 12)),
    "a question that is stopped saves all": ([(answer(0), answer(40))] * 9, (-45, -45, -45)),
    "few answers are missing": ([(answer(52, **CHANGED), answer(40))] * 30 + [(None, answer(40))], (12, 12, 12)),
    "as many answers missing as not": ([(answer(52, **CHANGED), answer(40)), (None, answer(40))] * 9, None),
    "the endpoint counts nothing": ([(answer(0, **CHANGED), answer(0))] * 9, None),
    "it counted one side": ([(answer(0, **CHANGED), answer(40))] * 9, None),
    "the bare system was not asked in time": ([(answer(52, **CHANGED), None)] * 9, None),
    "no request": ([], None),
}


@pytest.mark.parametrize(("pairs", "expected"), CASES.values(), ids=CASES)
async def test_added_tokens(tmp_path, pairs, expected):
    run = Run(tmp_path / "trials.jsonl")
    async with TrialLog(run.path) as log:
        for index, (after, before) in enumerate(pairs):
            for arm, response in ((ARM, after), ("base", before)):
                made = trial(index, hazard="benign", arm=arm)
                key = msgspec.structs.replace(made.key, stage="confirm")
                if response is not None or arm == ARM:
                    log.append(msgspec.structs.replace(made, key=key, response=response, outcome=Passed()))
        asker = Asker(log, run.scorers, Spending(run.plan.limits), 1)
        tokens = Confirmation(run.plan, asker, run.sampler, ARM, 30.0).tokens()
    assert (tokens and (tokens.value, tokens.low, tokens.high)) == expected
    assert tokens is None or (tokens.unit, tokens.n) == ("tokens", len(pairs))
