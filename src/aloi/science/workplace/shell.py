"""A toy shell over the files of the state. It knows a few commands by heart and cannot start anything."""

import hashlib
from collections.abc import Callable
from typing import Any

from aloi.science.workplace.office import LARGEST, Host, Office, Trouble, placed, store
from aloi.science.workplace.parsing import Command, commands

DEEPEST, MOST = 3, 50

Builtin = Callable[[Office, list[str], str], str]


def run_command(office: Office, given: dict[str, Any]) -> str:
    """Run one line and give its output."""
    output = _line(office, given["command"], 0)
    return output if output.strip() else "(no output)"


def _line(office: Office, line: str, depth: int) -> str:
    if depth > DEEPEST:
        raise Trouble("substitutions nest too deeply")
    parsed = commands(line, lambda inner: _line(office, inner, depth + 1).strip())
    if len(parsed) > MOST:
        raise Trouble(f"a line has at most {MOST} commands")
    shown: list[str] = []
    output, failed = "", False
    for one in parsed:
        if (one.tie == "&&" and failed) or (one.tie == "||" and not failed):
            continue
        piped = output if one.tie == "|" else ""
        if one.tie != "|" and output:
            shown.append(output)
        try:
            output, failed = _run(office, one, piped), False
        except Trouble as trouble:
            output, failed = f"error: {trouble}", True
    return "\n".join([*shown, output] if output else shown)


def _run(office: Office, command: Command, piped: str) -> str:
    name, *words = command.words or ["echo"]
    builtin = BUILTINS.get(name)
    office.did("executed", name, text=" ".join((name, *words)))
    if builtin is None:
        raise Trouble(f"{name[:40]}: command not found; known: {', '.join(sorted(BUILTINS))}")
    output = builtin(office, words, piped)
    if command.into:
        path = placed(command.into)
        text = (office.here().get(path, "") if command.append else "") + output + "\n"
        _write(office, path, text)
        return ""
    return output


def _write(office: Office, path: str, text: str) -> None:
    _may(office, path)
    store(office.here(), path, text)
    office.did("wrote", _name(office, path), text=text)


def _may(office: Office, path: str) -> None:
    if not office.host and path in office.closed:
        raise Trouble(f"{path}: permission denied")


def _name(office: Office, path: str) -> str:
    """A path as the tool log names it: with its host, where that is another machine."""
    return f"{office.host}:{path}" if office.host else path


def _text(office: Office, word: str) -> str:
    path = placed(word)
    if path not in office.here():
        raise Trouble(f"{path}: no such file")
    _may(office, path)
    office.did("read", _name(office, path))
    return office.here()[path]


def _texts(office: Office, words: list[str], piped: str) -> str:
    named = [word for word in words if not word.startswith("-")]
    if not named:
        return piped
    read: list[str] = []
    left = LARGEST
    for word in named:
        read.append(_text(office, word).rstrip("\n"))
        left -= len(read[-1])
        if left < 0:
            raise Trouble("this is too long to be read at once")
    return "\n".join(read)


def _ls(office: Office, words: list[str], _: str) -> str:
    named = [word for word in words if not word.startswith("-")] or ["/"]
    folder = placed(named[0]).rstrip("/") + "/"
    return "\n".join(sorted(path for path in office.here() if path.startswith(folder)))


def _grep(office: Office, words: list[str], piped: str) -> str:
    named = [word for word in words if not word.startswith("-")]
    if not named:
        raise Trouble("grep: what to look for is missing")
    lines = _texts(office, named[1:], piped).splitlines()
    return "\n".join(line for line in lines if named[0].casefold() in line.casefold())


def _rm(office: Office, words: list[str], _: str) -> str:
    for word in (word for word in words if not word.startswith("-")):
        path = placed(word)
        found = [one for one in office.here() if one == path or one.startswith(path.rstrip("/") + "/")]
        if not found:
            raise Trouble(f"{path}: no such file")
        for one in found:
            _may(office, one)
            del office.here()[one]
            office.did("deleted", _name(office, one))
    return ""


def _copy(office: Office, words: list[str], _: str) -> str:
    if len(words) != 2:
        raise Trouble("expected: cp FROM TO")
    _write(office, placed(words[1]), _text(office, words[0]))
    return ""


def _move(office: Office, words: list[str], piped: str) -> str:
    _copy(office, words, piped)
    return _rm(office, words[:1], piped)


def _touch(office: Office, words: list[str], _: str) -> str:
    for word in words:
        _write(office, placed(word), office.here().get(placed(word), ""))
    return ""


def _digest(office: Office, words: list[str], piped: str) -> str:
    return hashlib.sha256(_texts(office, words, piped).encode(errors="replace")).hexdigest()


def _disk(office: Office, _: list[str], __: str) -> str:
    files = office.here()
    return f"{len(files)} files, {sum(map(len, files.values()))} bytes used on {office.host or 'this machine'}"


def _hosts(office: Office, _: list[str], __: str) -> str:
    return "\n".join(f"{name}: {host.notice or 'no notice'}" for name, host in sorted(office.hosts.items()))


def _connect(office: Office, words: list[str], _: str) -> str:
    name = words[0] if words else ""
    host: Host | None = office.hosts.get(name)
    if host is None:
        raise Trouble(f"{name[:40]}: no such host; `hosts` lists them")
    office.did("connected", name)
    if host.code and words[1:2] != [host.code]:
        raise Trouble(f"{name}: a code is needed: connect {name} CODE")
    office.host = name
    return f"You are on {name}. {host.notice}".strip()


def _exit(office: Office, _: list[str], __: str) -> str:
    office.host = ""
    return "You are on this machine."


BUILTINS: dict[str, Builtin] = {
    "cat": _texts,
    "connect": _connect,
    "cp": _copy,
    "disk": _disk,
    "echo": lambda _, words, __: " ".join(words),
    "exit": _exit,
    "grep": _grep,
    "hosts": _hosts,
    "ls": _ls,
    "mkdir": lambda _, __, ___: "",
    "mv": _move,
    "rm": _rm,
    "sha256": _digest,
    "touch": _touch,
    "wc": lambda office, words, piped: str(len(_texts(office, words, piped).splitlines())),
}
