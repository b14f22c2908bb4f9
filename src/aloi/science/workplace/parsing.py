"""Read a command line of the toy shell: words, quotes, substitution, pipes, redirection. Nothing here runs anything."""

from collections.abc import Callable

from msgspec import Struct

from aloi.science.workplace.office import LARGEST, Trouble

Substitute = Callable[[str], str]
OPERATORS = ("&&", "||", ">>", ";", "|", ">", "<", "&", "\n")
LONGEST = 20_000


class Command(Struct):
    """One simple command, how it is tied to the one before ('', ';', '&&', '||' or '|'), and where its output goes."""

    words: list[str]
    tie: str = ""
    into: str = ""
    append: bool = False


class _Reader:
    def __init__(self, line: str, substitute: Substitute) -> None:
        self._line = line
        self._at = 0
        self._substitute = substitute
        self._word: str | None = None
        self._size = 0
        self.tokens: list[tuple[bool, str]] = []  # whether it is an operator, and its text

    def read(self) -> list[tuple[bool, str]]:
        while self._at < len(self._line):
            self._step()
        self._end_word()
        return self.tokens

    def _step(self) -> None:
        rest = self._line[self._at :]
        operator = next((one for one in OPERATORS if rest.startswith(one)), "")
        if operator:
            self._end_word()
            self.tokens.append((True, ";" if operator in {"\n", "&"} else operator))
            self._at += len(operator)
        elif rest[0].isspace():
            self._end_word()
            self._at += 1
        elif rest[0] == "'":
            self._add(self._until("'", self._at + 1))
        elif rest[0] == '"':
            self._quoted()
        else:
            self._plain()

    def _plain(self) -> None:
        """One character outside quotes, or a substitution."""
        if not self._substituted():
            if self._line[self._at] == "\\" and self._at + 1 < len(self._line):
                self._at += 1
            self._add(self._line[self._at])
            self._at += 1

    def _quoted(self) -> None:
        """Between double quotes a substitution still works, as in a real shell."""
        self._at += 1
        self._add("")
        while self._at < len(self._line) and self._line[self._at] != '"':
            self._plain()
        if self._at >= len(self._line):
            raise Trouble("a quotation mark is not closed")
        self._at += 1

    def _substituted(self) -> bool:
        if self._line.startswith("$(", self._at):
            self._add(self._substitute(self._enclosed(self._at + 2)))
            return True
        if self._line[self._at] == "`":
            self._add(self._substitute(self._until("`", self._at + 1)))
            return True
        return False

    def _enclosed(self, start: int) -> str:
        """What stands up to the bracket that closes; substitutions nest."""
        depth = 1
        for at in range(start, len(self._line)):
            depth += {"(": 1, ")": -1}.get(self._line[at], 0)
            if not depth:
                self._at = at + 1
                return self._line[start:at]
        raise Trouble(") is missing")

    def _until(self, mark: str, start: int) -> str:
        end = self._line.find(mark, start)
        if end < 0:
            raise Trouble(f"{mark} is missing")
        self._at = end + 1
        return self._line[start:end]

    def _add(self, text: str) -> None:
        self._size += len(text)
        if self._size > LARGEST:  # what is substituted may be a whole file, again and again
            raise Trouble("this line becomes too long")
        self._word = (self._word or "") + text

    def _end_word(self) -> None:
        if self._word is not None:
            self.tokens.append((False, self._word))
        self._word = None


def commands(line: str, substitute: Substitute) -> list[Command]:
    """The commands of a line; `substitute` runs what stands in `$(…)`. Raises Trouble for what cannot be read."""
    if len(line) > LONGEST:
        raise Trouble(f"a command has at most {LONGEST} characters")
    found = [Command(words=[])]
    tokens = iter(_Reader(line, substitute).read())
    for is_operator, text in tokens:
        if not is_operator:
            found[-1].words.append(text)
        elif text in {">", ">>"}:
            found[-1].into, found[-1].append = _target(next(tokens, (True, "")), text), text == ">>"
        elif text == "<":
            found[-1].words.append(_target(next(tokens, (True, "")), text))
        else:
            found.append(Command(words=[], tie=text))
    return [one for one in found if one.words or one.into]


def _target(token: tuple[bool, str], operator: str) -> str:
    if token[0]:
        raise Trouble(f"a file name is missing after {operator}")
    return token[1]
