"""The update that texts teach, as a record to sign, and the list of texts that it learnt from."""

from collections.abc import Sequence
from pathlib import Path

from aloi.assurance.loop import SOFTWARE
from aloi.assurance.updating.gathering import Gathered
from aloi.errors import AskerError
from aloi.evidence import envelope as dsse
from aloi.evidence.acceptedupdates import LIMIT, read_update
from aloi.evidence.canonical import digest
from aloi.evidence.envelope import Envelope
from aloi.evidence.publickeys import SigningKey
from aloi.evidence.statement import Subject, state
from aloi.evidence.updates import DETECTOR, DetectorUpdate, LanguageLearnt
from aloi.solutions.detector import base_digest
from aloi.solutions.updating.learning import LEAST, STRENGTH, learn
from aloi.solutions.updating.texts import Texts, by_language
from aloi.translation import N_


def make_update(gathered: Gathered, texts: Texts) -> DetectorUpdate:
    """The update that these distinct texts teach. Raises AskerError as `learn`."""
    change = learn(texts)
    return DetectorUpdate(
        base=base_digest(),
        buckets=change.buckets,
        changes=change.changes,
        bias=change.bias,
        strength=STRENGTH,
        least=LEAST,
        attacks=len(texts.attacks),
        ordinary=len(texts.ordinary),
        languages=tuple(_languages(texts)),
        sources=gathered.sources,
        learnt=digest(listed(texts.digests)),
        software=SOFTWARE,
    )


def _languages(texts: Texts) -> list[LanguageLearnt]:
    found = []
    for code, group in by_language((*texts.attacks, *texts.ordinary)):
        attacks = sum(one.attack for one in group)
        found.append(LanguageLearnt(language=code, attacks=attacks, ordinary=len(group) - attacks))
    return found


def signed_update(update: DetectorUpdate, key: SigningKey) -> Envelope:
    """The statement about the model that the update is for. Raises EvidenceError where it would be too large."""
    envelope = dsse.sign(state(update, [Subject.of(DETECTOR, update.base)]), key)
    return read_update(dsse.write(envelope))


def listed(digests: Sequence[str]) -> bytes:
    """The list of the texts that were learnt from: a digest a line. It tells of any text whether it was among them."""
    return "".join(f"{one}\n" for one in digests).encode()


def read_listed(path: Path, update: DetectorUpdate) -> frozenset[str]:
    """The list that an update names. Raises AskerError where the file cannot be read or is another one."""
    try:
        with path.open("rb") as file:
            data = file.read(100 * LIMIT)
    except OSError as error:
        raise AskerError(
            N_("cannot read {file}: {problem}"),
            remedy=N_("give the file that aloi guard learn wrote beside the update"),
            file=path,
            problem=error.strerror or error,
        ) from error
    if digest(data) != update.learnt:
        raise AskerError(
            N_("{file} is not the list of texts that the update learnt from"),
            remedy=N_("give the file that aloi guard learn wrote beside the update, or leave --learnt out"),
            file=path,
        )
    return frozenset(data.decode("ascii").split())
