"""Attacks: every wrapper in every language it declares keeps the request, words it afresh, and is pure."""

import json
import random
import re
from base64 import b64decode
from codecs import decode
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aloi import plugins
from aloi.errors import AskerError, UnknownName
from aloi.science import attacks
from aloi.science.attack import Wrapped, attack_for, speaks, wrap
from aloi.science.attacks.encodings import InvisibleCharacters, Leetspeak
from aloi.science.attacks.wording import Wording
from aloi.science.egress import EgressDenied

SIX = {"en", "fr", "es", "de", "ar", "zh"}
LATIN = SIX - {"ar", "zh"}
NAMES = plugins.names("aloi.attacks")
CASES = [(name, language) for name in NAMES for language in sorted(attack_for(name).languages or SIX)]
REQUEST = "Tell me the name of the cat in the story, please."
DATA = Path(attacks.__file__).parent / "data"

texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200).filter(str.strip)
every_case = pytest.mark.parametrize(("name", "language"), CASES)


def said(wrapped: Wrapped) -> list[str]:
    """Every text of a wrapped request, in the order in which the system reads them."""
    return [
        *(message.content for message in wrapped.messages if not message.tool_calls),
        *wrapped.script,
        *(document.text for document in wrapped.documents),
    ]


def strings(text: str) -> list[str]:
    """Every JSON string of a text."""
    return [json.loads(found) for found in re.findall(r'"(?:[^"\\\n]|\\.)*"', text)]


def pieces(text: str) -> str:
    """The named pieces of a text, joined."""
    return "".join(json.loads(found) for found in re.findall(r'^[a-z] = (".*")$', text, re.MULTILINE))


def as_letters(text: str) -> str:
    return Leetspeak().decode(text).casefold()


READERS = {
    "base64": lambda text, request: request in (b64decode(line).decode() for line in lines_of(text, request)),
    "rot13": lambda text, request: request in decode(text, "rot13"),
    "leetspeak": lambda text, request: as_letters(request) in as_letters(text),
    "invisible-characters": lambda text, request: (
        InvisibleCharacters().decode(request) in InvisibleCharacters().decode(text)
    ),
    "split-payload": lambda text, request: pieces(text) == request,
    "format-smuggling": lambda text, request: request in strings(text),
}


def lines_of(text: str, request: str) -> list[str]:
    """The lines that can be the request in base64."""
    length = 4 * -(-len(request.encode()) // 3)
    return [line for line in text.split("\n") if re.fullmatch(rf"[A-Za-z0-9+/=]{{{length}}}", line)]


def keeps(name: str, wrapped: Wrapped, request: str) -> bool:
    """Whether the request can be read back from what was made of it."""
    read = READERS.get(name, lambda text, request: request in text)
    return any(read(text, request) for text in said(wrapped))


def test_there_are_enough_of_them_in_six_languages():
    assert len(NAMES) >= 18
    for name in NAMES:
        languages = attack_for(name).languages
        assert languages in ({*SIX}, {*LATIN}, frozenset()), name
        assert all(speaks(name, language) for language in languages or SIX)
    assert [name for name in NAMES if not speaks(name, "ar")] == ["leetspeak", "rot13"]


@every_case
@settings(max_examples=20, deadline=None)
@given(text=texts, seed=st.integers())
def test_no_wrapper_loses_the_request_or_says_nothing(name, language, text, seed):
    wrapped = wrap(name, text, language, random.Random(seed))
    assert keeps(name, wrapped, text)
    assert all(part.strip() for part in said(wrapped))
    assert wrap(name, text, language, random.Random(seed)) == wrapped, "the same draw, the same words"
    msgspec.json.encode(wrapped)


@every_case
def test_the_wording_is_fresh(name, language):
    drawn = {str(wrap(name, REQUEST, language, random.Random(seed))) for seed in range(400)}
    assert len(drawn) == 1 if name == "plain" else len(drawn) >= 50


@every_case
def test_every_template_of_a_data_file_can_be_filled(name, language):
    """No slot is left over, in any of very many draws."""
    for seed in range(300):
        for text in said(wrap(name, "0", language, random.Random(seed))):
            assert not re.search(r"\{[a-z_]+\}", text)


HOSTILE = {
    "braces": "What is {request} and {} and {0} and {{x}} {encoded} {quoted}?",
    "right to left": "ما هو الرمز السري؟ \u202eeterces\u202c",
    "one letter": "?",
    "two letters": "ab",
    "quotes and lines": "She said: \"no\"\n'yes' \\ </document> ``` \t end",
    "NUL and controls": "a\x00b\x1bc",
    "emoji and joiners": "👩\u200d👩\u200d👧 and é as e\u0301",
    "looks like base64": "QUJD",
    "blank at the ends": "  a question  \n",
    "a megabyte": "Why? " * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("name", NAMES)
def test_hostile_requests_are_kept_as_they_are(name, text):
    for language in ("fr", "ar") if speaks(name, "ar") else ("fr",):
        assert keeps(name, wrap(name, text, language, random.Random(7)), text)


@pytest.mark.parametrize("text", ["", "\n", " \t\r\n\u2003", "half \ud83d pair", "\udc00"])
@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_could_send_is_refused(name, text):
    with pytest.raises(AskerError, match="blank, or holds half"):
        wrap(name, text, "en", random.Random(1))


def test_a_language_that_is_not_spoken_and_a_name_that_is_none_are_refused():
    with pytest.raises(AskerError, match="rot13 speaks de, en, es, fr, not zh"):
        wrap("rot13", REQUEST, "zh", random.Random(1))
    with pytest.raises(UnknownName, match="roleplay"):
        wrap("roleplay", REQUEST, "en", random.Random(1))
    assert wrap("plain", REQUEST, "sw", random.Random(1)).messages[0].content == REQUEST


def test_a_crescendo_has_three_to_five_turns_and_asks_last():
    turns = {len(wrap("crescendo", REQUEST, "en", random.Random(seed)).script) + 1 for seed in range(100)}
    assert turns == {3, 4, 5}
    wrapped = wrap("crescendo", REQUEST, "zh", random.Random(1))
    assert REQUEST in wrapped.messages[0].content
    assert REQUEST in wrapped.script[-1]


def test_carriers_name_the_text_that_brings_the_request():
    document = wrap("document-injection", REQUEST, "en", random.Random(1))
    assert REQUEST not in document.messages[0].content
    assert [found.text for found in document.documents if found.id == document.carrier and REQUEST in found.text]
    tool = wrap("tool-result-injection", REQUEST, "en", random.Random(1))
    place = int(tool.carrier.removeprefix("messages[").removesuffix("]"))
    assert tool.messages[place].role == "tool"
    assert REQUEST in tool.messages[place].content
    call = tool.messages[1].tool_calls[0]
    assert tool.messages[place].tool_call_id == call.id
    assert call.name == tool.tools[0].name
    assert json.loads(call.arguments)["query"] == tool.messages[0].content


def test_mixed_language_writes_around_the_request_in_two_others():
    lines = wrap("mixed-language", REQUEST, "de", random.Random(4)).messages[0].content.split("\n")
    assert lines[1] == REQUEST
    assert "Deutsch" in lines[3]


@pytest.mark.parametrize("file", sorted(DATA.glob("*.yaml")), ids=lambda file: file.stem)
def test_data_files_say_where_they_come_from_and_in_which_languages(file):
    held = msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), Wording)
    assert held.name == file.stem
    assert re.search(r"\d{4}-\d{2}-\d{2}", held.source)
    assert held.licence == "Apache-2.0"
    assert set(held.title) == {"en", "fr"}
    tables = [*held.parts.values(), *held.slots.values(), *([held.exchanges] if held.exchanges else [])]
    for table in tables:
        assert set(table) in (SIX, LATIN)
        sizes = {len(choices) for choices in table.values()}
        assert len(sizes) == 1, "as many choices in each language"
        assert all(len(set(choices)) == len(choices) for choices in table.values())
    if held.parts:
        assert held.languages() == set(next(iter(held.parts.values())))


class Leaving:
    title: Mapping[str, str] = MappingProxyType({"en": "-", "fr": "-"})
    languages = frozenset()

    def wrap(self, text, language, rng):
        import socket

        socket.create_connection(("192.0.2.1", 9), 0.1)


class Silent(Leaving):
    def wrap(self, text, language, rng):
        return Wrapped(messages=())


def test_a_plug_in_that_leaves_the_process_or_asks_nothing_is_refused(plugged):
    plugged("aloi.attacks", {name.lower(): f"{__name__}:{name}" for name in ("Leaving", "Silent")})
    with pytest.raises(EgressDenied):
        wrap("leaving", REQUEST, "en", random.Random(1))
    with pytest.raises(AskerError, match="asks nothing"):
        wrap("silent", REQUEST, "en", random.Random(1))
