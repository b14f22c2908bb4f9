"""The remedies of a policy as a guardrail of LiteLLM: `Guardrail`, made where LiteLLM is installed.

Chat passes the guards; embeddings pass unread. Every other kind of call is refused, or with `unknown="pass"` carried.
As a library LiteLLM shows a stream to no guardrail as a whole, so that streams are refused there; its proxy does.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import msgspec

from aloi.errors import AskerError
from aloi.solutions.adapters.extras import needed
from aloi.solutions.clients.apart import Halves
from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.dialect import Asked, Body, Broken, Event
from aloi.solutions.gateway.events import Events
from aloi.solutions.gateway.failures import took_back, unusable
from aloi.solutions.gateway.policy import Policy
from aloi.system.messages import Response
from aloi.translation import N_, translate

CHAT = frozenset({"completion", "acompletion"})
MODES = ("pre_call", "post_call")
PASSED = frozenset({"embedding", "aembedding"})
# What of a request guards read, or refuse because they cannot: the rest is LiteLLM's own.
_READ = (
    *("messages", "tools", "functions", "function_call", "n", "stream", "stream_options"),
    *("max_tokens", "max_completion_tokens", "temperature", "web_search_options", "documents", "audio"),
)
_UNREAD = N_("guards cannot read requests of the kind {kind}: nothing was sent")
_UNSTREAMED = N_("as a library LiteLLM streams past its guardrails: ask its proxy, or without a stream")


def __getattr__(name: str) -> Any:
    """`Guardrail`, whose base class is LiteLLM's."""
    if name == "Guardrail":
        return _guardrail()
    raise AttributeError(name)


class Screening:
    """What the hooks do, without LiteLLM."""

    def __init__(self, policy: Policy) -> None:
        self._halves = Halves(policy)
        self.language = policy.language
        self.dialect = Chat(unread=policy.serving.unread)

    def read(self, data: Body) -> Asked:
        """A request as LiteLLM has it. Raises Malformed."""
        body = {name: data[name] for name in _READ if data.get(name) is not None}
        return self.dialect.read(msgspec.json.encode(body | {"model": str(data.get("model", ""))}))

    async def before(self, data: Body) -> Response | None:
        """Write into a request what guards left of it; the refusal where they refuse it."""
        asked = self.read(data)
        sent, response = await self._halves.asked(asked, self.dialect)
        if sent is None:
            return response
        for name in _READ:
            if name in sent and sent[name] != asked.body.get(name):
                data[name] = sent[name]
        return None

    async def after(self, data: Body, document: bytes) -> tuple[Response, Body]:
        """What guards leave of a whole answer, also as a document. Raises Failed where it is no answer."""
        asked = self.read(data)
        try:
            answered = self.dialect.answer(document)
        except Broken as broken:
            raise unusable(broken.reason) from broken
        response = await self._halves.answered(asked.request, answered.response)
        return response, self.dialect.written(asked, answered, response)

    async def stream(self, data: Body, chunks: AsyncIterator[bytes]) -> AsyncIterator[Body]:
        """The chunks of a streamed answer as guards leave it. Raises Failed where it breaks off."""
        asked = self.read(data)
        reading, writing = self.dialect.reading(), self.dialect.writing(asked)
        texts, released = asyncio.Queue[str | None](), ""

        async def said() -> AsyncIterator[str]:
            async for chunk in chunks:
                try:
                    yield reading.feed(Event("", chunk))
                except Broken as broken:
                    raise unusable(broken.reason) from broken

        async def release(text: str) -> bool:
            texts.put_nowait(text)
            return True

        task = asyncio.create_task(self._halves.streamed(asked.request, said, reading.response, release))
        task.add_done_callback(lambda _: texts.put_nowait(None))
        try:
            while (text := await texts.get()) is not None:
                released += text
                for chunk in _documents(writing.text(text)):
                    yield chunk
            response = task.result()
            if not response.text.startswith(released):
                raise took_back()
            rest = response.text[len(released) :]
            for chunk in _documents((writing.text(rest) if rest else b"") + writing.end(response)):
                yield chunk
        finally:
            task.cancel()


def _documents(events: bytes) -> list[Body]:
    return [msgspec.json.decode(one.data) for one in Events().feed(events) if one.data != b"[DONE]"]


class Hooks:
    """What LiteLLM calls. Options are as its configuration gives them; `system`, `evidence` and `trust` are paths.

    Raises AskerError where the guardrail would not run both before and after the model.
    """

    guardrail_name: str

    def __init_subclass__(cls, **options: Any) -> None:
        """LiteLLM calls a hook only where the class itself has it: one that is inherited would be passed over."""
        super().__init_subclass__(**options)
        for name in (name for name in vars(Hooks) if name.startswith("async_")):
            if name not in vars(cls):
                setattr(cls, name, getattr(cls, name))

    def __init__(
        self,
        policy: Policy | None = None,
        system: str = "",
        evidence: str | None = None,
        trust: list[str] | None = None,
        unknown: str = "refuse",
        **options: Any,
    ) -> None:
        given = {"guardrail_name": "aloi", "event_hook": list(MODES), **options}
        _require_both(given["event_hook"])
        super().__init__(**given)
        self._screening = Screening(policy or _read(system, evidence, trust or []))
        self._unknown = unknown

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,  # noqa: ARG002 - the signature is LiteLLM's
        cache: Any,  # noqa: ARG002 - as above
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """The request as guards leave it. Raises GuardrailRaisedException where they refuse it."""
        if call_type not in CHAT:
            if call_type not in PASSED and self._unknown != "pass":
                raise self._refused(_UNREAD, kind=call_type)
            return data
        refused = await self._screening.before(data)
        if refused is not None:
            raise self._raised(refused.text, blocked=True)
        return data

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> dict[str, Any] | None:
        """The same, as a library. Raises GuardrailRaisedException for a stream that no proxy screens."""
        named = isinstance(kwargs.get("guardrails"), list) and self.guardrail_name in kwargs["guardrails"]
        if named and kwargs.get("stream") and not self._pre_call_hook_already_ran(kwargs):  # type: ignore[attr-defined]  # LiteLLM's
            raise self._refused(_UNSTREAMED)
        found: dict[str, Any] | None = await super().async_pre_call_deployment_hook(kwargs, call_type)  # type: ignore[misc]  # LiteLLM's
        return found

    async def async_post_call_success_hook(
        self,
        data: dict[str, Any],
        user_api_key_dict: Any,  # noqa: ARG002 - the signature is LiteLLM's
        response: Any,
    ) -> Any:
        """The answer as guards leave it. Raises GuardrailRaisedException where they refuse it."""
        kinds = _library()
        if not isinstance(response, kinds.ModelResponse):
            return response
        left, document = await self._screening.after(data, response.model_dump_json().encode())
        if left.blocked:
            raise self._raised(left.text, blocked=True)
        response.choices = kinds.ModelResponse(**document).choices
        return response

    async def async_post_call_streaming_iterator_hook(
        self,
        user_api_key_dict: Any,  # noqa: ARG002 - the signature is LiteLLM's
        response: Any,
        request_data: dict[str, Any],
    ) -> AsyncIterator[Any]:
        """The stream as guards leave it; one that is blocked ends with the refusal."""

        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in response:
                yield chunk.model_dump_json().encode()

        async for document in self._screening.stream(request_data, chunks()):
            yield _library().ModelResponseStream(**document)

    def _refused(self, sentence: str, **facts: object) -> Exception:
        return self._raised(translate(sentence, self._screening.language).format(**facts), blocked=False)

    def _raised(self, message: str, *, blocked: bool) -> Exception:
        raised: Exception = _library().exceptions.GuardrailRaisedException(
            guardrail_name=self.guardrail_name,
            message=message,
            should_wrap_with_default_message=False,
            blocked_content=blocked,
        )
        return raised


def _library() -> Any:
    return needed("litellm", "LiteLLM", "litellm")


@cache
def _guardrail() -> type[Any]:
    base = needed("litellm.integrations.custom_guardrail", "LiteLLM", "litellm").CustomGuardrail
    return type("Guardrail", (Hooks, base), {"__doc__": Hooks.__doc__})


def _require_both(mode: Any) -> None:
    modes = {str(getattr(one, "value", one)) for one in (mode if isinstance(mode, list) else [mode])}
    if not modes.issuperset(MODES):
        raise AskerError(
            N_("the guardrail runs at {got} alone: half of the remedies would not run"),
            remedy=N_("set `mode: [pre_call, post_call]` in LiteLLM's configuration"),
            got=", ".join(sorted(modes)),
        )


def _read(system: str, evidence: str | None, trust: list[str]) -> Policy:
    import aloi  # noqa: PLC0415 - only the public entry knows how evidence is read

    if not system:
        raise AskerError(
            N_("the guardrail knows no system"),
            remedy=N_("give `system`, the path of a system.yaml, under `litellm_params` in LiteLLM's configuration"),
        )
    return aloi.policy(system, evidence=evidence, trust=trust)
