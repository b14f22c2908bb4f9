"""The update of a detector that `remedy_options` names: an accepted one, in a file beside system.yaml, read once."""

from pathlib import Path
from typing import Any

import msgspec

from aloi.errors import EvidenceError, Fault
from aloi.evidence.acceptedupdates import FILE_LIMIT, read
from aloi.evidence.updates import DETECTOR
from aloi.system.beside import read_beside
from aloi.system.loading import Lines, Place, dotted, line_of
from aloi.translation import N_

KEY = "update"


def with_update(options: dict[str, dict[str, Any]], folder: Path, lines: Lines) -> dict[str, dict[str, Any]] | Fault:
    """The options of remedies, the name of an update's file replaced by what it holds; or why it is not read.

    What an update is then stands in the options themselves: fingerprint, run and remedy cover it.
    """
    named = options.get(DETECTOR, {}).get(KEY)
    if named is None:
        return options
    at: Place = ("remedy_options", DETECTOR, KEY)
    place, line = dotted(at), line_of(lines, at)
    if not isinstance(named, str) or not named:
        sentence = N_("{path}: expected the name of a file beside system.yaml")
        return Fault(sentence, path=place, line=line, remedy=N_("name the file that aloi guard accept wrote"))
    data = read_beside(folder / named, folder, FILE_LIMIT, place, line)
    if isinstance(data, Fault):
        return data
    try:
        update = read(data)
    except EvidenceError as error:
        return Fault(
            N_("{path}: {file} holds no update that may run ({reason})"),
            path=place,
            line=line,
            remedy=N_("name the file that aloi guard accept wrote"),
            file=named,
            reason=error.reason,
        )
    return options | {DETECTOR: options[DETECTOR] | {KEY: msgspec.to_builtins(update)}}
