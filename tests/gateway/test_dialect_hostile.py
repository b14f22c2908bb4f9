"""Every dialect against its table of hostile requests, answers and streams, with the exact outcome of each."""

import pytest

from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.completions import Completions
from aloi.solutions.gateway.dialects.counts import CountedMessages, CountedResponses
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.dialects.responses import Responses
from gateway.hostile import body_of, outcome_of_answer, outcome_of_events, outcome_of_request, table

DIALECTS = {
    "chat": Chat,
    "completions": Completions,
    "counted-messages": CountedMessages,
    "counted-responses": CountedResponses,
    "messages": Messages,
    "responses": Responses,
}
TABLES = {name: table(name) for name in DIALECTS}


def rows(kind):
    return [(name, row) for name, listed in TABLES.items() for row in listed.get(kind, ())]


@pytest.mark.parametrize(("dialect", "row"), rows("requests"))
def test_a_request_comes_to_exactly_this(dialect, row):
    listed = TABLES[dialect]["requests"][row]
    expected = {name: listed[name] for name in ("refused", "read") if name in listed}
    assert outcome_of_request(DIALECTS[dialect](), body_of(listed), **listed.get("sent", {})) == expected
    passing = outcome_of_request(DIALECTS[dialect](unread="pass"), body_of(listed))
    assert passing == ({"read": listed["passing"]} if "passing" in listed else expected)


@pytest.mark.parametrize(("dialect", "row"), rows("answers"))
def test_an_answer_comes_to_exactly_this(dialect, row):
    listed = TABLES[dialect]["answers"][row]
    expected = {name: listed[name] for name in ("broken", "read") if name in listed}
    assert outcome_of_answer(DIALECTS[dialect](), body_of(listed)) == expected


@pytest.mark.parametrize(("dialect", "row"), rows("streams"))
def test_a_stream_comes_to_exactly_this(dialect, row):
    listed = TABLES[dialect]["streams"][row]
    expected = {name: listed[name] for name in ("broken", "said", "read", "ended") if name in listed}
    assert outcome_of_events(DIALECTS[dialect](), listed["events"]) == expected
