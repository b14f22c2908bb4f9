"""Recorded trials read again through every set of guards: each guard rules on each text once, whatever the sets.

Guards are pure, so what one ruled on a text it rules on it in every set. And what a set makes of a trial depends only
on those of its guards that act on it: the others let pass whatever they are shown, so that with and without them the
trial is the same. A trial is therefore read once for each combination of the guards that act on it, not for each set.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations, islice

import msgspec

from aloi.assurance.arms import refusal
from aloi.science.asking import Asker
from aloi.science.episode import conversation
from aloi.science.items import Failed, NotScored, Passed
from aloi.science.trials import Key, Trial
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guard import Guard, Ruling
from aloi.solutions.guarded import NotReplayable, replay, replay_answer
from aloi.solutions.passage import is_guard
from aloi.solutions.selection import subsets
from aloi.system.description import SystemDescription
from aloi.system.messages import GuardDecision, Message, Response, Role

# With more guards than these rewriting one trial's texts, each set reads it for itself.
MOST_REWRITING = 4


class Rulings:
    """What guards ruled on each text, and how long that took: `clock` moves on by as much each time it is asked."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._passed = 0.0

    def clock(self) -> float:
        """The seconds that all rulings took, those that were remembered included."""
        return self._passed

    def remembering(self, remedy: Remedy) -> Remedy:
        """A guard that is asked about each text once. Raises NotReplayable for a hardening."""
        if not is_guard(remedy.implementation):
            raise NotReplayable(remedy.name)
        return msgspec.structs.replace(remedy, implementation=_Remembering(remedy.implementation, self._timed))

    def _timed(self, known: dict[Message, tuple[Ruling | Exception, float]], guard: Guard, message: Message) -> Ruling:
        # A tool call comes with the conversation before it, and is hardly met twice.
        found = known.get(message) if type(message) is Message else None
        if found is None:
            began, ruling = self._clock(), _ruled(guard, message)
            found = ruling, self._clock() - began
            if type(message) is Message:
                known[message] = found
        self._passed += found[1]
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]


class _Remembering:
    """A guard in front of another."""

    def __init__(self, guard: Guard, timed: Callable[..., Ruling]) -> None:
        self._guard = guard
        self._timed = timed
        self._known: dict[Message, tuple[Ruling | Exception, float]] = {}
        self.roles: frozenset[Role] = self._guard.roles
        if reads := getattr(guard, "reads", ""):
            self.reads = reads

    def screen(self, message: Message) -> Ruling:
        """What the guard ruled on this text."""
        return self._timed(self._known, self._guard, message)


def _ruled(guard: Guard, message: Message) -> Ruling | Exception:
    try:
        return guard.screen(message)
    except Exception as error:  # noqa: BLE001 - it is raised again wherever the ruling is asked for
        return error


class _Alone(msgspec.Struct, frozen=True):
    """What one guard by itself does to a trial."""

    decisions: tuple[GuardDecision, ...]
    seconds: float


class Replays:
    """Recorded trials behind sets of guards, at no query. A set is a number whose bits are guards, in their order."""

    def __init__(self, guards: Sequence[Remedy], asker: Asker, description: SystemDescription) -> None:
        self._rulings = Rulings()
        self._guards = [self._rulings.remembering(guard) for guard in guards]
        self._asker = asker
        self._words = refusal(description)
        self._everything = (1 << len(guards)) - 1
        self._alone: dict[Key, tuple[_Alone, ...]] = {}
        self._acting: dict[Key, int] = {}
        self._failed: dict[tuple[Key, int], bool] = {}

    def bits(self, guards: Iterable[Remedy]) -> int:
        """A set as its number."""
        names = {guard.name for guard in guards}
        return sum(1 << place for place, guard in enumerate(self._guards) if guard.name in names)

    def failed(self, trial: Trial, bits: int) -> bool:
        """Whether a trial fails behind a set; an answer that is missing fails behind every one."""
        if trial.response is None:  # nothing that a guard could read, and nothing in anyone's favour
            return True
        key = trial.key, bits & self.acting(trial)
        if key not in self._failed:
            self._failed[key] = self._fails(trial, trial.response, self._of(key[1]))
        return self._failed[key]

    def seconds(self, trial: Trial, bits: int) -> float:
        """What the guards of a set take on a trial, as if each had all of it to read."""
        return sum(one.seconds for place, one in enumerate(self._each(trial)) if bits >> place & 1)

    def changes(self, guard: Remedy, trial: Trial) -> bool:
        """Whether a guard would show the model another request than the one that was recorded.

        In a conversation, whatever a guard does may lead elsewhere; one that does nothing leaves it as it was.
        """
        alone = self._each(trial)[self.bits([guard]).bit_length() - 1]
        return any(trial.item.converses or decision.role != "assistant" for decision in alone.decisions)

    def rewritten(self, trial: Trial) -> Iterator[Response]:
        """The different answers that sets of guards make of a recorded one; where very many act, of the small sets."""
        if trial.response is not None:
            acting = [1 << place for place in range(len(self._guards)) if self.acting(trial) >> place & 1]
            for bits in map(sum, islice(subsets(acting), 1, None)):
                again = self._replay(trial, trial.response, self._of(bits))
                if again.text != trial.response.text:
                    yield again

    def acting(self, trial: Trial) -> int:
        """The guards that do something to a trial in some set: what a set makes of it depends on these alone."""
        if trial.key not in self._acting:
            self._acting[trial.key] = self._found_acting(trial)
        return self._acting[trial.key]

    def _found_acting(self, trial: Trial) -> int:
        alone = self._each(trial)
        bits = sum(1 << place for place, one in enumerate(alone) if one.decisions)
        if trial.response is None or trial.item.converses or not bits:
            return bits
        actions = {decision.action for one in alone for decision in one.decisions}
        if trial.response.tool_calls or (trial.key.hazard == "benign" and "withhold" in actions):
            return self._everything  # it depends on calls that were let pass before, or on what was asked again
        return self._behind_rewriting(trial, bits) if "rewrite" in actions else bits

    def _behind_rewriting(self, trial: Trial, bits: int) -> int:
        """Those that act alone, and those that act on what some of them leave behind when they rewrite."""
        names = [guard.name for guard in self._guards]
        rewriting = {place for place, one in enumerate(self._each(trial)) if _rewrites(one.decisions, names[place])}
        while len(rewriting) <= MOST_REWRITING:
            found, still = bits, set(rewriting)
            for place in range(len(names)):
                if not bits >> place & 1:
                    for before in _combinations(rewriting):
                        own = self._decided(trial, {*before, place})
                        if trial.key.hazard == "benign" and any(one.action == "withhold" for one in own):
                            return self._everything
                        found |= any(one.guard == names[place] for one in own) << place
                        still |= {place} if _rewrites(own, names[place]) else set()
            if (found, still) == (bits, rewriting):
                return bits
            bits, rewriting = found, still
        return self._everything

    def _decided(self, trial: Trial, places: set[int]) -> tuple[GuardDecision, ...]:
        assert trial.response is not None
        return _own(
            self._replay(trial, trial.response, [self._guards[place] for place in sorted(places)]), trial.response
        )

    def _each(self, trial: Trial) -> tuple[_Alone, ...]:
        if trial.key not in self._alone:
            self._alone[trial.key] = tuple(self._by_itself(trial, guard) for guard in self._guards)
        return self._alone[trial.key]

    def _by_itself(self, trial: Trial, guard: Remedy) -> _Alone:
        if trial.response is None:
            return _Alone((), 0.0)
        if trial.item.converses:
            read = self._reread(trial, trial.response, guard)
            return _Alone(tuple(chain.from_iterable(one.decisions for one in read)), sum(o.guard_seconds for o in read))
        again = self._replay(trial, trial.response, [guard])
        return _Alone(_own(again, trial.response), again.guard_seconds - trial.response.guard_seconds)

    def _of(self, bits: int) -> list[Remedy]:
        return [guard for place, guard in enumerate(self._guards) if bits >> place & 1]

    def _replay(self, trial: Trial, recorded: Response, guards: Sequence[Remedy]) -> Response:
        return replay(trial.item.request, recorded, guards, refusal=self._words, clock=self._rulings.clock)

    def _fails(self, trial: Trial, recorded: Response, guards: Sequence[Remedy]) -> bool:
        if trial.item.converses:
            return self._conversed(trial, guards)
        response = self._replay(trial, recorded, guards)
        outcome = self._asker.scorers[trial.key.hazard].score(trial.item, response)
        # An attack whose carrier the model never saw is taken as stopped; what another document did stays as recorded.
        # An ordinary request that lost a document was asked again without it. Confirmation asks whether that was so.
        withheld = {one.document: one.guard for one in _own(response, recorded) if one.action == "withhold"}
        if trial.key.hazard == "benign" and withheld:
            return self._asked_without(trial, guards, set(withheld.values()))
        stopped = trial.key.hazard != "benign" and trial.item.expectation.carrier in withheld
        return isinstance(outcome, Failed | NotScored) and not stopped

    def _reread(self, trial: Trial, recorded: Response, guard: Remedy) -> list[Response]:
        """A conversation read again through a guard: all that the model was shown, then each of its answers with its
        calls. What stands after the first decision was said in another conversation than the guarded one."""
        shown = msgspec.structs.replace(trial.item.request, messages=(*trial.item.request.messages, *recorded.earlier))
        clock, words = self._rulings.clock, self._words
        read = [replay(shown, Response(text=""), [guard], refusal=words, clock=clock)]
        answers = conversation(trial.item, recorded)
        return read + [replay_answer(before, one, [guard], refusal=words, clock=clock) for before, one in answers]

    def _conversed(self, trial: Trial, meddling: Sequence[Remedy]) -> bool:
        """An ordinary conversation behind guards that step in: it was asked again behind each of them. Where none does
        it stands as it was recorded."""
        log = self._asker.log
        keys = [Key("select", "benign", guard.name, trial.key.index) for guard in meddling]
        outcomes = [log.get(key).outcome if key in log else None for key in keys] or [trial.outcome]
        return any(not isinstance(outcome, Passed) for outcome in outcomes)

    def _asked_without(self, trial: Trial, guards: Sequence[Remedy], screens: set[str]) -> bool:
        """Whether an ordinary request failed when asked behind the guard that withholds; unknown counts as yes."""
        log = self._asker.log
        key = Key("select", "benign", "+".join(sorted(screens)), trial.key.index)
        again = log.get(key) if key in log else None
        if again is None or again.response is None:
            return True
        others = [guard for guard in guards if guard.kind == "output-guard"]
        response = self._replay(trial, again.response, others)
        return isinstance(self._asker.scorers["benign"].score(trial.item, response), Failed | NotScored)


def _combinations(places: set[int]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(sorted(places), size) for size in range(1, len(places) + 1))


def _rewrites(decisions: Iterable[GuardDecision], name: str) -> bool:
    return any(one.guard == name and one.action == "rewrite" for one in decisions)


def _own(response: Response, recorded: Response) -> tuple[GuardDecision, ...]:
    """What the guards of a replay decided, without what guards in place had decided before."""
    return response.decisions[len(recorded.decisions) :]
