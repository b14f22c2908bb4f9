"""Open `system.yaml` and the files beside it: the system as it will be asked, ready for a fingerprint."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec

from aloi.errors import AskerError, Fault, InvalidFile
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.records import Calibration
from aloi.system.beside import read_beside, unreadable
from aloi.system.corpora.corpus import Corpus
from aloi.system.corpora.hub import Loader, load_from_hub
from aloi.system.corpora.opening import Opening
from aloi.system.description import (
    MODEL_ATTACKER,
    DocumentDescription,
    Protected,
    SystemDescription,
    TargetDescription,
)
from aloi.system.judges import Aids, judge_faults, read_aids
from aloi.system.labelled import Row
from aloi.system.loading import LIMIT, Lines, Place, dotted, line_of, read
from aloi.system.messages import Document
from aloi.system.toolpolicy import rule_problems
from aloi.system.updates import with_update
from aloi.translation import N_

SHORTEST = 6


class System:
    """A system under assessment: its description, the text of every document that it retrieves, and by judge what its
    files hold: calibrations and exemplars.

    `corpora` are the prompts listed for a hazard, under its slug; they are part of the plan, not of the fingerprint.
    `file` and `lines` say where it is described: a fault that shows later is told with its place.
    """

    def __init__(
        self,
        description: SystemDescription,
        documents: tuple[Document, ...],
        model: str = "",
        *,
        corpora: Mapping[str, Corpus] | None = None,
        calibrations: Mapping[str, Calibration] | None = None,
        exemplars: Mapping[str, tuple[Row, ...]] | None = None,
        file: str = "system.yaml",
        lines: Lines = MappingProxyType({}),
    ) -> None:
        self.description = description
        self.documents = documents
        self.corpora = dict(corpora or {})
        self.model = model or description.target.model
        self.calibrations = dict(calibrations or {})
        self.exemplars = dict(exemplars or {})
        self.file = file
        self.lines = lines

    @contextmanager
    def at(self, *place: str | int) -> Iterator[None]:
        """A mistake that shows in the block is told with the line of `place`, or of the nearest place around it."""
        try:
            yield
        except AskerError as error:
            line = line_of(self.lines, place)
            if line and not error.where and not isinstance(error, InvalidFile):
                error.where = f"{self.file}:{line}"
            raise

    def fingerprint(self, remedies: tuple[str, ...] = ()) -> str:
        """`sha256:` digest over all that makes the system answer as it does.

        Covered: model, system prompt, sampling, documents, what the context holds, guards in place, and the digests of
        `remedies` added. Not covered: where the endpoint is and how fast it is asked, goals, and limits.
        """
        described = self.description
        parts = {
            "name": described.name,
            "purpose": described.purpose,
            "languages": described.languages,
            "model": self.model,
            "prompt": described.prompt,
            "temperature": repr(described.target.temperature),
            "max_tokens": described.target.max_tokens,
            "documents": [[document.id, digest(document.text.encode())] for document in self.documents],
            "context": digest(canonical(msgspec.structs.replace(described.context, documents=(), works=()))),
            "guards": described.guards,
            "remedies": remedies,
        }
        told = {name: given for name, given in described.remedy_options.items() if name in described.guards}
        if told:
            parts["remedy_options"] = digest(canonical(told))
        return digest(canonical(parts))


def _document(described: DocumentDescription, folder: Path, at: str, line: int | None) -> Document | Fault:
    """The document's text; a file must lie in the folder of `system.yaml`, so that an example cannot read the disk."""
    if bool(described.text) == bool(described.file):
        return Fault(N_("{path}: give either text or file"), path=at, line=line)
    if described.text:
        return Document(id=described.id, text=described.text)
    path = folder / described.file
    data = read_beside(path, folder, LIMIT, at, line)
    if isinstance(data, Fault):
        return data
    try:
        return Document(id=described.id, text=data.decode().strip())
    except UnicodeDecodeError as error:
        return unreadable(path, error, at, line)


def open_description(path: Path) -> SystemDescription:
    """What `system.yaml` at `path` says; no other file is opened. Raises InvalidFile with every fault of form."""
    return _described(path)[1]


def _described(path: Path) -> tuple[Path, SystemDescription, Lines]:
    file = path / "system.yaml" if path.is_dir() else path
    if file.exists() and not file.is_file():  # a pipe would be waited for
        raise AskerError(N_("{file} is no file"), remedy=N_("give the path of a system.yaml"), file=file)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise AskerError(
            N_("cannot read {file}: {problem}"),
            remedy=N_("give the path of a system.yaml; `aloi init` writes one to start from"),
            file=file,
            problem=error.strerror or error,
        ) from error
    return (file, *read(data, str(file), SystemDescription))


def open_system(path: Path, hub: Loader = load_from_hub) -> System:
    """Read `system.yaml` at `path` (a file, or the folder that holds it). Raises InvalidFile with every fault.

    A corpus of the Hugging Face hub is loaded through `hub`.
    """
    file, description, lines = _described(path)
    documents: list[Document] = []
    faults: list[Fault] = list(_contradictions(description, lines))
    for i, described in enumerate(description.context.documents):
        at = ("context", "documents", i)
        document = _document(described, file.parent, dotted(at), line_of(lines, at))
        documents.append(document) if isinstance(document, Document) else faults.append(document)
    aids = Aids()
    for found in read_aids(description, file.parent, lines):
        aids.add(found) if not isinstance(found, Fault) else faults.append(found)
    told = with_update(description.remedy_options, file.parent, lines)
    if isinstance(told, Fault):
        faults.append(told)
    else:
        description = msgspec.structs.replace(description, remedy_options=told)
    faults.sort(key=lambda fault: fault.line or 0)
    corpora, more = _corpora(description, lines, file.parent, hub)
    if faults or more:
        raise InvalidFile(str(file), [*faults, *more])
    return System(
        description,
        tuple(documents),
        corpora=corpora,
        calibrations=aids.calibrations,
        exemplars=aids.exemplars,
        file=str(file),
        lines=lines,
    )


def _corpora(
    description: SystemDescription, lines: Lines, folder: Path, hub: Loader
) -> tuple[dict[str, Corpus], list[Fault]]:
    """The corpus of each hazard that has one, and the faults of all."""
    corpora: dict[str, Corpus] = {}
    faults: list[Fault] = []
    for hazard, goal in description.assurance.hazards.items():
        if goal.corpus:
            line = line_of(lines, ("assurance", "hazards", hazard, "corpus"))
            opened = Opening(hazard, folder / goal.corpus, folder, description.languages, line).corpus(hub)
            if isinstance(opened, Corpus):
                corpora[hazard] = opened
            else:
                faults += opened
    return corpora, faults


def _contradictions(description: SystemDescription, lines: Lines) -> Iterable[Fault]:
    """What each value allows and the whole does not."""
    yield from target_faults(description.target, ("target",), lines)
    if upstream := description.gateway.upstream:
        at: Place = ("gateway", "upstream")
        if problem := _not_an_address(upstream):
            yield Fault(problem, path=dotted(at), line=line_of(lines, at))
    for name, judge in description.assurance.judges.items():
        if judge.target:
            yield from target_faults(judge.target, ("assurance", "judges", name, "target"), lines)
    yield from judge_faults(description, lines)
    yield from _attacker_faults(description, lines)
    for hazard, goal in description.assurance.hazards.items():
        if goal.corpus and goal.probe:
            place: Place = ("assurance", "hazards", hazard, "corpus")
            yield Fault(N_("{path}: give either probe or corpus"), path=dotted(place), line=line_of(lines, place))
    yield from _unasked_languages(description, lines)
    yield from _repeated(description.languages, ("languages",), lines)
    yield from _repeated(description.assurance.remedies, ("assurance", "remedies"), lines)
    yield from _repeated([document.id for document in description.context.documents], ("context", "documents"), lines)
    yield from _repeated([work.id for work in description.context.works], ("context", "works"), lines)
    for below, sentence in rule_problems(description.context.tools.rules):
        at = ("context", "tools", "rules")
        yield Fault(sentence, path=f"{dotted(at)}.{below}", line=line_of(lines, (*at, below.partition(".")[0])))
    for place, protected in _protected(description):
        if sum(character.isalnum() for character in protected.value) < SHORTEST:
            sentence = N_("{path}: needs {least} letters or digits at least, or it would be found by chance")
            yield Fault(
                sentence, path=dotted((*place, "value")), line=line_of(lines, (*place, "value")), least=SHORTEST
            )


def target_faults(target: TargetDescription, at: Place, lines: Lines) -> Iterable[Fault]:
    """What a target of its kind lacks or cannot have; `lines` may be empty."""
    if target.kind == "openai" and not target.base_url:
        sentence, remedy = N_("{path}: missing for kind: openai"), N_("add it")
        yield Fault(sentence, path=dotted((*at, "base_url")), line=line_of(lines, at), remedy=remedy)
    elif target.kind == "openai" and (problem := _not_an_address(target.base_url)):
        yield Fault(problem, path=dotted((*at, "base_url")), line=line_of(lines, (*at, "base_url")))
    if target.kind == "callable" and ":" not in target.callable:
        yield Fault(N_("{path}: expected module:function"), path=dotted((*at, "callable")), line=line_of(lines, at))


def _attacker_faults(description: SystemDescription, lines: Lines) -> Iterable[Fault]:
    """An attacker needs an address and something to hunt; a hunt that names it needs the attacker."""
    assurance = description.assurance
    place: Place = ("assurance", "attacker")
    hunts = {hazard: goal.hunt for hazard, goal in assurance.hazards.items() if goal.hunt}
    if assurance.attacker:
        yield from target_faults(assurance.attacker, place, lines)
        if not hunts:
            sentence = N_("{path}: no hazard is hunted: there is nothing for it to do")
            yield Fault(sentence, path=dotted(place), line=line_of(lines, place), remedy=N_("add a `hunt` to a hazard"))
    for hazard, hunt in hunts.items():
        at: Place = ("assurance", "hazards", hazard, "hunt", "attacks")
        yield from _repeated(hunt.attacks, at, lines)
        if MODEL_ATTACKER in hunt.attacks and not assurance.attacker:
            sentence = N_("{path}: {name} needs a model, and assurance.attacker names none")
            remedy = N_("add `attacker` under `assurance`, or leave {name} out")
            yield Fault(sentence, path=dotted(at), line=line_of(lines, at), remedy=remedy, name=MODEL_ATTACKER)


def _unasked_languages(description: SystemDescription, lines: Lines) -> Iterable[Fault]:
    """The cost of a remedy to users of a language is known only where ordinary questions are asked in it."""
    place: Place = ("assurance", "benign", "questions")
    asked = description.assurance.benign.questions
    for language in description.languages if description.assurance.benign.probe == "benign" else ():
        if not asked.get(language):
            sentence = N_("{path}: no ordinary question in {language}, a language of this system")
            remedy = N_("add some, or take the language out of `languages`")
            yield Fault(sentence, path=dotted(place), line=line_of(lines, place), remedy=remedy, language=language)
    for language in asked:
        if language not in description.languages:
            at = (*place, language)
            sentence, remedy = N_("{path}: not a language of this system"), N_("add it to `languages`, or leave it out")
            yield Fault(sentence, path=dotted(at), line=line_of(lines, at), remedy=remedy)


def _not_an_address(url: str) -> str:
    """Why `url` cannot be an endpoint's address; empty where it can. The address is shown in messages, a key is not."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return N_("{path}: not an address")
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return N_("{path}: expected http://… or https://…")
    if parts.username is not None or parts.query or parts.fragment:
        return N_("{path}: a key or password does not belong here; name its variable in target.api_key_env")
    return ""


def _repeated(names: Sequence[str], place: Place, lines: Lines) -> Iterable[Fault]:
    for i, name in enumerate(names):
        if name in names[:i]:
            at = (*place, i)
            sentence, remedy = N_("{path}: {name} stands twice"), N_("keep one of the two")
            yield Fault(sentence, path=dotted(at), line=line_of(lines, at), remedy=remedy, name=name)


def _protected(description: SystemDescription) -> Iterable[tuple[Place, Protected]]:
    for i, secret in enumerate(description.context.secrets):
        yield ("context", "secrets", i), secret
    for i, record in enumerate(description.context.records):
        for j, value in enumerate(record.values):
            yield ("context", "records", i, "values", j), value
