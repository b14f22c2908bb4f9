"""A request as chat messages: the prompt first, never changed, and retrieved text after the user's last words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.system.messages import Document, Message, Request, Tool, ToolCall
from aloi.system.rendering import chat_messages, chat_tools, written


def test_without_a_prompt_there_is_no_system_message():
    request = Request(prompt="", messages=(Message(role="user", content="Hello"),))
    assert chat_messages(request) == [{"role": "user", "content": "Hello"}]


def test_documents_stand_in_the_last_message_of_the_user():
    messages = (
        Message(role="user", content="first"),
        Message(role="assistant", content="answer"),
        Message(role="user", content="second"),
        Message(role="assistant", content="begun"),
    )
    request = Request(prompt="P", documents=(Document(id="d", text="D"),), messages=messages)
    assert [message["content"] for message in chat_messages(request)] == [
        "P",
        "first",
        "answer",
        "second\n\n<document>\nD\n</document>",
        "begun",
    ]


@given(st.text(), st.lists(st.text(), max_size=4), st.text(min_size=1))
def test_nothing_is_lost_and_the_prompt_is_the_same_whatever_is_retrieved(prompt, texts, question):
    documents = tuple(Document(id=str(i), text=text) for i, text in enumerate(texts))
    request = Request(prompt=prompt, documents=documents, messages=(Message(role="user", content=question),))
    written = chat_messages(request)
    assert [message["content"] for message in written if message["role"] == "system"] == ([prompt] if prompt else [])
    assert written[-1]["content"].startswith(question)
    position = len(question)
    for text in texts:
        position = written[-1]["content"].index(text, position)


CALL = ToolCall(id="c1", name="read_mail", arguments='{"id": "M1"')


def test_calls_and_results_are_written_as_the_tools_protocol_wants_them():
    messages = (
        Message(role="user", content="Read it."),
        Message(role="assistant", content="", tool_calls=(CALL,)),
        Message(role="tool", content="Hello.", tool_call_id="c1"),
    )
    request = Request(prompt="P", documents=(Document(id="d", text="D"),), messages=messages)
    assert chat_messages(request) == [
        {"role": "system", "content": "P"},
        {"role": "user", "content": "Read it.\n\n<document>\nD\n</document>"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "read_mail", "arguments": '{"id": "M1"'}}
            ],
        },
        {"role": "tool", "content": "Hello.", "tool_call_id": "c1"},
    ]


def test_tools_are_listed_with_their_schemas():
    tool = Tool(name="pay", description="Pays.", parameters={"type": "object", "properties": {}})
    described = {"name": "pay", "description": "Pays.", "parameters": {"type": "object", "properties": {}}}
    assert chat_tools((tool,)) == [{"type": "function", "function": described}]
    assert chat_tools(()) == []


@pytest.mark.parametrize(
    ("given", "text"), [('{"a": 1}', '{"a": 1}'), ({"a": 1}, '{"a":1}'), (None, "{}"), ("", "{}"), ("{", "{")]
)
def test_arguments_are_kept_as_they_were_written(given, text):
    assert written(given) == text
