import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import UnknownName
from aloi.solutions.hardening.spotlighting import Spotlighting, SpotlightingOptions
from aloi.system.messages import Document, Message, Request

REQUEST = Request(
    prompt="You are Azur.",
    documents=(Document(id="a", text="Fees: 2 euros."), Document(id="b", text="Open at <<9:00>>.")),
    messages=(Message(role="tool", content="balance 12"), Message(role="user", content="When do you open?")),
)


def spotlight(request=REQUEST, **options):
    return Spotlighting(SpotlightingOptions(**options)).harden(request)


def test_delimiters_stand_around_each_document_and_in_the_prompt():
    sent = spotlight()
    mark = sent.documents[0].text.split(">>")[0][2:]
    assert len(mark) == 12
    assert [one.text for one in sent.documents] == [f"<<{mark}>>\n{one.text}\n<</{mark}>>" for one in REQUEST.documents]
    assert sent.prompt.startswith("You are Azur.\n\nText between <<" + mark)
    assert sent.messages[0].content == f"<<{mark}>>\nbalance 12\n<</{mark}>>"
    assert sent.messages[1] == REQUEST.messages[1]


def test_marks_are_the_same_for_the_same_request_and_differ_by_key_and_documents():
    assert spotlight() == spotlight()
    assert spotlight(key="one key") != spotlight(key="another key")
    other = Request(prompt=REQUEST.prompt, documents=(Document(id="a", text="x"),), messages=())
    assert spotlight(other).prompt != spotlight().prompt


def test_a_request_without_untrusted_text_is_unchanged():
    bare = Request(prompt="p", messages=(Message(role="user", content="hi"),))
    assert spotlight(bare) == bare


def test_encoding_says_so_in_french():
    sent = spotlight(mode="encode", language="fr")
    assert base64.b64decode(sent.documents[0].text).decode() == "Fees: 2 euros."
    assert "base64" in sent.prompt
    assert "obéissez" in sent.prompt


@given(st.text(min_size=1, max_size=100))
def test_datamarking_leaves_no_blank(text):
    request = Request(prompt="p", documents=(Document(id="a", text=text),), messages=())
    marked = spotlight(request, mode="datamark").documents[0].text
    assert not any(map(str.isspace, marked))


def test_a_patch_is_appended(remedy):
    sent = remedy("hardened-prompt", patches=["brief", "plain-text"], language="fr").implementation.harden(REQUEST)
    assert sent.prompt.startswith("You are Azur.\n\nRépondez en trois phrases")
    assert "pas de lien" in sent.prompt
    assert sent.documents == REQUEST.documents


def test_an_unknown_patch_offers_the_nearest(remedy):
    with pytest.raises(UnknownName) as caught:
        remedy("hardened-prompt", patches=["keep-secret"])
    assert caught.value.facts["nearest"].startswith("keep-secrets")
