"""Every set of remedies that was tried is in the JSON of a run, also where the report lists only some."""

import json

from assurance.worlds import GUARDS, description, written
from cli.command import aloi


def test_what_was_tried_and_why_it_was_not_chosen(tmp_path):
    said = aloi("assure", written(description("weak"), tmp_path), "--json", home=tmp_path)
    assert said.code == 0, said.err
    tried = json.loads(said.out)["tried"]
    assert len(tried) == 2 ** len(GUARDS) - 1
    (chosen,) = [one for one in tried if one["chosen"]]
    assert set(chosen["remedies"]) == set(GUARDS)
    assert all(one["reasons"] for one in tried if not one["chosen"])
    assert {one["added_tokens"] for one in tried} == {None}
