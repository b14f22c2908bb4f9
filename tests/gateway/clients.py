"""The real clients of OpenAI and Anthropic, answered by bytes that a dialect wrote."""

import anthropic
import httpx2
import openai


def _transport(answer, stream, status):
    kind = "text/event-stream" if stream else "application/json"
    return httpx2.Client(
        transport=httpx2.MockTransport(
            lambda request: httpx2.Response(status, headers={"content-type": kind}, content=answer)
        )
    )


def openai_client(answer, *, stream=False, status=200):
    http = _transport(answer, stream, status)
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1", http_client=http, max_retries=0)


def anthropic_client(answer, *, stream=False, status=200):
    http = _transport(answer, stream, status)
    return anthropic.Anthropic(api_key="k", base_url="http://127.0.0.1:9", http_client=http, max_retries=0)
