"""A chat model of LangChain behind remedies; itself a chat model, so that tools are bound to it and agents use it."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextvars import ContextVar
from queue import SimpleQueue
from typing import Any

import msgspec
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.messages.utils import convert_to_messages, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from aloi.solutions.arguments import Malformed, read_arguments
from aloi.solutions.gateway.asking import described, require_model
from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.solutions.gateway.exchange import UNDER_WAY, Exchange
from aloi.solutions.gateway.failures import took_back
from aloi.solutions.gateway.keys import ANYBODY
from aloi.solutions.gateway.policy import Behind, Policy
from aloi.solutions.guard import Release
from aloi.solutions.limits.target import Memory
from aloi.solutions.loopthread import LoopHere
from aloi.solutions.workers import Workers
from aloi.system.messages import Request, Response, ToolCall

_BOUND = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
_LIMITS = ("max_tokens", "max_completion_tokens", "temperature")
# No callbacks reach the model behind: they would show what no guard has cleared.
_ALONE: Any = {"callbacks": []}


class _Put(msgspec.Struct):
    """What the model behind is asked with, beside messages, and by whom: code that is async, or a thread."""

    messages: list[BaseMessage]
    written: list[Body]
    stop: list[str] | None
    given: dict[str, Any]
    sync: bool


_PUT: ContextVar[_Put] = ContextVar("aloi-put")


class _Model:
    """The model behind, as a target; it is handed the caller's own messages where guards left them as they were."""

    def __init__(self, model: BaseChatModel, seconds: float) -> None:
        self._model = model
        self._seconds = seconds
        self._workers = Workers()

    async def ask(self, request: Request, release: Release | None = None) -> Response:
        exchange, put = UNDER_WAY.get(), _PUT.get()
        body = exchange.dialect.sent(exchange.asked, request)
        messages, given = _messages(body["messages"], put), dict(put.given)
        if "tools" not in body:
            given = {name: value for name, value in given.items() if name not in _BOUND}
        given |= {name: body[name] for name in _LIMITS if name in body and body[name] != exchange.asked.body.get(name)}
        async with asyncio.timeout(self._seconds):
            if release is None:
                return _response(await self._whole(messages, put, given))
            return await self._streamed(messages, put, given, release)

    async def _whole(self, messages: list[BaseMessage], put: _Put, given: dict[str, Any]) -> BaseMessage:
        if put.sync:
            return await self._workers.within(
                self._seconds, lambda: self._model.invoke(messages, _ALONE, stop=put.stop, **given)
            )
        return await self._model.ainvoke(messages, _ALONE, stop=put.stop, **given)

    async def _streamed(
        self, messages: list[BaseMessage], put: _Put, given: dict[str, Any], release: Release
    ) -> Response:
        said: AIMessageChunk | None = None
        async for chunk in self._chunks(messages, put, given):
            said = chunk if said is None else said + chunk
            if (text := str(chunk.text)) and not await release(text):
                break
        return _response(said or AIMessageChunk(content=""))

    async def _chunks(
        self, messages: list[BaseMessage], put: _Put, given: dict[str, Any]
    ) -> AsyncIterator[AIMessageChunk]:
        if not put.sync:
            async for chunk in self._model.astream(messages, _ALONE, stop=put.stop, **given):
                yield chunk
            return
        chunks = self._model.stream(messages, _ALONE, stop=put.stop, **given)
        while (one := await self._workers.within(self._seconds, lambda: next(chunks, None))) is not None:
            yield one


def _messages(written: list[Body], put: _Put) -> list[BaseMessage]:
    own = dict(zip(map(id, put.written), put.messages, strict=False)) if len(put.written) == len(put.messages) else {}
    return [own[id(one)] if id(one) in own else convert_to_messages([one])[0] for one in written]


def _response(message: BaseMessage) -> Response:
    """What a model said, as far as guards read it: text, calls, tokens."""
    calls = [*getattr(message, "tool_calls", ()), *getattr(message, "invalid_tool_calls", ())]
    usage = getattr(message, "usage_metadata", None) or {}
    refusal = message.additional_kwargs.get("refusal")
    return Response(
        text="\n".join(filter(None, (str(message.text), refusal if isinstance(refusal, str) else ""))),
        finish=str(message.response_metadata.get("finish_reason") or ""),
        tool_calls=tuple(
            ToolCall(id=one["id"] or f"call-{i}", name=one["name"] or "", arguments=_arguments(one["args"]))
            for i, one in enumerate(calls)
        ),
        prompt_tokens=usage.get("input_tokens", 0),
        completion_tokens=usage.get("output_tokens", 0),
    )


def _arguments(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _facts(response: Response) -> dict[str, Any]:
    """What is told beside the words: why it ended, the tokens, what the guards did."""
    tokens = {"input_tokens": response.prompt_tokens, "output_tokens": response.completion_tokens}
    return {
        "response_metadata": {
            "finish_reason": "content_filter" if response.blocked else response.finish or "stop",
            "aloi": {"decisions": [msgspec.to_builtins(one) for one in response.decisions]},
        },
        "usage_metadata": tokens | {"total_tokens": sum(tokens.values())},
    }


def _message(response: Response) -> AIMessage:
    calls, invalid = [], []
    for one in response.tool_calls:
        try:
            read_arguments(one.arguments)
            calls.append(tool_call(name=one.name, args=json.loads(one.arguments or "{}"), id=one.id))
        except (Malformed, ValueError) as error:
            invalid.append(invalid_tool_call(name=one.name, args=one.arguments, id=one.id, error=str(error)))
    return AIMessage(content=response.text, tool_calls=calls, invalid_tool_calls=invalid, **_facts(response))


def _last(text: str, response: Response) -> AIMessageChunk:
    calls = [
        tool_call_chunk(name=one.name, args=one.arguments, id=one.id, index=i)
        for i, one in enumerate(response.tool_calls)
    ]
    return AIMessageChunk(content=text, tool_call_chunks=calls, chunk_position="last", **_facts(response))


class GuardedChat(BaseChatModel):
    """`model` behind the remedies of a policy. What the model raises comes through."""

    model: BaseChatModel
    _behind: Behind = PrivateAttr()
    _dialect: Chat = PrivateAttr()
    _loop: LoopHere = PrivateAttr(default_factory=lambda: LoopHere("aloi-langchain"))

    def __init__(self, policy: Policy, model: BaseChatModel) -> None:
        super().__init__(model=model)  # type: ignore[call-arg]  # a field, as pydantic has them
        self._behind = Behind(policy, _Model(model, policy.serving.limits.seconds), defaultdict(Memory))
        self._dialect = Chat(unread=policy.serving.unread)

    @property
    def _llm_type(self) -> str:
        return f"aloi-{self.model._llm_type}"  # noqa: SLF001 - the hook of the library

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Tools, as the model behind writes them."""
        bound = self.model.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        given = bound.kwargs if isinstance(bound, RunnableBinding) else {"tools": tools, "tool_choice": tool_choice}
        return self.bind(**given)

    def _asked(
        self, messages: list[BaseMessage], stop: list[str] | None, given: dict[str, Any], *, sync: bool
    ) -> tuple[Exchange, _Put]:
        name = getattr(self.model, "model_name", None) or getattr(self.model, "model", None)
        if isinstance(name, str):
            require_model(self._behind.policy, name)
        written = convert_to_openai_messages(messages)
        assert isinstance(written, list)
        body: Body = {"messages": written}
        body |= {"tools": [convert_to_openai_tool(one) for one in given["tools"]]} if given.get("tools") else {}
        body |= {limit: given[limit] for limit in _LIMITS if given.get(limit) is not None}
        asked = msgspec.structs.replace(self._dialect.read(msgspec.json.encode(body)), body=body)
        exchange = Exchange(key=ANYBODY, dialect=self._dialect, asked=asked, headers={})
        return exchange, _Put(messages, written, stop, given, sync)

    async def _conversed(self, exchange: Exchange, put: _Put, release: Release | None = None) -> Response:
        UNDER_WAY.set(exchange)
        _PUT.set(put)
        request, _ = described(self._behind.policy, exchange.asked)
        return await self._behind.target.ask(request, release)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,  # noqa: ARG002 - the signature is the library's
        **kwargs: Any,
    ) -> ChatResult:
        asked = self._asked(messages, stop, kwargs, sync=False)
        response = await asyncio.create_task(self._conversed(*asked))
        return ChatResult(generations=[ChatGeneration(message=_message(response))])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,  # noqa: ARG002 - the signature is the library's
        **kwargs: Any,
    ) -> ChatResult:
        asked = self._asked(messages, stop, kwargs, sync=True)
        response = asyncio.run_coroutine_threadsafe(self._conversed(*asked), self._loop.loop()).result()
        return ChatResult(generations=[ChatGeneration(message=_message(response))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,  # noqa: ARG002 - the signature is the library's
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        asked = self._asked(messages, stop, kwargs, sync=False)
        texts, released = asyncio.Queue[str | None](), ""
        task = asyncio.create_task(self._conversed(*asked, _into(texts.put_nowait)))
        task.add_done_callback(lambda _: texts.put_nowait(None))
        try:
            while (text := await texts.get()) is not None:
                released += text
                yield ChatGenerationChunk(message=AIMessageChunk(content=text))
            yield _rest(released, task.result())
        finally:
            task.cancel()

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,  # noqa: ARG002 - the signature is the library's
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        asked = self._asked(messages, stop, kwargs, sync=True)
        texts, released = SimpleQueue[str | None](), ""
        conversed = self._conversed(*asked, _into(texts.put))
        future = asyncio.run_coroutine_threadsafe(conversed, self._loop.loop())
        future.add_done_callback(lambda _: texts.put(None))
        try:
            while (text := texts.get()) is not None:
                released += text
                yield ChatGenerationChunk(message=AIMessageChunk(content=text))
            yield _rest(released, future.result())
        finally:
            future.cancel()


def _into(put: Callable[[str], None]) -> Release:
    async def release(text: str) -> bool:
        put(text)
        return True

    return release


def _rest(released: str, response: Response) -> ChatGenerationChunk:
    """What is still to be shown of an answer, with its calls."""
    if not response.text.startswith(released):
        raise took_back()
    return ChatGenerationChunk(message=_last(response.text[len(released) :], response))
