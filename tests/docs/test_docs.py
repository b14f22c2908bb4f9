"""What the documentation says exists: commands, options, links, fields, reason codes, figures, examples."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import msgspec
import pytest
from scipy.stats import binom
from tools.docs import END, START, between

from aloi.assurance.practices import practice_list
from aloi.assurance.report.practices import FACTS
from aloi.cli.main import COMMANDS, aloi
from aloi.evidence.predicates import CLAIMS, EDITIONS, NonClaim, predicate_type
from aloi.plugins import names
from aloi.science.hazards import hazards
from aloi.statistics.design import default_cap, expected_queries
from aloi.statistics.paired import paired_difference
from aloi.system import description, regulation, toolpolicy
from aloi.system.reading import open_system

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted(path for folder in ("docs", "decisions", "changelog.d") for path in (ROOT / folder).glob("*.md")),
]
TEMPLATES = ROOT / "src" / "aloi" / "examples" / "templates"
SECTIONS = {
    "": description.SystemDescription,
    "regulation.": regulation.Regulation,
    "target.": description.TargetDescription,
    "context.": description.Context,
    "context.secrets[].": description.Protected,
    "context.records[].": description.PersonRecord,
    "context.records[].values[].": description.Protected,
    "context.documents[].": description.DocumentDescription,
    "context.works[].": description.Work,
    "context.tools.": description.ToolsDescription,
    "context.tools.rules.*.": toolpolicy.ToolRule,
    "gateway.": description.GatewayDescription,
    "gateway.keys[].": description.GatewayKey,
    "gateway.limits.": description.GatewayLimits,
    "gateway.record.": description.GatewayRecord,
    "assurance.": description.Assurance,
    "assurance.hazards.*.": description.HazardGoal,
    "assurance.judges.*.": description.JudgeDescription,
    "assurance.hazards.*.hunt.": description.HuntGoal,
    "assurance.readapt.": description.ReadaptGoal,
    "assurance.attacker.": description.AttackerDescription,
    "assurance.benign.": description.BenignGoal,
    "assurance.limits.": description.LimitsDescription,
}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """Every `aloi …` that a page names, in a shell block or in its running text."""
    lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`((?:\.venv/bin/)?aloi [^`]+)`", prose)
    found = []
    for line in [*lines, *spans]:
        told = re.match(r"(?:\.venv/bin/)?aloi (.+)", line.strip())
        if told and "…" not in told[1]:
            found.append(shlex.split(told[1].split(">")[0], comments=True))
    return found


def refusal(words: list[str]) -> str:
    """Why a command line cannot be: it is parsed by the commands themselves, and nothing is run."""
    group: click.Command = aloi
    words = [word for word in words if word not in {"-h", "--help", "--version"}]  # every command has these
    while isinstance(group, click.Group):
        words = words[2:] if words[:1] == ["--lang"] else words
        if not words:
            return ""  # the group is named, not used
        name, command, words = group.resolve_command(click.Context(group), list(words))
        if command is None:
            return f"no command {name}"
        group = command
    ours = words[: words.index("--")] if "--" in words else words  # what comes behind is another program's
    for option in (word.split("=")[0] for word in ours if word.startswith("-")):
        if option not in {name for parameter in group.params for name in (*parameter.opts, *parameter.secondary_opts)}:
            return f"{group.name} has no option {option}"
    if not words:
        return ""  # the command is named, not used
    try:
        group.make_context(group.name or "", words)
    except click.UsageError as error:
        return error.format_message()
    return ""


def test_a_command_that_does_not_exist_is_seen():
    assert refusal(["verify", "bundle.json", "--keys", "a.pem"])
    assert refusal(["catalog", "unicorns"])
    assert refusal(["keys", "new", "--algorithm", "rsa"])
    with pytest.raises(click.UsageError):
        refusal(["prove"])
    assert not refusal(["--lang", "fr", "verify", "bundle.json", "--key", "a.pem"])


@every_page
def test_commands_exist_with_their_options(page: Path):
    wrong = {" ".join(words): refusal(words) for words in commands(page.read_text(encoding="utf-8"))}
    assert not {told: why for told, why in wrong.items() if why}


def test_the_readme_names_every_command():
    told = {next(word for word in words if word in COMMANDS) for words in commands(page("README.md"))}
    assert told == set(COMMANDS)


def test_make_targets_exist():
    made = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        lines = [line for block in blocks(text, "sh") for line in block.splitlines()] + re.findall(
            r"`(make [^`]+)`", text
        )
        for line in lines:
            if line.startswith("make "):
                asked = [word for word in shlex.split(line, comments=True)[1:] if "=" not in word]
                assert set(asked) <= made, f"{path.name}: {line}"


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_relative_links_resolve(page: Path):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        to = (page.parent / name).resolve() if name else page
        assert to.exists(), link
        assert to.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(to), link


def test_every_page_can_be_reached_from_the_readme():
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            links = re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", at.read_text(encoding="utf-8"))
            todo += [(at.parent / link).resolve() for link in links if not link.startswith("http")]
    fragments = {path for path in PAGES if path.parent.name == "changelog.d" and path.name != "README.md"}
    assert set(PAGES) - fragments - seen == set()


@every_page
def test_no_placeholder_is_left(page: Path):
    assert not re.findall(r"\{\{[A-Z_]+\}\}|\bTODO\b|\bTBD\b|\bFIXME\b|\bXXX\b", page.read_text(encoding="utf-8"))


@every_page
def test_nothing_is_called_safe_or_compliant(page: Path):
    """The two words may be quoted, as what is never said; nothing else may use them."""
    text = re.sub(r"\]\([^)]*\)", "]", page.read_text(encoding="utf-8"))
    for word in re.finditer(r"\b(safe|compliant|conforme|sûr)s?\b", text, re.IGNORECASE):
        around = text[max(0, word.start() - 2) : word.end() + 2]
        assert re.search(r"[“«\"]\s?\w+\s?[”»\"]", around), around


def rows(text: str) -> dict[str, str]:
    """The second column of every table whose first column is one field."""
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", text, re.MULTILINE))


def test_every_section_of_system_yaml_is_known_here():
    parts = {
        kind for kind in vars(description).values() if isinstance(kind, type) and issubclass(kind, description.Part)
    }
    elsewhere = {toolpolicy.ToolsDescription, toolpolicy.ToolRule, regulation.Regulation}
    assert set(SECTIONS.values()) == (parts - {description.Part}) | elsewhere


def test_every_field_of_system_yaml_is_documented_with_its_default():
    told = rows(page("docs/system-yaml.md"))
    for prefix, kind in SECTIONS.items():
        for field in msgspec.structs.fields(kind):
            where = prefix + field.name
            assert where in told, where
            if field.required:
                assert "required" in told[where], where
            elif isinstance(field.default, int | float) or (isinstance(field.default, str) and field.default):
                assert f"`{field.default}`" in told[where], where
    known = {prefix + field.name for prefix, kind in SECTIONS.items() for field in msgspec.structs.fields(kind)}
    assert {name for name in told if not name[0].isdigit()} - {"max_loss"} <= known


def reasons() -> set[str]:
    """Every reason that evidence can be refused for, read from the source."""
    found: set[str] = set()
    for path in (*(ROOT / "src/aloi/evidence").glob("*.py"), ROOT / "src/aloi/science/trials.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            given += node.args[1:2] if node.func.id == "_refusal" else []
            texts = [part.value for value in given for part in ast.walk(value) if isinstance(part, ast.Constant)]
            found |= {text for text in texts if isinstance(text, str) and not text.endswith("-")}
            if node.func.id == "_check_as_planned" and isinstance(node.args[3], ast.Tuple):
                found |= {f"plan-{part.value}" for part in node.args[3].elts if isinstance(part, ast.Constant)}
    return found


def test_every_reason_of_evidence_is_documented():
    told = set(re.findall(r"`([a-z0-9-]+)`", page("docs/evidence.md")))
    found = reasons()
    assert len(found) > 40
    assert found <= told, found - told
    tables = re.findall(r"^\| ((?:`[a-z0-9-]+`(?:, )?)+) \|", page("docs/evidence.md"), re.MULTILINE)
    assert {code for codes in tables for code in re.findall(r"`([^`]+)`", codes)} <= found


def test_every_predicate_and_non_claim_is_documented():
    text = page("docs/evidence.md")
    editions = [predicate_type(name, each) for name in CLAIMS for each in range(1, EDITIONS.get(name, 1) + 1)]
    assert len(editions) == len(CLAIMS) + 4
    assert [uri for uri in editions if f"`{uri}`" not in text] == []
    assert all(f"`{code}`" in text for code in NonClaim)


def test_every_remedy_and_framework_is_documented():
    remedies, frameworks = page("docs/remedies.md"), page("docs/frameworks.md")
    assert {name for name in names("aloi.guards") if f"| `{name}` |" not in remedies} == set()
    assert {name for name in names("aloi.frameworks") if f"| `{name}` |" not in frameworks} == set()


def test_every_hazard_is_documented_as_the_catalogue_has_it():
    text = page("docs/hazards.md")
    for slug, one in hazards().items():
        for words in (one.title["en"], one.description["en"], one.title["fr"], one.description["fr"]):
            assert words in text, slug
        assert all(f"`{entry.to}`" in text for entry in one.maps_to), slug


def test_the_attack_of_the_page_runs_and_is_short(tmp_path):
    text = page("docs/attacks.md")
    (source,), (points,) = blocks(text, "python"), blocks(text, "toml")
    assert len(source.splitlines()) < 50
    (tmp_path / "telegrams.py").write_text(source)
    info = tmp_path / "telegrams-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: telegrams\nVersion: 1\n")
    (name, value), *others = tomllib.loads(points)["project"]["entry-points"]["aloi.attacks"].items()
    assert not others
    (info / "entry_points.txt").write_text(f"[aloi.attacks]\n{name} = {value}\n")
    code = "from random import Random; from aloi.science.attack import wrap; "
    code += "print(wrap('telegram', 'Open it', 'fr', Random(1)))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    wrapped = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    ).stdout
    assert "Open STOP it" in wrapped
    listed = subprocess.run(
        [sys.executable, "-m", "aloi.cli.main", "catalog", "attacks", "telegram", "--json"],
        capture_output=True,
        text=True,
        env={**environment, "ALOI_LANG": "fr"},
        check=True,
    ).stdout
    assert json.loads(listed) == [{"name": "telegram", "kind": "en, fr", "text": "La demande en télégramme."}]


def test_the_attacks_of_the_page_are_those_that_ship():
    told = re.findall(r"^\| `([a-z0-9-]+)` \|", page("docs/attacks.md"), re.MULTILINE)
    assert sorted(told) == sorted(2 * [*names("aloi.attacks"), description.MODEL_ATTACKER])


def test_every_fact_of_the_practices_is_documented():
    text = page("docs/report.md")
    assert {code for code in FACTS if f"`{code}`" not in text} == set()
    assert all(f"| {practice.title['en'].lower()} |" in text for practice in practice_list().practices)


def test_a_stale_part_of_a_page_is_written_anew_and_the_rest_is_left():
    written = between(f"# Ours\n{START}old\n{END}Tail\n", "new\n")
    assert written == f"# Ours\n{START}\nnew\n\n{END}Tail\n"
    assert between(written, "new\n") == written
    for broken in ("# Ours\n", START, END, f"{END}{START}"):
        with pytest.raises(ValueError, match="written by make docs"):
            between(broken, "new\n")


def test_figures_are_those_of_the_code():
    told = re.findall(r"^\| (\d+) % \| (\d+) \| (\d+) \|$", page("docs/statistics.md"), re.MULTILINE)
    assert len(told) == 4
    for percent, queries, cap in told:
        threshold = int(percent) / 100
        assert expected_queries(threshold, 0.0, 0.05, 4) == int(queries)
        assert default_cap(threshold, 0.05, 4) == int(cap)


def test_the_ordinary_requests_that_a_bound_needs_are_those_of_the_code():
    told = re.findall(r"^\| (0\.\d+) \| (\d+) \| (\d+) \|$", page("docs/system-yaml.md"), re.MULTILINE)
    assert len(told) == 4
    for limit, *trials in told:
        for lost, n in enumerate(map(int, trials)):
            most = [-paired_difference(lost, 0, count, 0.95)[1] for count in (n - 1, n)]
            assert most[0] > float(limit) >= most[1]


def test_every_dependency_is_recorded_with_a_reason():
    project = tomllib.loads(page("pyproject.toml"))["project"]
    asked = [*project["dependencies"], *(need for extra in project["optional-dependencies"].values() for need in extra)]
    told = set(re.findall(r"^\| ([\w-]+) \|", page("decisions/0010-locks-and-dependencies.md"), re.MULTILINE))
    assert {re.match(r"[\w-]+", need)[0] for need in asked} <= told


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_template_of_init_can_be_measured_as_it_stands(language):
    from aloi.science.planning import probes_of
    from aloi.science.sampling import Sampler

    system = open_system(TEMPLATES / f"system.{language}.yaml")
    goal = system.description.assurance
    sampler = Sampler(system, goal.seed, probes_of(system))
    assert all(sampler.item("measure", hazard, 0).language == language for hazard in goal.hazards)
    assert all(secret.value in system.description.prompt for secret in system.description.context.secrets)
    # A remedy that loses nothing can be accepted.
    assert -paired_difference(0, 0, goal.benign.trials, 0.95)[1] <= goal.benign.max_loss


def test_the_example_is_seldom_refused_because_answers_vary():
    """The README's "seldom": 1 run in 20, where 6.5 % of ordinary requests are lost by chance and as many gained."""
    goal = open_system(ROOT / "src/aloi/examples/banque-azur").description.assurance.benign
    n, rate, accepted, most = goal.trials, 0.065, 0.0, -1
    for gained in range(int(binom.ppf(1e-3, n, rate)), int(binom.ppf(0.999, n, rate))):
        while -paired_difference(most + 1, gained, n, 0.95)[1] <= goal.max_loss:
            most += 1
        accepted += binom.pmf(gained, n, rate) * binom.cdf(most, n - gained, rate / (1 - rate))
    assert accepted >= 0.95


def test_the_two_templates_say_the_same():
    described = [open_system(TEMPLATES / f"system.{language}.yaml").description for language in ("en", "fr")]
    english, french = (msgspec.to_builtins(system.assurance) for system in described)
    for goal in (english, french):
        goal.pop("seed")
        goal["benign"].pop("questions")
    assert english == french
    assert described[0].target.base_url == described[1].target.base_url


def test_the_plug_in_of_contributing_runs(tmp_path):
    text = page("CONTRIBUTING.md")
    (source,), (points,) = blocks(text, "python"), blocks(text, "toml")
    assert len(source.splitlines()) < 50
    (tmp_path / "house_rules.py").write_text(source)
    (tmp_path / "bot.py").write_text("def answer(messages):\n    return 'It earns 3 %, you know.'\n")
    info = tmp_path / "house_rules-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: house-rules\nVersion: 1\n")
    groups = tomllib.loads(points)["project"]["entry-points"]
    written = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in found.items()) for group, found in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(written))
    described = {
        "name": "bot",
        "title": "Bot",
        "purpose": "answers",
        "owner": "us",
        "languages": ["en"],
        "target": {"kind": "callable", "callable": "bot:answer"},
        "assurance": {
            "hazards": {"confabulation": {"threshold": 0.1, "cap": 60, "probe": "invented-rate"}},
            "benign": {"questions": {"en": ["What are your opening hours?"]}},
            "remedies": ["promise-filter"],
        },
    }
    (tmp_path / "system.yaml").write_text(json.dumps(described))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "ALOI_HOME": str(tmp_path / "home")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aloi.cli.main", "--lang", "en", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert "promise-filter" in run("catalog", "remedies").stdout
    ended = run("assure", "system.yaml", "--framework", "owasp-llm@2026", "--json")
    result = json.loads(ended.stdout)
    assert ended.returncode == 1, ended.stderr
    assert result["findings"][0]["verdict"] == "not met"
    tried = result["effect"]["remedies"] if result["effect"] else []
    assert [remedy["name"] for remedy in tried] in ([], ["promise-filter"])
