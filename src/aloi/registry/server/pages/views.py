"""The pages' addresses: the log's front page, a subject's, an entry's, and the one style sheet."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aloi.errors import AloiError, EvidenceError, told
from aloi.evidence import checkpoints, cosignatures, notes, reasons
from aloi.evidence import envelope as dsse
from aloi.evidence.decoding import visible
from aloi.evidence.encoding import to_base64
from aloi.evidence.logentry import read as read_entry
from aloi.evidence.logentry import stated
from aloi.evidence.notes import NoteKey
from aloi.evidence.statement import Statement, claimed
from aloi.registry.log import Log
from aloi.registry.server.pages import told as kinds
from aloi.registry.server.pages.speech import Speech, Title
from aloi.registry.server.pages.subject import Subject, read_subject
from aloi.registry.server.requests import index_of, language, status_of, subject_of
from aloi.registry.server.submitters import Submitters
from aloi.registry.store import Stored
from aloi.translation import LANGUAGES

HERE = Path(__file__).parent
RECENT = 20
LONGEST = 100_000
KEPT, KEPT_FOR = 32, 5.0  # subjects, and seconds
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class Opened(NamedTuple):
    """An entry's statement, where its envelope is there and can be read."""

    statement: Statement | None
    record: object
    text: str


class Pages:
    """The pages of one log."""

    def __init__(
        self, log: Log, name: str, witnesses: Sequence[NoteKey], submitters: Submitters, hazard: Title
    ) -> None:
        self._log = log
        self._name = name
        self._witnesses = witnesses
        self._submitters = submitters
        self._hazard = hazard
        self._turn = asyncio.Semaphore(1)  # pages are for people: they are not to keep the writer waiting
        self._kept: OrderedDict[str, tuple[float, Subject]] = OrderedDict()

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/pages", self.front),
            Route("/pages/style.css", self._style),
            Route("/pages/subject", self._asked),
            Route("/pages/subject/{subject}", self._subject),
            Route("/pages/entry/{index}", self._entry),
        ]

    async def front(self, request: Request) -> Response:
        """What the log is, how it stands, and what came last."""
        return await self._page(request, self._front)

    async def _asked(self, request: Request) -> Response:
        return await self._page(request, lambda speech: self._of(request.query_params.get("digest", ""), speech))

    async def _subject(self, request: Request) -> Response:
        return await self._page(request, lambda speech: self._of(request.path_params["subject"], speech))

    async def _entry(self, request: Request) -> Response:
        return await self._page(request, lambda speech: self._one(request.path_params["index"], speech))

    async def _style(self, _: Request) -> Response:
        return Response((HERE / "style.css").read_bytes(), media_type="text/css", headers=HEADERS)

    async def _page(self, request: Request, make: Callable[[Speech], tuple[str, dict[str, object]]]) -> Response:
        speech = Speech(chosen(request), self._hazard)
        async with self._turn:
            try:
                template, facts = await asyncio.to_thread(make, speech)
            except AloiError as error:
                return self.refusal(request, error)
            page = await asyncio.to_thread(self._rendered, request, template, speech, facts)
        return _answer(page, speech.language)

    def refusal(self, request: Request, error: AloiError) -> Response:
        """An error as a page."""
        speech = Speech(chosen(request), self._hazard)
        page = self._rendered(request, "refusal.html", speech, {"lines": told(error, speech.language)})
        return _answer(page, speech.language, status_of(error))

    def _rendered(self, request: Request, template: str, speech: Speech, facts: dict[str, object]) -> str:
        path = request.url.path
        given = request.query_params.get("lang", "")
        return (
            _environment()
            .get_template(template)
            .render(
                _=speech.say,
                ngettext=speech.ngettext,
                speech=speech,
                kinds=kinds,
                reasons=reasons,
                language=speech.language,
                languages=LANGUAGES,
                log=self._name,
                root="../" * max(path.count("/") - 1, 0) or "./",
                suffix=f"?lang={given}" if given in LANGUAGES else "",
                digest=visible(request.query_params.get("digest", "")[:100]),
                who=self._who,
                **facts,
            )
        )

    def _who(self, keys: Iterable[str]) -> list[str]:
        """Submitters by their keys; a key of nobody as it is."""
        named = {key.id: each.name for each in self._submitters.speaking for key in (*each.keys, *each.former)}
        return list(dict.fromkeys(named.get(key, key) for key in keys))

    def _front(self, _: Speech) -> tuple[str, dict[str, object]]:
        self._submitters.refresh()
        note = notes.read(self._log.published())
        head = checkpoints.parse(note.text)
        seen = {each.key: each.time for each in cosignatures.verify(note, self._witnesses)}
        recent = [self._log.entry(index) for index in range(head.size - 1, max(head.size - 1 - RECENT, -1), -1)]
        return "front.html", {
            "key": str(self._log.key),
            "head": head,
            "root_hash": to_base64(head.root),
            "witnesses": [(key.name, seen.get(key)) for key in self._witnesses],
            "submitters": self._submitters.speaking,
            "recent": [(each, _opened(each)) for each in recent],
        }

    def _of(self, digest: str, _: Speech) -> tuple[str, dict[str, object]]:
        return "subject.html", {"found": self._read(subject_of(digest))}

    def _read(self, digest: str) -> Subject:
        """A subject as it was a few seconds ago at most: to read one of many entries takes a while."""
        at, found = self._kept.get(digest, (-KEPT_FOR, None))
        if found is None or time.monotonic() - at >= KEPT_FOR:
            self._submitters.refresh()
            found = read_subject(self._log, digest, self._submitters.speaking)
            self._kept[digest] = time.monotonic(), found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _one(self, index: str, _: Speech) -> tuple[str, dict[str, object]]:
        self._submitters.refresh()
        found = self._log.entry(index_of(index))
        last = checkpoints.size_of(self._log.published()) - 1
        return "entry.html", {"entry": found, "opened": _opened(found), "body": read_entry(found.body), "last": last}


def chosen(request: Request) -> str:
    """The language that the address asks for, else the first of ours that the reader accepts."""
    given = request.query_params.get("lang", "")
    return given if given in LANGUAGES else language(request)


def _answer(page: str, language: str, status: int = 200) -> Response:
    headers = {**HEADERS, "content-language": language, "vary": "accept, accept-language"}
    return Response(page, status, headers, media_type="text/html; charset=utf-8")


def _opened(stored: Stored) -> Opened:
    """The statement of an entry, its signatures verified when it was taken in."""
    if stored.envelope is None:
        return Opened(None, None, "")
    try:
        payload, statement = stated(dsse.read(stored.envelope))
        claim = claimed(statement)
    except EvidenceError:
        return Opened(None, None, "")
    text = json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    return Opened(statement, claim.record if claim else None, visible(text[:LONGEST]))


@cache
def _environment() -> Environment:
    """All that is not marked as markup is escaped, and nothing may be missing."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = lambda text: visible(str(text)[: kinds.LONGEST])
    return environment
