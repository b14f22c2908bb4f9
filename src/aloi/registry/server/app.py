"""The log's HTTP interface: C2SP tlog-tiles for reading, and beside it entries, envelopes, proofs and look-ups.

    app = Registry(log, configuration).app()

Reading is for anybody; publishing is for the keys that the configuration names, and the signatures of what is published
are all that shows who publishes. Nothing that is asked names a file.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aloi.errors import AloiError, EvidenceError
from aloi.evidence import checkpoints, notes
from aloi.evidence.canonical import digest
from aloi.evidence.decoding import shown
from aloi.evidence.encoding import to_base64
from aloi.evidence.organisations import ORGANISATION
from aloi.registry import tiles
from aloi.registry.admission import Admitted, admit_all
from aloi.registry.log import BATCH, Log
from aloi.registry.server.configuration import Configuration
from aloi.registry.server.cosigning import Watch, open_cosigning
from aloi.registry.server.gate import Gate
from aloi.registry.server.metrics import Metrics
from aloi.registry.server.pages.speech import Title
from aloi.registry.server.pages.views import Pages
from aloi.registry.server.rates import Rate
from aloi.registry.server.requests import Refused, index_of, read_body, refusal, subject_of, unrouted, wants_html
from aloi.registry.server.sequencer import Sequencer, Trouble
from aloi.registry.server.submitters import Submitters, may_not_publish
from aloi.registry.tilekeeper import TileKeeper
from aloi.translation import N_

ONE, MANY = "application/json", "application/jsonl"
BYTES, TEXT = "application/octet-stream", "text/plain; charset=utf-8"
FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
FRESH = {"cache-control": "no-cache"}
HOUR = 3_600


class Registry:
    """One log, its writer and its gate."""

    def __init__(
        self,
        log: Log,
        configuration: Configuration,
        watch: Watch = lambda *_: None,
        trouble: Trouble = lambda _: None,
        keeper: TileKeeper | None = None,
        hazard: Title = lambda slug, _: slug,
    ) -> None:
        """`watch` is told the address of a witness that no longer cosigns and why; no reason where it does again.

        `trouble` is told why statements could not be logged; nothing, where the next ones were. Tiles are read from
        the keeper's folder, where it has them. Pages call a hazard what `hazard` makes of its slug in a language.
        """
        self._log = log
        self._keeper = keeper
        self._configuration = configuration
        self._watch = watch
        self._sequencer = Sequencer(log, trouble=trouble, published=keeper.published if keeper else lambda: None)
        self._submitters = Submitters(log, configuration.submitters)
        self._published = {each.name: Rate(each.per_hour, HOUR) for each in configuration.submitters}
        self._metrics = Metrics()
        self._pages = Pages(log, configuration.name, tuple(configuration.witnesses), self._submitters, hazard)

    def app(self) -> Starlette:
        """The application; its life runs the one writer."""
        app = Starlette(
            routes=[
                Route("/", self._about),
                Route("/checkpoint", self._checkpoint),
                Route("/tile/{path:path}", self._tile),
                Route("/entry/{index}", self._entry),
                Route("/envelope/{index}", self._envelope),
                Route("/proof/{index}", self._proof),
                Route("/lookup/{subject}", self._look_up),
                Route("/entries", self._publish, methods=["POST"]),
                Route("/health", self._health),
                Route("/metrics", self._count),
                Route("/openapi.json", self._description),
                *self._pages.routes(),
            ],
            middleware=[Middleware(Gate, self._configuration.limits.requests_per_minute, self._metrics)],
            exception_handlers={AloiError: _refused, HTTPException: self._no_such, ClientDisconnect: _gone},
            lifespan=self._life,
        )
        app.router.redirect_slashes = False  # it would send a client to whatever host it names
        return app

    @asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncIterator[None]:
        async with open_cosigning(self._configuration.witnesses, self._log.consistency, self._watch) as cosigning:
            self._sequencer.cosign = cosigning
            writer = asyncio.create_task(self._sequencer.run())
            try:
                yield
            finally:
                writer.cancel()
                with suppress(asyncio.CancelledError, AloiError):
                    await writer

    async def _about(self, request: Request) -> Response:
        if wants_html(request):
            return await self._pages.front(request)
        await asyncio.to_thread(self._submitters.refresh)
        about = {
            "name": self._configuration.name,
            "key": str(self._log.key),
            "witnesses": [str(key) for key in self._configuration.witnesses],
            "submitters": [
                {
                    "name": each.name,
                    "organisation": each.organisation,
                    "keys": [to_base64(key.der) for key in each.keys],
                    "former_keys": [to_base64(key.der) for key in each.former],
                }
                for each in self._submitters.speaking
            ],
            "description": "/openapi.json",
        }
        return JSONResponse(about, headers={**FRESH, "vary": "accept"})

    async def _checkpoint(self, _: Request) -> Response:
        return Response(await asyncio.to_thread(self._log.published), media_type=TEXT, headers=FRESH)

    async def _tile(self, request: Request) -> Response:
        asked = tiles.parse(f"tile/{request.path_params['path']}")
        return Response(await asyncio.to_thread(self._read, asked), media_type=BYTES, headers=FOR_EVER)

    def _read(self, asked: tiles.Tile) -> bytes:
        return (self._keeper and self._keeper.folder.read(asked)) or self._log.tile(asked)

    async def _entry(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._log.entry, index_of(request.path_params["index"]))
        told = {
            "index": found.index,
            "entry": found.body.decode(),
            "received": found.received,
            "erased": None if found.erased_at is None else {"at": found.erased_at, "reason": found.erased_for},
        }
        return JSONResponse(told, headers=FRESH)

    async def _envelope(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._log.entry, index_of(request.path_params["index"]))
        if found.envelope is None:
            raise Refused(
                410,
                "erased",
                N_("the envelope of entry {index} was erased: {reason}"),
                remedy=N_("its entry and its proof stay; ask its author for the envelope"),
                index=found.index,
                reason=found.erased_for or "-",
            )
        return Response(found.envelope, media_type="application/json", headers=FRESH)

    async def _proof(self, request: Request) -> Response:
        proof = await asyncio.to_thread(self._log.proof, index_of(request.path_params["index"]))
        return Response(proof, media_type=TEXT, headers=FRESH)

    async def _look_up(self, request: Request) -> Response:
        subject = subject_of(request.path_params["subject"])
        answer = await asyncio.to_thread(self._log.look_up, subject)
        return Response(answer, media_type="application/json", headers=FRESH)

    async def _publish(self, request: Request) -> Response:
        limits = self._configuration.limits
        envelopes = _envelopes(request, await read_body(request, limits.request_bytes), limits.statement_bytes)
        try:
            admitted = await asyncio.to_thread(self._admitted, envelopes)
            self._require_quota(admitted)
            indices = await self._sequencer.submit(admitted)
            if any(each.kind == ORGANISATION for each in admitted):
                await asyncio.to_thread(self._submitters.refresh, now=True)
        except AloiError:
            self._metrics.statements.labels("refused").inc(len(envelopes))
            raise
        self._metrics.statements.labels("logged").inc(len(envelopes))
        proofs = [await asyncio.to_thread(self._log.proof, index) for index in indices]
        logged = [
            {"index": index, "envelope": digest(each.envelope), "proof": proof.decode()}
            for index, each, proof in zip(indices, admitted, proofs, strict=True)
        ]
        return JSONResponse({"entries": logged})

    def _admitted(self, envelopes: Sequence[bytes]) -> list[Admitted]:
        self._submitters.refresh()
        try:
            return admit_all(envelopes, self._submitters.keys(), self._submitters.listed)
        except EvidenceError as error:
            raise (may_not_publish(error) if error.reason == "unknown-signer" else error) from error

    def _require_quota(self, admitted: Sequence[Admitted]) -> None:
        """Count each statement for everybody who signed it. Raises Refused: 'quota'."""
        counted = Counter(name for each in admitted for name in self._submitters.names(each.signers.split()))
        for name, many in counted.items():
            wait = self._published[name].wait(name, many, time.monotonic())
            if wait:
                raise Refused(
                    429,
                    "quota",
                    N_("“{name}” may publish {limit} statements an hour"),
                    remedy=N_("send fewer at once, and send the rest later"),
                    retry_after=min(wait, HOUR),
                    name=name,
                    limit=next(each.per_hour for each in self._configuration.submitters if each.name == name),
                )

    async def _no_such(self, request: Request, error: Exception) -> Response:
        refused = unrouted(error, N_("see /openapi.json"))
        if request.method in {"GET", "HEAD"} and request.url.path.startswith("/pages/"):
            return self._pages.refusal(request, refused)
        return refusal(request, refused)

    async def _health(self, _: Request) -> Response:
        if self._sequencer.stopped:
            raise self._sequencer.stopped
        newest, published = await asyncio.to_thread(
            lambda: (checkpoints.size_of(self._log.checkpoint()), checkpoints.size_of(self._log.published()))
        )
        told = {"entries": newest, "published": published, "waiting": self._sequencer.waiting}
        if self._keeper:
            told["tiles"] = self._keeper.folder.size
        return JSONResponse(told, headers=FRESH)

    async def _count(self, _: Request) -> Response:
        note = notes.read(await asyncio.to_thread(self._log.published))
        size, lines = checkpoints.parse(note.text).size, len(note.signatures) - 1
        tiled = self._keeper.folder.size if self._keeper else 0
        text = self._metrics.text(size, lines, self._sequencer.waiting, tiled)
        return Response(text, media_type=TEXT, headers=FRESH)

    async def _description(self, _: Request) -> Response:
        return Response((files(__package__) / "openapi.json").read_bytes(), media_type="application/json")


def _envelopes(request: Request, body: bytes, limit: int) -> list[bytes]:
    """One envelope, or one on each line. Raises Refused: 'media-type', 'too-many', 'too-large'."""
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind not in {ONE, MANY}:
        raise Refused(
            415,
            "media-type",
            N_("the request is of the type “{got}”"),
            remedy=N_("send one envelope as {one}, or one on each line as {many}"),
            got=shown(kind),
            one=ONE,
            many=MANY,
        )
    envelopes = [body] if kind == ONE else body.splitlines()
    if not envelopes:
        raise Refused(400, "nothing", N_("the request holds no envelope"), remedy=N_("send one, or one on each line"))
    if len(envelopes) > BATCH:
        raise Refused(413, "too-many", N_("more than {limit} envelopes"), remedy=N_("send them in parts"), limit=BATCH)
    for number, each in enumerate(envelopes):
        if len(each) > limit:
            raise Refused(
                413,
                "too-large",
                N_("envelope #{number} has {got} bytes; at most {limit} are taken"),
                remedy=N_("keep large documents elsewhere and state their digests"),
                number=number,
                got=len(each),
                limit=limit,
            )
    return envelopes


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, AloiError)  # the handler is called for these alone
    return refusal(request, error)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)
