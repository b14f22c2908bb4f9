"""What a detector may learn from: failed trials of runs, exchanges that people labelled, and corpora."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path

from msgspec import Struct

from aloi.assurance.folder import RunFolder
from aloi.assurance.monitoring.labels import Word, read_labels
from aloi.errors import AskerError
from aloi.evidence.updates import DETECTOR, Source
from aloi.science.items import Failed, Item
from aloi.science.trials import TrialLog
from aloi.solutions.catalogue import entry
from aloi.solutions.gateway.journal import read as read_record
from aloi.solutions.gateway.kept import Exchanged, Kept
from aloi.solutions.screening.corpus import read_corpus
from aloi.solutions.updating.texts import Labelled, distinct, labelled
from aloi.translation import N_


class Given(Struct, frozen=True, kw_only=True):
    """Where texts are: folders of runs, the record of a gateway with people's labels, corpora.

    A label in a corpus stands; lines without one are attacks in `attacks`, ordinary texts in `ordinary`.
    """

    runs: tuple[Path, ...] = ()
    traffic: Path | None = None
    labels: Path | None = None
    attacks: tuple[Path, ...] = ()
    ordinary: tuple[Path, ...] = ()


class Gathered(Struct, frozen=True, kw_only=True):
    """Texts with where they come from; `left_out` counts by code what could not be taken."""

    texts: tuple[Labelled, ...]
    sources: tuple[Source, ...]
    left_out: Mapping[str, int]


def gather(given: Given) -> Gathered:
    """Every text. Raises AskerError where a source cannot be read, holds none, or has no labels."""
    if (given.traffic is None) != (given.labels is None):
        raise AskerError(
            N_("--traffic and --labels belong together: that a guard blocked an exchange does not make it an attack"),
            remedy=N_("label exchanges as for `aloi measure --traffic`, and give both"),
        )
    left: Counter[str] = Counter()
    found = [_run(path, left) for path in given.runs]
    if given.traffic is not None and given.labels is not None:
        found.append(_traffic(given.traffic, read_labels(given.labels), left))
    found += [_corpus(path, attack=True) for path in given.attacks]
    found += [_corpus(path, attack=False) for path in given.ordinary]
    return Gathered(
        texts=tuple(one for texts, _ in found for one in texts), sources=tuple(one for _, one in found), left_out=left
    )


def corpora(attacks: Iterable[Path], ordinary: Iterable[Path]) -> Gathered:
    """The texts of corpora alone."""
    return gather(Given(attacks=tuple(attacks), ordinary=tuple(ordinary)))


def _run(path: Path, left: Counter[str]) -> tuple[list[Labelled], Source]:
    """What a user said in each trial that failed, as it was wrapped: of the hazards that the detector serves."""
    folder, served = RunFolder(path), entry(DETECTOR).hazards
    folder.state()
    with TrialLog(folder.trials) as log:
        failed = [trial.item for trial in log if isinstance(trial.outcome, Failed) and trial.key.hazard in served]
    texts = [labelled(text, attack=True) for item in failed for text in _asked(item, left)]
    return texts, _source("run", folder.trials, texts)


def _asked(item: Item, left: Counter[str]) -> Iterator[str]:
    """The one message of the user; of a conversation or a carried attack nobody knows which text is the attack."""
    messages = item.request.messages
    if item.expectation.carrier:
        left["carried"] += 1
    elif item.converses or len(messages) != 1 or messages[0].role != "user":
        left["conversations"] += 1
    else:
        yield messages[0].content


def _traffic(folder: Path, words: Mapping[str, Word], left: Counter[str]) -> tuple[list[Labelled], Source]:
    """What was asked in the exchanges that people called harmful, or ordinary."""
    texts: list[Labelled] = []

    def take(line: Kept) -> None:
        if not isinstance(line, Exchanged):
            return
        word = words.get(line.id)
        if word in {None, "unclear"}:
            left["unlabelled"] += 1
        elif not line.asked:
            left["without-text"] += 1
        elif line.cut:
            left["cut"] += 1
        else:
            texts.append(labelled(line.asked, attack=word == "harmful"))

    read = read_record(folder, take)
    if not texts:
        raise AskerError(
            N_("{folder} holds no text that people labelled"),
            remedy=N_("texts are kept where `gateway.record.texts` is true; label them by their id"),
            folder=folder,
        )
    return texts, _counted("traffic", f"sha256:{read.last}", texts)


def _corpus(path: Path, *, attack: bool) -> tuple[list[Labelled], Source]:
    texts = [
        labelled(one.text, attack=attack if one.attack is None else one.attack, spoken=one.language)
        for one in read_corpus(path)
    ]
    return texts, _source("corpus", path, texts)


def _source(kind: str, path: Path, texts: Sequence[Labelled]) -> Source:
    with path.open("rb") as file:
        return _counted(kind, f"sha256:{file_digest(file, 'sha256').hexdigest()}", texts)


def _counted(kind: str, digest: str, texts: Sequence[Labelled]) -> Source:
    once = distinct(texts)
    return Source(kind=kind, digest=digest, attacks=len(once.attacks), ordinary=len(once.ordinary))  # type: ignore[arg-type] # one of three, written above
