"""A system that errs on a known share of the items of one probe: it knows every item that it may be asked.

`from science.answering import Answering, six_languages`
"""

import random
from collections.abc import Callable, Iterable

from aloi.science.items import Item
from aloi.system.messages import Request, Response
from aloi.system.reading import System
from science.simulated import small_system

SIX = ("en", "fr", "es", "de", "ar", "zh")

# What is answered to a request of an item, given whether the item is one of those that fail.
Answer = Callable[[Item, Request, bool], str]


def six_languages() -> System:
    """A system that speaks all six languages."""
    return small_system(languages=SIX)


def _name(request: Request, first: str) -> str:
    return "\x1f".join([request.prompt, first, *(document.text for document in request.documents)])


class Answering:
    """Fails on a `rate` of the items, drawn by item and `seed`; what is of no item is an ordinary request."""

    def __init__(self, items: Iterable[Item], answer: Answer, rate: float, seed: int = 1) -> None:
        self._items: dict[str, Item] = {}
        for item in items:
            for first in (item.request.messages[0].content, *item.sequel):
                self._items[_name(item.request, first)] = item
        self._answer = answer
        self._rate = rate
        self._seed = seed
        self.asked = 0

    def fails(self, item: Item) -> bool:
        """Whether an item is one of those that fail."""
        return random.Random(f"{self._seed}|{item.seed}").random() < self._rate

    async def ask(self, request: Request) -> Response:
        """One answer."""
        item = self._items.get(_name(request, request.messages[0].content))
        if item is None:
            return Response(text="Of course. The branch is open on Monday.", prompt_tokens=40, completion_tokens=9)
        self.asked += 1
        return Response(text=self._answer(item, request, self.fails(item)), prompt_tokens=40, completion_tokens=9)
