"""The one door for JSON: bytes become a typed value, or an `EvidenceError` says why not."""

import json
import re
from typing import NoReturn, TypeVar

import msgspec

from aloi.errors import EvidenceError, Said
from aloi.translation import N_

T = TypeVar("T")

LIMIT = 1 << 20
DEPTH = 32

# All but brackets. A string runs to its closing quote or to the end of the text: possessive, so that hostile text
# costs linear time.
_NOT_BRACKETS = re.compile(r'(?:"(?:[^"\\]++|\\.)*+"?|[^"\[\]{}]++)++', re.DOTALL)
_INNERMOST = re.compile(r"\[\]|\{\}")
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def decode(data: bytes, kind: type[T], /, *, limit: int = LIMIT, floats: bool = True) -> T:
    """Read `data` (UTF-8 JSON of at most `limit` bytes) as `kind`.

    Refused, with an `EvidenceError` whose `reason` is one of: 'too-large', 'not-utf8', 'too-deep' (more than 32
    levels), 'not-json' (NaN and Infinity included), 'duplicate-key' (also when two spellings give one key, RFC 8259
    section 4), 'float' (with `floats=False`: a signed number is a decimal string or an integer), 'wrong-type' and
    'invalid-value' (both with the path).
    """
    _scan(data, limit, floats=floats)
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        _refuse_value(error)
    except ArithmeticError as error:  # a decimal NaN inside a record that compares its fields
        raise EvidenceError(
            N_("a number in the evidence is not a number"),
            reason="invalid-value",
            remedy=N_("obtain the evidence again from its author"),
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse_json(str(error))


def shown(text: object, length: int = 80) -> str:
    """Foreign text made fit for a sentence: one line, no control characters, at most `length` characters."""
    plain = repr(str(text))[1:-1]
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def visible(text: str) -> str:
    """Foreign text with the characters that nobody would see (controls, bidirectional overrides, tags) spelled out."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", text.replace("\r\n", "\n"))


def utf8(data: bytes, limit: int) -> str:
    """The text of at most `limit` bytes. Raises EvidenceError: 'too-large' or 'not-utf8'."""
    if len(data) > limit:
        raise EvidenceError(
            N_("the evidence is {size} bytes long; at most {limit} are read"),
            reason="too-large",
            remedy=N_("ask for it again: evidence carries digests, not transcripts, and stays small"),
            size=len(data),
            limit=limit,
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EvidenceError(
            N_("the evidence is not UTF-8 text: byte {position} cannot be read"),
            reason="not-utf8",
            remedy=N_("obtain the evidence again from its author"),
            position=error.start,
        ) from error


def _scan(data: bytes, limit: int, *, floats: bool) -> None:
    text = utf8(data, limit)
    _bound_depth(text)
    try:
        (_ANY_NUMBER if floats else _EXACT_NUMBERS).decode(text)
    except (ValueError, RecursionError) as error:
        _refuse_json(str(error))


def _bound_depth(text: str) -> None:
    brackets = _NOT_BRACKETS.sub("", text)
    for _ in range(DEPTH):  # each pass takes the innermost level away
        if not brackets:
            return
        brackets, removed = _INNERMOST.subn("", brackets)
        if not removed:
            _refuse_json("brackets do not match")
    if brackets:
        raise EvidenceError(
            N_("the evidence nests deeper than {depth} levels"),
            reason="too-deep",
            remedy=N_("obtain the evidence again from its author"),
            depth=DEPTH,
        )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise EvidenceError(
            N_("the key “{key}” stands twice in one object: two readers could read two things"),
            reason="duplicate-key",
            remedy=N_("obtain the evidence again from its author"),
            key=shown(twice),
        )
    return result


def _refuse_json(problem: str) -> NoReturn:
    raise EvidenceError(
        N_("the evidence is not JSON: {problem}"),
        reason="not-json",
        remedy=N_("it may be cut short or altered: obtain it again from its author"),
        problem=shown(problem),
    )


def _refuse_float(number: str) -> NoReturn:
    raise EvidenceError(
        N_("the number {number} is a binary float; a signed number is a decimal string or an integer"),
        reason="float",
        remedy=N_("tell the one who signed it: it must be signed anew with exact numbers"),
        number=shown(number),
    )


# What msgspec says of a value, and the same as a sentence of ours.
_FOUND = (
    (re.compile(r"Object missing required field `(?P<field>[^`]*)`"), N_("the field {field} is missing")),
    (re.compile(r"Object contains unknown field `(?P<field>[^`]*)`"), N_("the field {field} is unknown")),
    (re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`"), N_("got {got}, expected {expected}")),
    (re.compile(r"Invalid enum value (?P<got>.*)"), N_("got {got}, which is none of the known values")),
    (re.compile(r"Expected `str` matching regex (?P<expected>.*)"), N_("the text is not of the form {expected}")),
    (
        re.compile(r"Expected `[^`]*` of length (?P<expected>[<>=]+ [0-9]+)"),
        N_("its length is not {expected}"),
    ),
    (re.compile(r"Expected `[^`]*` (?P<expected>[<>=]+ [0-9.]+)"), N_("the number is not {expected}")),
)


def _found(problem: str) -> object:
    for form, sentence in _FOUND:
        if found := form.fullmatch(problem):
            return Said(sentence, **{name: shown(text, 160) for name, text in found.groupdict().items()})
    return shown(problem, 160)


def _refuse_value(error: msgspec.ValidationError) -> NoReturn:
    problem, _, path = str(error).partition(" - at `")
    raise EvidenceError(
        N_("the evidence does not have the expected form at {path}: {problem}"),
        # msgspec sets a cause only where a record itself refused its fields
        reason="wrong-type" if error.__cause__ is None else "invalid-value",
        remedy=N_("obtain the evidence again from its author"),
        path=shown(path.removesuffix("`") or "$"),
        problem=_found(problem),
    ) from error


_ANY_NUMBER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_json)
_EXACT_NUMBERS = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_json, parse_float=_refuse_float)
