"""Every guard on answers against one table of hostile answers, with the exact ruling of each."""

import codecs
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

from aloi.solutions.catalogue import entry
from aloi.solutions.guard import Allow, Block, Rewrite

HERE = Path(__file__).parent
TABLE = yaml.safe_load((HERE / "hostile-answers.yaml").read_bytes())
RULINGS = yaml.safe_load((HERE / "hostile-rulings.yaml").read_bytes())["rulings"]
# Long texts are compared by their reason alone.
SHOWN = 400


def answer(name):
    row = TABLE["answers"][name]
    return codecs.decode(row["escaped"], "unicode_escape") * row.get("times", 1)


def told(ruling):
    match ruling:
        case Allow():
            return "allow"
        case Block(reason=reason):
            return {"block": reason}
        case Rewrite(content=content, reason=reason):
            return {"rewrite": reason} | ({"to": content} if len(content) <= SHOWN else {})


@pytest.mark.parametrize("guard", TABLE["options"])
@pytest.mark.parametrize("name", TABLE["answers"])
def test_the_ruling_is_exact(guard, name, screen):
    assert told(screen(guard, answer(name), **TABLE["options"][guard])) == RULINGS[guard].get(name, "allow")


@pytest.mark.parametrize("guard", TABLE["options"])
def test_what_was_rewritten_is_left_alone(guard, screen):
    options = TABLE["options"][guard]
    for name in TABLE["answers"]:
        ruling = screen(guard, answer(name), **options)
        if isinstance(ruling, Rewrite):
            assert screen(guard, ruling.content, **options) == Allow()


def test_every_guard_on_answers_has_its_row():
    own = {
        point.name
        for point in entry_points(group="aloi.guards")
        if point.value.startswith("aloi.solutions.guards.") and entry(point.name).kind == "output-guard"
    }
    missing = own - set(TABLE["options"])
    assert not missing, f"no hostile answers for: {', '.join(sorted(missing))}"
    assert set(RULINGS) == set(TABLE["options"])
    # A guard that lets everything pass is in no way tested by this table.
    for rulings in RULINGS.values():
        assert rulings
        assert set(rulings) <= set(TABLE["answers"])
