"""Ask a Python function: `target: {kind: callable, callable: "module:function"}`.

The function takes chat messages and returns the answer. Where a request offers tools, it is called with `tools` as
well, and may return an assistant's message of the OpenAI protocol, `{"content": …, "tool_calls": […]}`.
"""

import asyncio
import importlib
import inspect
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from aloi.errors import AskerError, TargetError
from aloi.system.description import TargetDescription
from aloi.system.messages import Request, Response, ToolCall
from aloi.system.rendering import ChatMessage, chat_messages, chat_tools, written
from aloi.system.target import Unscorable
from aloi.translation import N_

Said = str | ChatMessage
Answer = Callable[..., Said | Awaitable[Said]]


class _Function(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] | None = None


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Answer(msgspec.Struct):
    content: str | None = None
    tool_calls: tuple[_Call, ...] | None = None


class CallableTarget:
    """A function from chat messages (`[{"role": …, "content": …}]`) to an answer, plain or async."""

    def __init__(self, function: Answer, timeout: float = 60.0) -> None:
        self._function = function
        self._timeout = timeout

    async def ask(self, request: Request) -> Response:
        """Call the function; what it raises, an empty, a late and an unwritable answer are Unscorable."""
        start = time.perf_counter()
        try:
            said = await asyncio.wait_for(self._call(request), self._timeout)
        except TimeoutError:
            raise Unscorable("timeout", N_("no answer within {seconds} s"), seconds=self._timeout) from None
        except TargetError:  # the function speaks for itself: this answer is lost, or asking further is useless
            raise
        except Exception as error:
            problem = type(error).__name__
            raise Unscorable("raised", N_("the function raised {problem}"), problem=problem) from error
        text, calls = _read(said)
        try:
            msgspec.json.encode((text, calls))
        except UnicodeEncodeError:
            raise Unscorable("malformed", N_("the answer holds half a surrogate pair")) from None
        if not text.strip() and not calls:
            raise Unscorable("empty", N_("the answer is empty"))
        return Response(text=text, tool_calls=calls, seconds=time.perf_counter() - start)

    async def _call(self, request: Request) -> Said:
        messages = chat_messages(request)
        offered: dict[str, Any] = {"tools": chat_tools(request.tools)} if request.tools else {}
        if offered and not _takes_tools(self._function):
            raise TargetError(
                N_("the function of target.callable takes no tools, and an agent is asked for"),
                remedy=N_("give it a second parameter named `tools`; docs/agents.md shows one"),
            )
        if inspect.iscoroutinefunction(self._function):
            answer: Said = await self._function(messages, **offered)
            return answer
        result = await self._in_thread(messages, offered)
        return await result if inspect.isawaitable(result) else result

    def _in_thread(
        self, messages: list[ChatMessage], offered: dict[str, Any]
    ) -> "asyncio.Future[Said | Awaitable[Said]]":
        """A daemon thread for each call: one that hangs holds up neither the others nor the end of the run."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Said | Awaitable[Said]] = loop.create_future()

        def settle(result: Said | Awaitable[Said], error: Exception | None) -> None:
            if not future.done():
                future.set_exception(error) if error else future.set_result(result)

        def run() -> None:
            result: Said | Awaitable[Said] = ""
            raised: Exception | None = None
            try:
                result = self._function(messages, **offered)
            except StopIteration as error:  # which no future can hold
                raised = RuntimeError(repr(error))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is the outcome of this request
                raised = error if isinstance(error, Exception) else RuntimeError(repr(error))
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(settle, result, raised)

        threading.Thread(target=run, name="aloi-callable", daemon=True).start()
        return future


def _takes_tools(function: Answer) -> bool:
    try:
        inspect.signature(function).bind([], tools=[])
    except TypeError:
        return False
    except ValueError:  # a built-in function without a signature: let it speak for itself
        return True
    return True


def _read(said: object) -> tuple[str, tuple[ToolCall, ...]]:
    """Text and tool calls of what a function returned; neither where it is no answer."""
    if isinstance(said, str):
        return said, ()
    try:
        answer = msgspec.convert(said, _Answer)
    except msgspec.ValidationError:
        return "", ()
    calls = tuple(
        ToolCall(id=call.id or f"call-{i}", name=call.function.name, arguments=written(call.function.arguments))
        for i, call in enumerate(answer.tool_calls or ())
    )
    return answer.content or "", calls


class CallableKind:
    """`target: {kind: callable, callable: "module:function"}`."""

    def identity(self, description: TargetDescription) -> str:
        """The name of the function; what it calls cannot be told from outside."""
        return f"callable:{description.callable}"

    @asynccontextmanager
    async def open(self, description: TargetDescription) -> AsyncIterator[CallableTarget]:
        """Import the function. Raises AskerError where there is none."""
        module, _, name = description.callable.partition(":")
        try:
            function = getattr(importlib.import_module(module), name)
            if not callable(function):
                raise TypeError(f"{name} is not a function")  # noqa: TRY301 - told like every other problem, below
        except (Exception, SystemExit) as error:
            raise AskerError(
                N_("cannot import {callable}: {problem}"),
                remedy=N_("write target.callable as module:function, importable from where you run aloi"),
                callable=description.callable,
                problem=f"{type(error).__name__}: {error}",
            ) from error
        yield CallableTarget(function, description.timeout)
