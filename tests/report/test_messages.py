"""The tool that keeps the French catalogue complete, on a small project of its own."""

import gettext
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "messages.py"
NARROW = "\u202f"
TRANSLATIONS = {
    "Hello {name}": "Bonjour {name}",
    "is it?": f"est-ce{NARROW}?",
    "stay at {rate}": "restez à {rate}",
    "Usage:": f"Utilisation{NARROW}:",
}


@pytest.fixture
def project(tmp_path):
    """A project with one sentence in a module, one plural and one plain sentence in a template, one of click."""
    package = tmp_path / "src" / "aloi" / "room" / "templates"
    package.mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    shutil.copy(TOOL, tmp_path / "tools")
    (tmp_path / "tools" / "click_messages.py").write_text('SENTENCES = (N_("Usage:"),)\n')
    (package.parent / "module.py").write_text('TEXT = N_("Hello " "{name}")\nOTHER = _("is it?")\n')
    (package / "page.html").write_text(
        '{% if n %}{{ _("stay at {rate}", rate=1) }}{% endif %}{{ ngettext("one day", "{n} days", n) }}'
    )
    assert run(tmp_path, "update").returncode == 0
    return tmp_path


def run(project, command):
    return subprocess.run(
        [sys.executable, "-m", "tools.messages", command], cwd=project, capture_output=True, text=True, check=False
    )


def french(project):
    return project / "src" / "aloi" / "locale" / "fr" / "LC_MESSAGES" / "messages.po"


def translate(project, **changes):
    text = french(project).read_text(encoding="utf-8")
    for english, translation in {**TRANSLATIONS, **changes}.items():
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{translation}"')
    text = text.replace('msgstr[0] ""', 'msgstr[0] "un jour"').replace('msgstr[1] ""', 'msgstr[1] "{n} jours"')
    french(project).write_text(text, encoding="utf-8")


def test_a_translated_project_is_complete_and_speaks_french(project):
    translate(project)
    assert run(project, "update").stdout == ""
    done = run(project, "check")
    assert (done.stdout, done.returncode) == ("", 0)
    spoken = gettext.translation("messages", project / "src" / "aloi" / "locale", languages=["fr"])
    assert spoken.gettext("Hello {name}") == "Bonjour {name}"
    assert [spoken.ngettext("one day", "{n} days", n) for n in (0, 1, 2)] == ["un jour", "un jour", "{n} jours"]


def test_what_is_not_translated_is_listed(project):
    done = run(project, "check")
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("not translated")] == [
        f"not translated: {sentence!r}"
        for sentence in ("Hello {name}", "Usage:", "is it?", "one day", "stay at {rate}")
    ]


FAULTS = {
    "another placeholder": ({"Hello {name}": "Bonjour {nom}"}, "other placeholders: 'Hello {name}'"),
    "a lost placeholder": ({"Hello {name}": "Bonjour"}, "other placeholders: 'Hello {name}'"),
    "an open brace": ({"Hello {name}": "Bonjour {name"}, "other placeholders: 'Hello {name}'"),
    "a wide space": ({"is it?": "est-ce ?"}, "wrong space at a punctuation mark: 'is it?'"),
    "no space": ({"is it?": "est-ce?"}, "wrong space at a punctuation mark: 'is it?'"),
    "a wide quote": ({"is it?": f"« oui{NARROW}»"}, "wrong space at a punctuation mark: 'is it?'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_translation_is_listed(project, name):
    changes, fault = FAULTS[name]
    translate(project, **changes)
    run(project, "update")
    done = run(project, "check")
    assert (done.stdout.splitlines(), done.returncode) == ([fault], 1)


def test_a_guess_is_not_a_translation(project):
    translate(project)
    text = french(project).read_text(encoding="utf-8")
    french(project).write_text(text.replace('msgid "is it?"', '#, fuzzy\nmsgid "is it?"'), encoding="utf-8")
    run(project, "update")
    assert run(project, "check").stdout.splitlines() == ["fuzzy: 'is it?'"]


def test_new_lost_and_unreadable_sentences_are_listed(project):
    translate(project)
    run(project, "update")
    module = project / "src" / "aloi" / "room" / "module.py"
    module.write_text('TEXT = N_("Hello {name}")\nNEW = N_("new")\nMADE = N_(f"made {TEXT}")\n')
    lines = run(project, "check").stdout.splitlines()
    assert "not translated: 'new'" in lines
    assert "no longer in the sources: 'is it?'" in lines
    assert "not extracted: src/aloi/room/module.py:3 marks something else than a sentence" in lines
    assert any(line.startswith("not up to date: src/aloi/locale/messages.pot") for line in lines)


def test_a_stale_compiled_catalogue_is_listed(project):
    translate(project)
    run(project, "update")
    french(project).with_suffix(".mo").write_bytes(b"")
    lines = run(project, "check").stdout.splitlines()
    assert [line.split(" (")[0] for line in lines] == ["not up to date: src/aloi/locale/fr/LC_MESSAGES/messages.mo"]


def test_updating_twice_changes_no_byte(project):
    translate(project)
    files = sorted((project / "src" / "aloi" / "locale").rglob("messages.*"))
    run(project, "update")
    once = [file.read_bytes() for file in files]
    run(project, "update")
    assert [file.read_bytes() for file in files] == once
    assert b"Date" not in b"".join(once)
    assert run(project, "guess").returncode == 2
