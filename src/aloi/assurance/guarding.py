"""Put the remedies of a system around the client by which an application asks its model: `aloi.guarded`."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from aloi.assurance.gatekeeping import read_policy
from aloi.assurance.trusting import verified
from aloi.errors import AskerError
from aloi.solutions.clients.transport import GuardedAsyncTransport, GuardedTransport, Unknown
from aloi.solutions.gateway.hosting import Keeps
from aloi.solutions.gateway.policy import Policy
from aloi.translation import N_

Client = TypeVar("Client")
_HTTP = {"Client": GuardedTransport, "AsyncClient": GuardedAsyncTransport}
_CHAT = "BaseChatModel"
_SDK = {"SyncAPIClient", "AsyncAPIClient"}


def policy(
    system: str | Path | Policy, *, evidence: str | Path | None = None, trust: Sequence[str | Path] = ()
) -> Policy:
    """The policy of the system described at a path; one that was read stays as it is.

    With `evidence`, a bundle or the folder of a run, its accepted remedies stand around the model too, and nothing runs
    that is not what was measured. `trust` names public keys that may have signed it, beside one's own. Raises
    AskerError, EvidenceError.
    """
    if isinstance(system, Policy):
        return system
    if evidence is None:
        return read_policy(Path(system))
    return read_policy(Path(system), lambda: verified(Path(evidence), [Path(key) for key in trust]))


def guarded(
    client: Client,
    system: str | Path | Policy,
    *,
    evidence: str | Path | None = None,
    trust: Sequence[str | Path] = (),
    unknown: Unknown = "refuse",
    keeper: Keeps | None = None,
) -> Client:
    """A client like the one given, whose questions and answers pass the remedies of a system in this process.

    `client` is one of OpenAI's or Anthropic's packages, of HTTPX, or a chat model of LangChain, for which `unknown` and
    `keeper` say nothing; the one given stays as it is. `system`, `evidence` and `trust` are as for `policy`.
    `unknown="pass"` carries requests to addresses that no guard can read. `keeper` takes what the guards decided.
    Raises AskerError, EvidenceError.
    """
    kind = _kind(client)
    ran = policy(system, evidence=evidence, trust=trust)
    if kind in _SDK:
        sdk: Any = client
        return sdk.copy(http_client=_around(sdk._client, ran, unknown, keeper))  # type: ignore[no-any-return]  # noqa: SLF001 - no public name gives it
    if kind in _HTTP:
        return _around(client, ran, unknown, keeper)
    if kind == _CHAT:
        from aloi.solutions.clients.langchain import GuardedChat  # noqa: PLC0415 - whoever has a model has the library

        return GuardedChat(ran, client)  # type: ignore[return-value, arg-type]  # a chat model for a chat model
    raise AskerError(
        N_("{got} is no client that remedies can be put around"),
        remedy=N_(
            "give a client of openai, anthropic or httpx, or a chat model of langchain; others ask `aloi gateway`"
        ),
        got=f"{type(client).__module__}.{type(client).__qualname__}",
    )


def _kind(client: object) -> str:
    """The name of the class of HTTPX or of a package made on it that a client is of; empty for another."""
    for one in type(client).__mro__:
        package, _, module = one.__module__.partition(".")
        if package in {"httpx", "httpx2"} and one.__name__ in _HTTP:
            return one.__name__
        if package == "langchain_core" and one.__name__ == _CHAT:
            return one.__name__
        if module == "_base_client" and one.__name__ in _SDK:
            return one.__name__
    return ""


def _around(client: Client, ran: Policy, unknown: Unknown, keeper: Keeps | None) -> Client:
    """A copy of an HTTPX client, its transports behind the guards: proxies and certificates stay as they are."""
    made: Any = copy.copy(client)
    guard = _HTTP[_kind(client)]

    def around(transport: Any) -> Any:
        # A client closes its transports when it is collected: the one given lives as long as its copy does.
        behind: Any = guard(ran, transport, unknown=unknown, keeper=keeper)
        behind.given = client
        return behind

    own, mounted = getattr(client, "_transport", None), getattr(client, "_mounts", None)
    if own is None or mounted is None:
        raise AskerError(
            N_("this version of {package} keeps its transports where they cannot be found"),
            remedy=N_("give its client `transport=` a transport of `aloi.solutions.clients.transport`"),
            package=type(client).__module__.partition(".")[0],
        )
    made._transport = around(own)  # noqa: SLF001 - as instrumentation does it: no public name gives it
    made._mounts = {place: one and around(one) for place, one in mounted.items()}  # noqa: SLF001 - as above
    return made  # type: ignore[no-any-return]  # a copy of the client
