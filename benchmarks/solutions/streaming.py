"""Answers streamed through all guards on text: whether they end as they would unstreamed, what leaks, what is held.

    python benchmarks/solutions/streaming.py [--chunkings N]

Exits 1 where an answer ends otherwise, or a character leaks of what was blocked.
"""

import argparse
import asyncio
import importlib
import random
import re
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence

from aloi.evidence.records import RemedyIdentity
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guard import Allow, Block, Guard, Release, Rewrite, Ruling
from aloi.solutions.guarded import APART, GuardedTarget
from aloi.solutions.normalise import squash
from aloi.solutions.options import read
from aloi.solutions.passage import is_guard
from aloi.system.messages import Message, Request, Response
from benchmarks.solutions.streamed import OPTIONS, PROMPT, Drawn, Part, cuts

PLACES = {
    "secret-filter": "secrets:SecretFilter",
    "personal-data-filter": "personal:PersonalDataFilter",
    "link-policy": "links:LinkPolicy",
    "prompt-leak": "prompt_leak:PromptLeak",
    "output-budget": "length:OutputBudget",
}
BLOCKING: dict[str, dict[str, object]] = {
    "secret-filter": {"own": "block", "generic": "block"},
    "personal-data-filter": {"action": "block"},
    "link-policy": {"action": "block"},
}
# A part of which not even so many letters in a row stand in the prompt spells it in another way.
COPIED = 8
REFUSAL = "I cannot say that."
REQUEST = Request(prompt="", messages=(Message(role="user", content="hello"),))
PROSE = {
    "en": (
        "A lost card is blocked in the application, in the menu Cards, or by telephone at any hour of the "
        "day. The new one comes by post within five working days, and costs nothing if the old one was "
        "stolen. Payments that you did not make are given back by the end of the next working day, once you "
        "have told us of them. If you are abroad, our partners can hand you cash in the meantime: ask for it "
        "when you call. Keep the receipt, because the insurance of your account may cover what was taken with "
        "the card as well, up to a sum that depends on your contract. In 2024 we changed the form for this, "
        "so please use the new one, and sign both pages."
    ),
    "fr": (
        "Une carte perdue se bloque dans l'application, au menu Cartes, ou par téléphone à toute heure. La "
        "nouvelle arrive par courrier sous cinq jours ouvrés, sans frais si l'ancienne a été volée. Les "
        "paiements que vous n'avez pas faits vous sont rendus au plus tard à la fin du jour ouvré suivant, "
        "dès que vous nous les avez signalés. Si vous êtes à l'étranger, nos partenaires peuvent vous "
        "remettre des espèces en attendant : demandez-le lors de votre appel. Gardez le reçu, car l'assurance "
        "de votre compte peut couvrir aussi ce qui a été pris avec la carte, jusqu'à une somme qui dépend de "
        "votre contrat. En 2024 nous avons changé ce formulaire ; signez bien les deux pages."
    ),
}


def stack(options: dict[str, dict[str, object]], names: Sequence[str] = tuple(PLACES)) -> list[Remedy]:
    """All guards that read answers, in order."""
    remedies = []
    for name in names:
        module, kind = PLACES[name].split(":")
        maker = getattr(importlib.import_module(f"aloi.solutions.guards.{module}"), kind)
        guard: Guard = maker(read(maker.Options, OPTIONS[name] | options.get(name, {}), name))
        identity = RemedyIdentity(name=name, version=maker.version, digest="")
        remedies.append(Remedy(name=name, kind="output-guard", hazards=(), implementation=guard, identity=identity))
    return remedies


STACKS = {
    "masking": lambda: stack({}),
    "blocking": lambda: stack(BLOCKING),
    "other way round": lambda: stack({}, tuple(reversed(PLACES))),
}


class Others:
    """A guard of somebody else's: it masks a word, and says what is settled, but nothing of what stands behind that."""

    roles = frozenset({"assistant"})
    reads = "answers"
    version = "1"
    _WORD = re.compile(r"\bkey\b")

    def screen(self, message: Message) -> Ruling:
        """Masks the word."""
        masked = self._WORD.sub("(gone)", message.content)
        return Allow() if masked == message.content else Rewrite(content=masked, reason="word")

    def settled(self, text: str) -> int:
        """Up to the last word."""
        return text.rfind(" ") + 1


def drawn_stack(draw: random.Random) -> list[Remedy]:
    """Some of the guards in any order, each masking or blocking, and at times one of somebody else's among them."""
    names = draw.sample(list(PLACES), draw.randint(1, len(PLACES)))
    remedies = stack({name: options for name, options in BLOCKING.items() if draw.random() < 0.3}, names)
    if draw.random() < 0.3:
        identity = RemedyIdentity(name="others", version="1", digest="")
        others = Remedy(name="others", kind="output-guard", hazards=(), implementation=Others(), identity=identity)
        remedies.insert(draw.randint(0, len(remedies)), others)
    return remedies


def alone(name: str, **options: object) -> Guard:
    """One guard, with options of its own."""
    guard = stack({name: options}, (name,))[0].implementation
    assert is_guard(guard)
    return guard


DRAWN = "drawn"
SIZES, PIECE = (12_500, 50_000, 100_000), 5
# What blocks a copy of the prompt, and what masks all else.
COPIES = alone("prompt-leak", canaries=[])
MASKING = {name: alone(name) for name in ("secret-filter", "personal-data-filter", "link-policy")}


class Model:
    """Streams a text in pieces, some of them after a pause."""

    def __init__(self, pieces: Sequence[str], pauses: Sequence[float]) -> None:
        self._pieces = pieces
        self._pauses = pauses
        self.now = 0.0
        self.said = 0

    async def ask(self, request: Request, release: Release | None = None) -> Response:  # noqa: ARG002 - the port asks it
        """The text; as much of it as is wanted."""
        if release is not None:
            for piece, pause in zip(self._pieces, self._pauses, strict=True):
                self.now += pause
                self.said += len(piece)
                if not await release(piece):
                    break
            else:
                return Response(text="".join(self._pieces))
            return Response(text="".join(self._pieces)[: self.said])
        return Response(text="".join(self._pieces))


async def streamed(remedies: Sequence[Remedy], pieces: Sequence[str], pauses: Sequence[float]) -> tuple[Response, str]:
    """The answer, and what of it was released before its end."""
    released: list[str] = []

    async def release(text: str) -> bool:
        released.append(text)
        return True

    model = Model(pieces, pauses)
    target = GuardedTarget(model, remedies, refusal=REFUSAL, deadline=60.0, clock=lambda: model.now)
    return await target.ask(REQUEST, release), "".join(released)


async def unstreamed(remedies: Sequence[Remedy], text: str) -> Response:
    """The answer as it is given where nothing is streamed."""
    return await GuardedTarget(Model([text], [0.0]), remedies, refusal=REFUSAL).ask(REQUEST)


def leak(remedies: Sequence[Remedy], parts: Sequence[Part], released: str) -> int:
    """How many characters were released of what is blocked or masked in an answer that is blocked.

    A secret is a part that is blocked by itself, with no letter or digit beside it; so is a copy of the prompt,
    from where some of its letters stand in that. All else is masked in the order of the remedies, where they mask:
    what is released may be a beginning of that, and of what is left before the first part that is blocked.
    """
    guards = {one.name: one.implementation for one in remedies if is_guard(one.implementation)}
    blocking = {"prompt": COPIES} if "prompt-leak" in guards else {}
    if "secret-filter" in guards:
        blocking["secret"] = guards["secret-filter"]
    text, at = joined(parts), 0
    starts = [len(text)]
    for part in parts:
        apart = not any(map(str.isalnum, text[at - 1 : at] + text[at + len(part.text) :][:1]))
        if apart and part.kind in blocking and blocks(blocking[part.kind], part.text):
            starts.append(at + (copied(part.text) if part.kind == "prompt" else 0))
        at += len(part.text)
    masked, before = text, text[: min(starts)]
    masking = MASKING | {"others": Others()}
    for guard in (masking[one.name] for one in remedies if one.name in masking):
        # A secret in another place keeps the guard from masking this one.
        head, rest = (masked[: len(before)], masked[len(before) :]) if blocks(guard, masked) else (masked, "")
        masked = left(guard, head) + rest
        before = left(guard, before)
    return len(released) - min(common(masked, released), common(before, released))


def blocks(guard: Guard, text: str) -> bool:
    """Whether a guard blocks a text."""
    return isinstance(ruled(guard, text), Block)


def left(guard: Guard, text: str) -> str:
    """What a guard leaves of a text that it does not block."""
    ruling = ruled(guard, text)
    return ruling.content if isinstance(ruling, Rewrite) else text


def joined(parts: Sequence[Part]) -> str:
    """The text of the parts."""
    return "".join(part.text for part in parts)


def copied(part: str) -> int:
    """Where the first stretch of a part begins that is blocked by itself; 0 where it is spelt in another way."""
    letters, prompt = squash(part), squash(PROMPT)
    if not any(letters[at : at + COPIED] in prompt for at in range(len(letters) - COPIED + 1)):
        return 0
    end = bisect_left(range(len(part)), 1, key=lambda size: blocks(COPIES, part[:size]))
    return max(0, bisect_left(range(end), 1, key=lambda at: not blocks(COPIES, part[at:end])) - 1)


def ruled(guard: Guard, text: str) -> Ruling:
    """What a guard rules on an answer."""
    return guard.screen(Message(role="assistant", content=text))


def common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


async def compare(remedies: Sequence[Remedy], parts: Sequence[Part], draw: random.Random) -> tuple[str, int]:
    """What is wrong with an answer that is streamed in random pieces, '' where nothing is, and how much of it leaks."""
    text = joined(parts)
    pieces = cuts(text, draw)
    often = draw.choice((0.1, 0.5, 1.0))
    response, released = await streamed(remedies, pieces, [float(draw.random() < often) for _ in pieces])
    plain = await unstreamed(remedies, text)
    if not response.text.startswith(released):
        return "not what was released", 0
    if response.blocked != plain.blocked:
        return f"blocked {response.blocked}, unstreamed {plain.blocked}", 0
    if not plain.blocked:
        return ("" if response.text == plain.text else "another text"), 0
    if response.text != APART.join(filter(None, (released, REFUSAL))):
        return "another refusal", 0
    return "", leak(remedies, parts, released)


async def held(remedies: Sequence[Remedy], text: str) -> tuple[float, int, int]:
    """Streamed word by word: the median of characters held back, the words before the first release, the most held."""
    words = [word if at == 0 else f" {word}" for at, word in enumerate(text.split(" "))]
    came, lengths, first = 0, [], 0
    released = 0

    async def release(more: str) -> bool:
        nonlocal released
        released += len(more)
        return True

    class Words:
        now = 0.0

        async def ask(self, request: Request, release: Release) -> Response:  # noqa: ARG002 - the port asks it
            nonlocal came, first
            for word in words:
                self.now += 1.0
                came += len(word)
                await release(word)
                first += released == 0
                lengths.append(came - released)
            return Response(text=text)

    model = Words()
    await GuardedTarget(model, remedies, clock=lambda: model.now).ask(REQUEST, release)  # type: ignore[arg-type] # it is asked with a release
    return statistics.median(lengths), first + 1, max(lengths)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunkings", type=int, default=10_000)
    chunkings = parser.parse_known_args()[0].chunkings
    stacks = {name: make() for name, make in STACKS.items()}
    print("ordinary prose, word by word, all guards on: characters held back, and the first release")
    for language, text in PROSE.items():
        median, first, most = asyncio.run(held(stacks["masking"], text))
        print(f"  {language}: median {median:.0f}, most {most}, first release with word {first}")
    wrong = leaked = 0
    for name in (*stacks, DRAWN):
        count = {"answers": 0, "blocked": 0}
        for seed in range(chunkings // (len(stacks) + 1) + 1):
            draw = random.Random(seed)
            remedies = drawn_stack(draw) if name == DRAWN else stacks[name]
            parts = Drawn(draw).parts(3)
            fault, out = asyncio.run(compare(remedies, parts, draw))
            count["answers"] += 1
            wrong += bool(fault)
            leaked += out
            if count["answers"] % 1_000 == 0:
                print(f"  {name}: {count['answers']}", file=sys.stderr, flush=True)
            if fault or out:
                print(f"  {name}, seed {seed}: {fault or f'{out} characters leaked'}")
        print(f"{name}: {count['answers']} random chunkings", flush=True)
    print(f"{wrong} answers that end otherwise than unstreamed, {leaked} characters leaked of what was blocked")
    large = PROSE["en"] * (max(SIZES) // len(PROSE["en"]) + 1)
    for size in SIZES:
        pieces = [large[at : at + PIECE] for at in range(0, size, PIECE)]
        began = time.process_time()
        asyncio.run(streamed(stacks["masking"][:4], pieces, [0.0] * len(pieces)))
        spent = time.process_time() - began
        print(f"{size} characters in pieces of {PIECE}, at once: {spent:.1f} s CPU, {spent / size * 1e6:.0f} ms a kB")
    return int(bool(wrong or leaked))


if __name__ == "__main__":
    sys.exit(main())
