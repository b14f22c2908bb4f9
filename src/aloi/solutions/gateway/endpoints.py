"""The endpoints that a gateway answers at, each in its protocol."""

import re
from collections.abc import Iterable

from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.completions import Completions
from aloi.solutions.gateway.dialects.counts import CountedMessages, CountedResponses
from aloi.solutions.gateway.dialects.dialect import Dialect
from aloi.solutions.gateway.dialects.embeddings import Embeddings
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.dialects.responses import Responses
from aloi.solutions.gateway.policy import Policy
from aloi.solutions.gateway.sealing import Seal

# What holds no text of anybody: the list of models, and one of them by a name without blanks, `owner/model` at most.
PASSED = {"/v1/models": "GET"}
_NAME = r"(?!\.+(?:/|$))[\w.:@+-]{1,100}"
_ONE = re.compile(rf"(?:/.*)?/models/({_NAME}(?:/{_NAME})?)", re.ASCII)


def endpoints(policy: Policy, seal: Seal) -> tuple[Dialect, ...]:
    """Every protocol, as the policy has its unreadable parts treated; `seal` closes what only the model reads again."""
    unread = policy.serving.unread
    return (
        Chat(unread=unread),
        Responses(unread=unread),
        Messages(unread=unread, seal=seal),
        Completions(unread=unread),
        Embeddings(unread=unread),
        CountedResponses(unread=unread),
        CountedMessages(unread=unread, seal=seal),
    )


def dialect_for(path: str, dialects: Iterable[Dialect]) -> Dialect | None:
    """The protocol of an address by how its path ends; of several the one that it has most of. None for another."""
    fitting = [one for one in dialects if ends_as(path, one.path)]
    return max(fitting, key=lambda one: len(one.path), default=None)


def passes(method: str, path: str) -> bool:
    """Whether an address is of an endpoint that passes without guards."""
    listed = any(method == allowed and ends_as(path, known) for known, allowed in PASSED.items())
    return listed or (method == "GET" and bool(one_model(path)))


def one_model(path: str) -> str:
    """The model whose entry an address asks for, '' where it asks for none."""
    found = _ONE.fullmatch(path)
    return found[1] if found else ""


def method_of(path: str) -> str | None:
    """The method of an endpoint of the gateway's that passes without guards, None for another path."""
    return PASSED.get(path) or ("GET" if one_model(path) and path.startswith("/v1/models/") else None)


def ends_as(path: str, known: str) -> bool:
    """Whether a path ends in the steps of an endpoint's, whatever comes before in place of `/v1`."""
    steps, tail = _steps(path), _steps(known.removeprefix("/v1"))
    return steps[-len(tail) :] == tail


def _steps(path: str) -> list[str]:
    return [step for step in path.split("/") if step]
