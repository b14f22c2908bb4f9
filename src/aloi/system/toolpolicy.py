"""What the owner of an agent says of its tools: which calls it may make, and whose results can be believed."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from aloi.translation import N_

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Pattern = Annotated[str, Meta(min_length=1, max_length=1_000)]
Ruled = Literal["allow", "deny", "ask"]
HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)
# What an argument is. `page` is an address that is only read, `url` one that something is sent to; `setting` is a value
# that governs the account itself, such as a password or an address.
ArgumentKind = Literal["recipient", "account", "url", "page", "path", "command", "setting", "text"]


class ToolRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whether one tool may be called, and with which arguments. All constraints must hold; `otherwise` says what
    happens where one does not. An argument that is left out, or null, breaks none.

    `hosts`: by argument, where its address may lead: names, subdomains included. `recipients`: addresses, or all of
    a domain written `@domain`. `at_most`: the largest amount, never below 0. `paths`: folders in which the path must
    lie. `patterns`: texts in which `*` stands for anything. `calls`: how often in one conversation. `after`: tools
    that must have been called before, each with a pattern that its result must match.
    """

    decision: Ruled = "allow"
    otherwise: Literal["deny", "ask"] = "deny"
    hosts: dict[Name, tuple[Pattern, ...]] = {}
    recipients: dict[Name, tuple[Pattern, ...]] = {}
    at_most: dict[Name, Annotated[float, Meta(ge=0, le=2**53 - 1)]] = {}
    paths: dict[Name, tuple[Annotated[str, Meta(pattern="^/", max_length=1_000)], ...]] = {}
    patterns: dict[Name, tuple[Pattern, ...]] = {}
    calls: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    after: dict[Name, Pattern] = {}

    @property
    def constrains(self) -> bool:
        """Whether a call of this tool must have arguments that can be read."""
        return bool(self.hosts or self.recipients or self.at_most or self.paths or self.patterns)


class ToolsDescription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The tools of an agent. `default` is for those without a rule. `trusted` are tools whose results nobody outside
    can write into; `arguments` says what an argument of a tool is, where its name does not."""

    default: Ruled = "allow"
    rules: dict[Name, ToolRule] = {}
    trusted: tuple[Name, ...] = ()
    arguments: dict[Name, dict[Name, ArgumentKind]] = {}


def rule_problems(rules: Mapping[str, ToolRule]) -> Iterator[tuple[str, str]]:
    """What no schema can say of rules: the place of each fault below `rules`, and a sentence about `{path}`."""
    for tool, rule in rules.items():
        for place, sentence in _problems(tool, rule):
            yield f"{tool}.{place}", sentence


def _problems(tool: str, rule: ToolRule) -> Iterator[tuple[str, str]]:
    for place, host in _entries(rule.hosts):
        if host_name(host) is None:
            yield f"hosts.{place}", N_("{path}: expected the name of a host, such as city.example")
    for place, recipient in _entries(rule.recipients):
        name, at, domain = recipient.rpartition("@")
        if not at or "@" in name or host_name(domain) is None:
            yield f"recipients.{place}", N_("{path}: expected an address, or a domain written @city.example")
    if rule.decision == "deny" and (rule.constrains or rule.calls is not None or rule.after):
        yield "decision", N_("{path}: what is denied needs no constraints")
    if tool in rule.after:
        yield f"after.{tool}", N_("{path}: a tool cannot come before its own first call")


def _entries(constraint: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for argument, allowed in constraint.items():
        yield from ((f"{argument}[{i}]", one) for i, one in enumerate(allowed))


def host_name(written: str) -> str | None:
    """A host as it is compared: lower case, in ASCII (RFC 5891), no closing dot. None for what is no name of a host."""
    try:
        name = written.strip().rstrip(".").encode("idna").decode("ascii").lower() if written.strip() else ""
    except UnicodeError:  # a label that is empty or too long, or letters that no name may hold
        return None
    return name if HOST.fullmatch(name) else None
