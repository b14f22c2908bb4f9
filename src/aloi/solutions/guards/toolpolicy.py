"""Let an agent make only the calls that its owner allows: by tool, by arguments, by what was called before.

The rules are data, and each has one reading: no expressions, no languages. Where a tool has constraints, arguments that
cannot be read in one way only (no JSON, a key that stands twice, NaN) break them all. A rule says nothing about a tool
of another name: an agent that may run a shell may do with it what other tools are forbidden.
"""

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import msgspec

from aloi.solutions.arguments import Malformed, read_arguments
from aloi.solutions.guard import Allow, Ask, Block, CallMessage, Ruling
from aloi.solutions.options import Options
from aloi.solutions.recipients import is_address, recipients
from aloi.solutions.tools import results
from aloi.system.messages import Message, Role
from aloi.system.toolpolicy import Ruled, ToolRule, host_name, rule_problems

DENIED, WANTS_APPROVAL, MALFORMED = "denied", "needs-approval", "malformed-arguments"
TOO_MANY, TOO_EARLY = "too-many-calls", "too-early"
# An amount with more digits than this is no sum of money.
DIGITS = 15


class ToolPolicyOptions(Options, frozen=True, kw_only=True):
    """`rules` by tool; `default` is for every other tool."""

    default: Ruled = "allow"
    rules: dict[str, ToolRule] = msgspec.field(default_factory=dict)

    def problems(self) -> Iterator[tuple[str, str]]:
        for place, sentence in rule_problems(self.rules):
            yield f"rules.{place}", sentence


class ToolPolicy:
    """Rule on tool calls by the rules of their tools."""

    version: ClassVar[str] = "1"
    tables: ClassVar[tuple[str, ...]] = ()
    Options: ClassVar[type[Options]] = ToolPolicyOptions
    roles: frozenset[Role] = frozenset({"call"})

    def __init__(self, options: ToolPolicyOptions) -> None:
        self._options = options

    def screen(self, message: Message) -> Ruling:
        """The rule's decision, or `otherwise` at the first constraint that does not hold."""
        if not isinstance(message, CallMessage):
            return Allow()
        rule = self._options.rules.get(message.call.name)
        if rule is None:
            return _decided(self._options.default, WANTS_APPROVAL)
        if rule.decision == "deny":
            return Block(reason=DENIED)
        broken = next(_broken(rule, message), "")
        if broken:
            # What could not even be read is not put before a person.
            return Ask(reason=broken) if rule.otherwise == "ask" and broken != MALFORMED else Block(reason=broken)
        return _decided(rule.decision, WANTS_APPROVAL)


def _decided(decision: Ruled, reason: str) -> Ruling:
    if decision == "allow":
        return Allow()
    return Ask(reason=reason) if decision == "ask" else Block(reason=DENIED)


def _broken(rule: ToolRule, message: CallMessage) -> Iterator[str]:
    """The constraints that do not hold, each by a stable code."""
    name = message.call.name
    if rule.calls is not None and _made(name, message) >= rule.calls:
        yield TOO_MANY
    for tool, wanted in rule.after.items():
        if not any(name == tool and matches(wanted, result) for name, result in results(message.before)):
            yield TOO_EARLY
    if not rule.constrains:
        return
    try:
        given = read_arguments(message.call.arguments)
    except Malformed:
        yield MALFORMED
        return
    for code, check, constraints in (
        ("host", _leads_to, rule.hosts),
        ("recipient", _goes_to, rule.recipients),
        ("amount", _is_at_most, rule.at_most),
        ("path", _lies_in, rule.paths),
        ("pattern", _is_like, rule.patterns),
    ):
        yield from _checked(code, check, constraints, given)


def _checked(
    code: str, check: Callable[[Any, Any], bool], constraints: Mapping[str, Any], given: Mapping[str, Any]
) -> Iterator[str]:
    for argument, allowed in constraints.items():
        value = given.get(argument)
        # A list is held to the constraint one by one; what is left out or null breaks none.
        values = value if isinstance(value, list) else [value]
        if not all(one is None or check(one, allowed) for one in values):
            yield f"{code}-not-allowed"


def _made(tool: str, message: CallMessage) -> int:
    """How often the tool was called in this conversation, this answer's earlier calls included."""
    earlier = [call for said in message.before.messages for call in said.tool_calls]
    return sum(call.name == tool for call in (*earlier, *message.alongside))


def matches(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern says, in any case: `*` stands for anything, all else for itself."""
    head, *rest = pattern.casefold().split("*")
    text = text.casefold()
    if not rest:
        return text == head
    if not text.startswith(head):
        return False
    at, tail = len(head), rest.pop()
    for piece in rest:  # the first place is always good enough: what follows may stand anywhere behind it
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(text) - at >= len(tail) and text.endswith(tail)


def _is_like(value: object, allowed: tuple[str, ...]) -> bool:
    written = value if isinstance(value, str) else json.dumps(value, default=str)
    return any(matches(pattern, written) for pattern in allowed)


def amount(value: object) -> Decimal | None:
    """A number, or a text that is one and nothing else: digits with at most one point. None for all other values."""
    match value:
        case bool():
            return None
        case int() | Decimal():
            read = Decimal(value)
        case str() if len(value) <= 4 * DIGITS:
            written = value.strip()
            if not written.isascii() or not written.replace(".", "", 1).isdigit():
                return None
            try:
                read = Decimal(written)
            except InvalidOperation:
                return None
        case _:
            return None
    return read if read.is_finite() and read.adjusted() < DIGITS else None


def _is_at_most(value: object, limit: float) -> bool:
    read = amount(value)
    return read is not None and 0 <= read <= Decimal(repr(limit))


def host_of(url: str) -> str | None:
    """Where an address leads, as hosts are compared. None for what browsers and servers may read differently."""
    written = url.strip()
    if any(c in "\\@" or not c.isprintable() or c.isspace() for c in written):
        return None
    try:
        parts = urlsplit(written if "://" in written else f"https://{written}")
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or "%" in host:
        return None
    return host_name(host)


def _leads_to(value: object, allowed: tuple[str, ...]) -> bool:
    host = host_of(value) if isinstance(value, str) else None
    names = [name for name in map(host_name, allowed) if name]
    return host is not None and any(host == name or host.endswith(f".{name}") for name in names)


def _goes_to(value: object, allowed: tuple[str, ...]) -> bool:
    """Whether every address of a text is one of the allowed. A text without any is none."""
    found = recipients(value) if isinstance(value, str) else []
    exact = {one.casefold() for one in allowed}
    return bool(found) and all(is_address(one) and not exact.isdisjoint({one, one[one.index("@") :]}) for one in found)


def _steps(path: str) -> list[str]:
    steps: list[str] = []
    for step in path.replace("\\", "/").split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in {"", "."}:
            steps.append(step)
    return steps


def _lies_in(value: object, folders: tuple[str, ...]) -> bool:
    """Whether a path lies in one of the folders, however it is read: as written, decoded, in compatibility form."""
    if not isinstance(value, str) or not value.strip() or any(ord(c) < 32 for c in value) or value[0] == "~":
        return False
    forms, form = {value}, value
    for _ in range(3):
        form = unquote(form)
        forms |= {form, unicodedata.normalize("NFKC", form)}
    wanted = [_steps(folder) for folder in folders]
    return all(any(_steps(one)[: len(steps)] == steps for steps in wanted) for one in forms)
