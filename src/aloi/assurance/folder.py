"""The folder of a run: everything that it needs in order to go on, and everything that it hands over."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from aloi.errors import AskerError
from aloi.evidence.commitments import SECRET_SIZE
from aloi.evidence.records import Calibration
from aloi.science.judging.judged import Words
from aloi.science.judging.ratings import Labels, Ratings, Waiting
from aloi.system.corpora.corpus import Corpus
from aloi.system.description import SystemDescription
from aloi.system.labelled import Row
from aloi.system.messages import Document
from aloi.system.reading import System
from aloi.translation import N_

EDITION = 1


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`: what was started, with what. The system is a snapshot: later edits of its files change no run."""

    edition: int
    software: str
    key: str
    description: SystemDescription
    documents: tuple[Document, ...]
    model: str
    measure_only: bool = False
    corpora: dict[str, Corpus] = {}
    calibrations: dict[str, Calibration] = {}
    exemplars: dict[str, tuple[Row, ...]] = {}


class RunProgress(msgspec.Struct, frozen=True, kw_only=True):
    """`progress.json`: seconds spent in each stage over all sessions, and the limit that ended the run, if one did.

    `labels` counts the people's words that the bundle rests on.
    """

    seconds: dict[str, float] = {}
    stopped_by: str = ""
    labels: int = 0


class RunFolder:
    """Names of the files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state_file = path / "run.json"
        self.plan = path / "plan.dsse.json"
        self.trials = path / "trials.jsonl"
        self.secret_file = path / "items.secret"
        self.progress = path / "progress.json"
        self.egress = path / "egress.jsonl"
        self.ratings = path / "ratings.jsonl"
        self.labels = path / "labels.jsonl"
        self.awaiting = path / "awaiting.jsonl"
        self.bundle = path / "bundle.json"
        self.plan_proof = path / "bundle.proofs" / "plan.tlog-proof"
        self.public_key = path / "signer.pub.pem"

    def report(self, language: str) -> Path:
        """The report in one language."""
        return self.path / f"report.{language}.html"

    @classmethod
    def create(cls, parent: Path, name: str, now: datetime, state: RunState) -> "RunFolder":
        """A new folder `<name>-<time>` under `parent`. Raises AskerError where it cannot be made."""
        path = parent / f"{name}-{now:%Y%m%dT%H%M%SZ}"
        try:
            path.mkdir(parents=True, mode=0o700)
            folder = cls(path)
            write_whole(folder.secret_file, os.urandom(SECRET_SIZE).hex().encode())
            write_whole(folder.state_file, msgspec.json.format(msgspec.json.encode(state)))
        except OSError as error:
            raise AskerError(
                N_("cannot make the run's folder {folder}: {problem}"),
                remedy=N_("choose another folder with --runs, one that you may write to and with space left"),
                folder=path,
                problem=error.strerror or error,
            ) from error
        return folder

    def state(self) -> RunState:
        """What was started. Raises AskerError for a folder that is no run, or of another edition."""
        try:
            data = self.state_file.read_bytes()
            edition = msgspec.json.decode(data, type=_Edition).edition
            if edition == EDITION:
                return msgspec.json.decode(data, type=RunState)
        except (OSError, msgspec.DecodeError) as error:
            raise AskerError(
                N_("{folder} is not the folder of a run: {problem}"),
                remedy=N_("give the folder that `aloi assure` named, the one that holds run.json"),
                folder=self.path,
                problem=getattr(error, "strerror", None) or error,
            ) from error
        raise AskerError(
            N_("{folder} was written by another edition of Aloi: got {got}, expected {expected}"),
            remedy=N_("finish it with the version that began it, or start a new run"),
            folder=self.path,
            got=edition,
            expected=EDITION,
        )

    def secret(self) -> bytes:
        """What the items of this run are sealed with; nothing where an earlier version began it.

        Raises AskerError where the file was changed: without it no item can be opened.
        """
        try:
            secret = bytes.fromhex(self.secret_file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return b""
        except (OSError, ValueError) as error:
            raise self._unreadable_secret() from error
        if len(secret) != SECRET_SIZE:
            raise self._unreadable_secret()
        return secret

    def _unreadable_secret(self) -> AskerError:
        return AskerError(
            N_("{file} does not hold the secret of this run's items"),
            remedy=N_("restore the file from your backup"),
            file=self.secret_file,
        )

    def spent(self) -> RunProgress:
        """What earlier sessions of this run spent; nothing where there was none. Raises AskerError where it is cut."""
        try:
            return msgspec.json.decode(self.progress.read_bytes(), type=RunProgress)
        except FileNotFoundError:
            return RunProgress()
        except (OSError, msgspec.DecodeError) as error:
            raise AskerError(
                N_("cannot read {file}: {problem}"),
                remedy=N_("remove the file: times are lost, no trial is"),
                file=self.progress,
                problem=getattr(error, "strerror", None) or error,
            ) from error

    def system(self) -> System:
        """The system as it was when the run began."""
        state = self.state()
        return System(
            state.description,
            state.documents,
            state.model,
            corpora=state.corpora,
            calibrations=state.calibrations,
            exemplars=state.exemplars,
        )

    @contextmanager
    def words(self, *, write: bool = False) -> Iterator[Words]:
        """What judges and people said in this run; with `write` judges may say more."""
        with (
            Ratings(self.ratings, write=write) as ratings,
            Labels(self.labels) as labels,
            Waiting(self.awaiting, write=write) as waiting,
        ):
            yield Words(ratings, labels, waiting)


class _Edition(msgspec.Struct):
    edition: int


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file whole or not at all. Raises AskerError where the disk refuses."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with temporary.open("wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise AskerError(
            N_("cannot write {file}: {problem}"),
            remedy=N_("free some space or make the folder writable, then resume the run: no trial is lost"),
            file=path,
            problem=error.strerror or error,
        ) from error
