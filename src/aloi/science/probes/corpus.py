"""Draw from a list of prompts, with replacement: a seed first, each as likely as the next, then one of its rows."""

import random
from collections import defaultdict
from itertools import accumulate

from msgspec.structs import replace

from aloi.science.attack import wrap
from aloi.science.items import Expectation, Item
from aloi.science.probe import ask, ask_wrapped
from aloi.system.corpora.corpus import PLAIN, Corpus, Row
from aloi.system.reading import System


class _Cell:
    """The rows of one language and attack: a seed weighs as much as the share of its rows that lie here."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = defaultdict(list)
        self._seeds: list[str] = []
        self._weights: list[float] = []
        self.share = 0.0

    def add(self, row: Row) -> None:
        self._rows[row.seed].append(row)

    def weigh(self, sizes: dict[str, int]) -> None:
        """`sizes` counts all rows of each seed, in this cell and elsewhere."""
        self._seeds = list(self._rows)
        self._weights = list(accumulate(len(rows) / sizes[seed] for seed, rows in self._rows.items()))
        self.share = self._weights[-1] / len(sizes)

    def draw(self, rng: random.Random) -> Row:
        seed = rng.choices(self._seeds, cum_weights=self._weights)[0]
        return rng.choice(self._rows[seed])


class CorpusProbe:
    """The probe of a hazard whose prompts are listed.

    Languages and attacks fall as the list has them: drawn together with a row of theirs, every seed has the same
    chance, and every row of a seed. Around rows that name no attack of their own, any wrapper may be put.
    """

    def __init__(self, hazard: str, corpus: Corpus) -> None:
        self.hazard, self.scorer = hazard, corpus.scorer
        self.wraps = not corpus.labelled
        self._cells: dict[tuple[str, str], _Cell] = defaultdict(_Cell)
        sizes: dict[str, int] = defaultdict(int)
        for row in corpus.rows:
            self._cells[row.language, row.attack].add(row)
            sizes[row.seed] += 1
        for cell in self._cells.values():
            cell.weigh(sizes)

    def attacks(self) -> dict[str, float]:
        """The share of each attack that rows name; `plain` where they name none."""
        return self._shares(1)

    def languages(self, system: System) -> dict[str, float]:  # noqa: ARG002 - other rows were left out as it was read
        """The share of each language."""
        return self._shares(0)

    def mix(self, language: str) -> dict[str, float]:
        """The share of each attack among the rows of a language."""
        found = {attack: cell.share for (spoken, attack), cell in self._cells.items() if spoken == language}
        return {attack: share / sum(found.values()) for attack, share in sorted(found.items())}

    def item(self, system: System, language: str, attack: str, rng: random.Random) -> Item:
        """One row, asked as it stands or inside a wrapper."""
        row = self._cells[language, PLAIN if self.wraps else attack].draw(rng)
        expected = Expectation(
            needles=row.needles,
            allowed_hosts=(*system.description.context.allowed_hosts, *row.hosts),
            budget=system.description.target.max_tokens,
        )
        item = Item(
            hazard=self.hazard,
            seed=row.seed,
            attack=attack,
            language=language,
            request=ask(system, row.prompt),
            expectation=expected,
        )
        if attack == PLAIN or not self.wraps:
            return item
        wrapped = wrap(attack, row.prompt, language, rng)
        return replace(
            item,
            request=ask_wrapped(system, wrapped),
            script=wrapped.script,
            expectation=replace(expected, carrier=wrapped.carrier),
        )

    def _shares(self, part: int) -> dict[str, float]:
        shares: dict[str, float] = defaultdict(float)
        for names, cell in self._cells.items():
            shares[names[part]] += cell.share
        return dict(sorted(shares.items()))
