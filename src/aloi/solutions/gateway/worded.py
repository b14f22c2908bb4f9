"""What stands beside a conversation is read by its words where a guard judges words: codes are none.

Names of calls, traces, sessions and cache keys are drawn by chance. A model of n-grams takes one in fifty of them for
an attack, for it was measured on sentences.
"""

import re

import msgspec

from aloi.solutions.encoded import layers
from aloi.solutions.guard import Allow, Around, Ruling
from aloi.solutions.passage import Guards
from aloi.system.messages import Message

FEWEST = 3  # words: fewer are no sentence, be they a mark at which an answer stops
# Drawn by chance: hexadecimal or other digits, or letters and digits that change places more than once.
_CODE = re.compile(
    r"(?<![^\W_])(?:(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{4,}|(?=[0-9]*[A-F])(?=[A-F]*[0-9])[0-9A-F]{4,}|[0-9]{9,}"
    r"|(?=[A-Za-z]+[0-9]+[A-Za-z]|[0-9]+[A-Za-z]+[0-9])[A-Za-z0-9]{9,})(?![^\W_])",
)
_WORD = re.compile(r"[^\W_]+")
_SPOKEN = re.compile(r"[^\W\d_]{3,}")  # what digits hold by chance has none of them
_PLAIN = re.compile(r"(?<![^\W_])[^\W\d_]+(?![^\W_])")


class Worded(Around):
    """A guard that is shown the words of a text, and nothing where there are too few."""

    def screen(self, message: Message) -> Ruling:
        """What the guard rules of the words; `Allow` where there are too few."""
        text = words(message.content)
        return super().screen(msgspec.structs.replace(message, content=text)) if text else Allow()


def worded(readers: Guards) -> Guards:
    """These guards, those that judge words (`judges_words`) by the words alone."""
    return [(name, Worded(guard) if getattr(guard, "judges_words", False) else guard) for name, guard in readers]


def words(text: str) -> str:
    """A text, and what it holds encoded, without codes and marks; as it is where it is no ASCII, and empty where no
    sentence is left."""
    if not text.isascii():
        return text
    decoded = [layer.text for layer in layers(text)]
    read = "\n".join([text, *(one for one in decoded if len(_SPOKEN.findall(one)) >= FEWEST)])
    lines: dict[str | int, str] = {}  # what is said twice says no more; an empty line ends a sentence
    for place, line in enumerate(read.split("\n")):
        if (said := _of_line(line)) or not line:
            lines.setdefault(said or place, said)
    left = "\n".join(lines.values())
    return left if len(_WORD.findall(left)) >= FEWEST else ""


def _of_line(line: str) -> str:
    """A line; where it is no sentence its words alone, and those of what holds a code."""
    left = " ".join(" ".join(_PLAIN.findall(one)) if _CODE.search(one) else one for one in line.split(" "))
    found = _WORD.findall(left)
    return left if len(found) >= FEWEST else " ".join(found)
