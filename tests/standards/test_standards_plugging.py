"""A third party adds a framework without touching the house."""

import doctest

import pytest
from standards_world import SHIPPED

import aloi.standards
from aloi import plugins
from aloi.errors import AskerError, InvalidFile, UnknownName
from aloi.standards import frameworks
from aloi.standards.frameworks import read_framework

PACK = """\
id: acme
edition: "1"
title: {en: Acme rules, fr: Règles Acme}
publisher: Acme
status: draft
in_force_from: 2026-01-01
checked_on: 2026-11-22
horizon: 30
source: {document: Rules, place: "https://acme.example/rules"}
licence: CC0-1.0
text_policy: full
binds: [adopter]
requirements:
  - {id: A.1, title: {en: Hold firm, fr: Tenir bon}, takes: [measurement]}
"""
MAPPING = """\
framework: acme@1
licence: CC0-1.0
author: Acme
rows:
  - {subject: robustness, object: A.1, relation: equal, rationale: {en: Why, fr: Pourquoi}, date: 2026-11-22}
"""
MODULE = """\
from pathlib import Path
from aloi.standards.frameworks import FrameworkFiles
here = Path(__file__).parent
rules = FrameworkFiles(pack=here / "acme.yaml", mapping=here / "acme-rows.yaml")
wrong = here / "acme.yaml"
"""
POINTS = "[aloi.frameworks]\nacme@1 = acme_rules:rules\nacme@2 = acme_rules:rules\nacme-path@1 = acme_rules:wrong\n"


@pytest.fixture
def install(tmp_path, monkeypatch):
    def installed(name: str, points: str) -> None:
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(points)
        monkeypatch.syspath_prepend(str(tmp_path))
        plugins._found.cache_clear()

    yield installed
    plugins._found.cache_clear()
    frameworks.framework.cache_clear()


@pytest.fixture
def acme(tmp_path, install):
    (tmp_path / "acme.yaml").write_text(PACK)
    (tmp_path / "acme-rows.yaml").write_text(MAPPING)
    (tmp_path / "acme_rules.py").write_text(MODULE)
    install("acme_rules", POINTS)


@pytest.mark.usefixtures("acme")
def test_it_is_found_by_name_with_its_rows():
    assert "acme@1" in frameworks.names()
    found = frameworks.framework("acme@1")
    assert (found.pack.key, found.rows[0].author) == ("acme@1", "Acme")


@pytest.mark.usefixtures("acme")
def test_an_entry_point_must_tell_the_truth():
    with pytest.raises(InvalidFile) as caught:
        frameworks.framework("acme@2")
    assert "acme@1" in str(caught.value.faults[0])
    with pytest.raises(AskerError, match="plugged in as"):
        frameworks.framework("acme-path@1")


@pytest.mark.usefixtures("acme")
def test_an_unknown_edition_offers_the_known_one():
    with pytest.raises(UnknownName) as caught:
        frameworks.framework("acme@3")
    assert "acme@1" in str(caught.value.facts["nearest"])


def test_our_own_packs_use_the_same_plug_and_the_tutorial_runs(install):
    points = [f"{read_framework(files).pack.key} = aloi.standards.packs:{name}" for name, files in SHIPPED.items()]
    install("shipped", "\n".join(["[aloi.frameworks]", *points, ""]))
    keys = [point.partition(" = ")[0] for point in points]
    assert [frameworks.framework(key).pack.key for key in keys] == keys
    assert doctest.testmod(aloi.standards) == (0, 9)
