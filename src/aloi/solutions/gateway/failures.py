"""Why an exchange has no answer, with the HTTP status and the stable code by which a client is told."""

from aloi.errors import AloiError
from aloi.solutions.passage import CONTRACT
from aloi.translation import N_

# A key that the upstream does not take is the gateway's, and no fault of the client's.
_OURS = frozenset({401, 403})
_ERRORS = range(400, 600)


class Failed(AloiError):
    """An exchange that ends with an error. `retry_after` is in seconds, 0 where the upstream named none."""

    def __init__(
        self, status: int, kind: str, message: str, /, *, remedy: str = "", retry_after: float = 0.0, **facts: object
    ) -> None:
        self.status = status
        self.kind = kind
        self.retry_after = retry_after
        super().__init__(message, remedy=remedy, **facts)


def unreachable(problem: str) -> Failed:
    """502: nothing of an answer came."""
    return Failed(
        502,
        "upstream-unreachable",
        N_("the model cannot be reached: {problem}"),
        remedy=N_("ask again later; whoever runs the gateway finds the address under `gateway.upstream`"),
        problem=problem,
    )


def late(seconds: float) -> Failed:
    """504: the answer did not come, or not to its end."""
    return Failed(
        504,
        "upstream-timeout",
        N_("the model did not answer within {seconds} s"),
        remedy=N_("ask again, or for a shorter answer"),
        seconds=seconds,
    )


def unusable(reason: str) -> Failed:
    """502: an answer came that is not of the protocol, is too large, or breaks off."""
    return Failed(
        502,
        f"upstream-{reason}",
        N_("the model's answer cannot be used ({reason})"),
        remedy=N_("ask again; whoever runs the gateway may ask the model's endpoint why it answers so"),
        reason=reason,
    )


def oversized(limit: int) -> Failed:
    """502: an answer of more bytes than `gateway.limits.answer_bytes`, or one event of a stream."""
    return Failed(
        502,
        "upstream-too-large",
        N_("the model's answer has more than {limit} bytes"),
        remedy=N_("ask for a shorter answer; whoever runs the gateway sets `gateway.limits.answer_bytes`"),
        limit=limit,
    )


def busy(limit: int) -> Failed:
    """503: as many exchanges as `gateway.limits.at_once` are under way."""
    return Failed(
        503,
        "busy",
        N_("the gateway has {limit} exchanges under way, and takes no more"),
        remedy=N_("ask again in a moment; whoever runs the gateway sets `gateway.limits.at_once`"),
        retry_after=1.0,
        limit=limit,
    )


def crowded(limit: int) -> Failed:
    """503: as many connections as the process may have."""
    return Failed(
        503,
        "busy",
        N_("the gateway has {limit} connections, and takes no more"),
        remedy=N_("ask again in a moment; whoever runs the gateway may raise its limit of open files"),
        retry_after=1.0,
        limit=limit,
    )


def no_http(problem: str) -> Failed:
    """400: what came cannot be told apart as a request."""
    return Failed(
        400,
        "no-http",
        N_("what came is no request of HTTP/1.1: {problem}"),
        remedy=N_("send a request line, headers and a body as RFC 9112 has them; the gateway speaks no TLS itself"),
        problem=problem,
    )


def no_address() -> Failed:
    """400: the target of the request line is no path."""
    return Failed(
        400,
        "no-address",
        N_("the address in the request line cannot be read"),
        remedy=N_("send a path in ASCII, other letters percent-encoded, such as /v1/chat/completions"),
    )


def no_proxy() -> Failed:
    """400: CONNECT."""
    return Failed(
        400,
        "no-proxy",
        N_("the gateway is no proxy: it opens no tunnel"),
        remedy=N_("send the request to it itself; a client's base URL ends in /v1"),
    )


def long_head(limit: int) -> Failed:
    """431: more bytes before the body than a request may have."""
    return Failed(
        431,
        "head-too-large",
        N_("the request line and the headers have more than {limit} bytes"),
        remedy=N_("send fewer or shorter headers; what is asked stands in the body"),
        limit=limit,
    )


def refused(status: int, code: str, retry_after: float, *, ours: bool = True) -> Failed:
    """The upstream's own status, 502 where it refuses a key that is `ours`, is no endpoint at all, or is no error.

    Of its words only a code is handed on, for nobody has screened them.
    """
    return Failed(
        status if status in _ERRORS and not (ours and status in _OURS) else 502,
        code or "upstream-http",
        N_("the model's endpoint answered HTTP {status} ({code})"),
        remedy=N_("correct the request, or ask again later"),
        retry_after=retry_after,
        status=status,
        code=code or "-",
    )


def took_back() -> Failed:
    """502: what was released of an answer is no longer how it begins."""
    return Failed(502, CONTRACT, N_("a guard took back what it had cleared"), remedy=N_("ask again"))


def ending() -> Failed:
    """503: the gateway is told to end, and waits no longer."""
    return Failed(
        503,
        "ending",
        N_("the gateway ends, and this exchange with it"),
        remedy=N_("ask again in a moment"),
        retry_after=1.0,
    )


def internal() -> Failed:
    """500: a fault of the gateway itself."""
    return Failed(
        500,
        "internal",
        N_("the gateway has failed at this request"),
        remedy=N_("ask again; whoever runs the gateway finds the fault in its standard error"),
    )
