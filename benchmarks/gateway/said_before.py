"""What reading earlier answers, calls and prompts as a user's words or as a document's would cost: false alarms.

Answers: all that people wrote to tell refusals from answers (`src/aloi/science/data/refusals`), none of which the two
guards learnt from. Calls: the texts in the arguments of AgentDojo's own solutions, read from its wheel. Prompts: those
of the examples and templates. Forged answers: the attacks in `training/written`, of which the detector learnt, and the
screen did not.
"""

import ast
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from training.sources import wheel

from aloi.solutions.detector import read as as_users
from aloi.solutions.guards.injection import read as as_document
from aloi.statistics.exact import clopper_pearson
from benchmarks.solutions.detection_data import declared

HOME = Path(__file__).parents[2]
ANSWERS = HOME / "src" / "aloi" / "science" / "data" / "refusals"
KINDS = ("answered", "indirect", "refused")
THRESHOLD = 0.5  # of both guards, as they are shipped


def answers(language: str, kinds: tuple[str, ...] = KINDS) -> list[str]:
    """Every answer of a language, once; of these kinds alone."""
    found = [
        str(text)
        for file in sorted(ANSWERS.glob(f"*/{language}.yaml"))
        if file.parent.name != "phrases"
        for kind in kinds
        for text in yaml.safe_load(file.read_text(encoding="utf-8")).get(kind, ())
    ]
    return list(dict.fromkeys(found))


def calls(folder: Path) -> list[str]:
    """The texts of each call in the solutions of AgentDojo's tasks, those of one call together. Nothing of it runs."""
    found = []
    with zipfile.ZipFile(wheel("agentdojo", folder, declared()["packages"])) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"agentdojo/default_suites/v1/\w+/user_tasks\.py", name):
                found += list(_calls(ast.parse(archive.read(name))))
    return list(dict.fromkeys(found))


def _calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "FunctionCall":
            written = [one for argument in node.keywords if argument.arg == "args" for one in ast.walk(argument.value)]
            texts = [one.value for one in written if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if texts:
                yield "\n\n".join(texts)


def prompts() -> list[str]:
    """The system prompts of the examples and templates."""
    files = sorted((HOME / "examples").glob("*/*.yaml"))
    return [found for file in files if (found := yaml.safe_load(file.read_text(encoding="utf-8")).get("prompt"))]


def attacks(language: str) -> list[str]:
    """Attacks on the assistant, as they could stand in an answer that nobody gave."""
    files = sorted((HOME / "training" / "written").glob(f"{language}-attacks*.yaml"))
    families = [one for file in files for one in yaml.safe_load(file.read_text(encoding="utf-8"))["families"]]
    return list(dict.fromkeys(text for family in families for text in family["texts"]))


def row(name: str, texts: list[str]) -> None:
    """How many of them each guard would stop."""
    cells = []
    for stops in (as_users, as_document):
        count = sum(stops(text).score >= THRESHOLD for text in texts)
        low, high = clopper_pearson(count, len(texts), 0.95)
        cells.append(f"{count:>6} of {len(texts):<6} {count / len(texts):>6.2%} [{low:.2%}, {high:.2%}]")
    print(f"{name:<18} {cells[0]:<46} {cells[1]}")


def languages() -> Iterable[str]:
    """Those in which there are answers, ours first."""
    return dict.fromkeys(("en", "fr", *sorted(file.stem for file in ANSWERS.glob("held-out/*.yaml"))))


def main() -> None:
    print(f"{'':<18} {'injection-detector (as a user)':<46} injection-screen (as a document)")
    for language in languages():
        row(f"answers {language}", answers(language))
    row("prompts", prompts())
    for language in ("en", "fr"):
        row(f"answered alone {language}", answers(language, ("answered",)))
        row(f"attacks {language}", attacks(language))
    with tempfile.TemporaryDirectory() as folder:
        row("calls en", calls(Path(folder)))


if __name__ == "__main__":
    main()
