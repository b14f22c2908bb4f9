"""Read a corpus: JSON lines with `text`, and where they are known `label`, `lang` and `source`."""

from pathlib import Path

import msgspec
from msgspec import Struct

from aloi.errors import AskerError, Fault, InvalidFile
from aloi.translation import N_

LIMIT = 256 * 1024 * 1024
ATTACK = frozenset({"1", "true", "attack", "positive", "injection", "jailbreak", "malicious"})
ORDINARY = frozenset({"0", "false", "ordinary", "negative", "benign"})


class Text(Struct, frozen=True, kw_only=True):
    """One text. `attack` is None where nobody has said what it is; `line` is where it stands in its file."""

    text: str
    attack: bool | None = None
    language: str = ""
    source: str = ""
    line: int = 0


class _Line(Struct, frozen=True):
    """A line as it is written. Keys that are not ours are let stand: the file may serve others as well."""

    text: str
    label: bool | int | str | None = None
    lang: str | None = None
    source: str | None = None


def read_corpus(path: Path) -> list[Text]:
    """Every text of a file. Raises AskerError where it cannot be read or is empty, InvalidFile with every fault.

    A label is one of `ATTACK` or `ORDINARY`, in any case; none, null or an empty text says that it is not known.
    """
    try:
        if (size := path.stat().st_size) > LIMIT:
            raise AskerError(
                N_("{file} has {size} bytes, more than {limit}"),
                remedy=N_("screen it in parts"),
                file=path,
                size=size,
                limit=LIMIT,
            )
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise AskerError(
            N_("cannot read {file}: {problem}"),
            remedy=N_("give a file of JSON lines in UTF-8, each with a key text"),
            file=path,
            problem=error.strerror or error,
        ) from error
    decoder, texts, faults = msgspec.json.Decoder(_Line), [], []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                texts.append(_text(decoder.decode(line), number))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                sentence = N_("{path}: this is no text to screen: {problem}")
                remedy = N_("write one JSON object a line, with a key text")
                faults.append(Fault(sentence, path="row", line=number, remedy=remedy, problem=error))
            except LookupError as error:
                expected = ", ".join(sorted(ATTACK | ORDINARY))
                sentence = N_("{path}: got {got}, expected one of {expected}")
                faults.append(
                    Fault(sentence, path="label", line=number, got=repr(error.args[0])[:60], expected=expected)
                )
    if faults:
        raise InvalidFile(str(path), faults)
    if not texts:
        raise AskerError(
            N_("{file} holds no text"), remedy=N_("write one JSON object a line, with a key text"), file=path
        )
    return texts


def _text(line: _Line, number: int) -> Text:
    return Text(
        text=line.text, attack=_attack(line.label), language=line.lang or "", source=line.source or "", line=number
    )


def _attack(label: bool | int | str | None) -> bool | None:
    said = "" if label is None else str(label).strip().lower()
    if not said:
        return None
    if said in ATTACK:
        return True
    if said in ORDINARY:
        return False
    raise LookupError(label)
