"""What stands beside a bundle: read with it where it speaks of its system, left out where it speaks of another."""

from datetime import date

import pytest

from aloi.assurance.standing import said
from aloi.errors import AskerError, EvidenceError
from aloi.evidence.canonical import canonical
from aloi.evidence.keys import PrivateKey
from aloi.evidence.statement import Subject
from aloi.standards.attaching import attach, speaks_of
from aloi.standards.hub import hub

KEY, OTHER = PrivateKey.generate(), PrivateKey.generate()
OURS, THEIRS = Subject.of("ours", "sha256:" + "1" * 64), Subject.of("theirs", "sha256:" + "2" * 64)


@pytest.fixture
def folder(tmp_path):
    """A folder with a file attached for anybody, for us, and for others."""
    file = tmp_path / "notice.txt"
    file.write_text("who steps in, and when", encoding="utf-8")
    for name, systems in (("any", ()), ("ours", (OURS,)), ("theirs", (THEIRS,)), ("both", (THEIRS, OURS))):
        envelope = attach(
            file,
            hub(),
            "human-oversight",
            approved_by="Board",
            approved_on=date(2026, 11, 1),
            valid_until=None,
            today=date(2026, 11, 26),
            key=KEY,
            systems=systems,
        )
        (tmp_path / f"{name}.dsse.json").write_bytes(canonical(envelope))
    return tmp_path


def test_what_is_bound_to_another_system_is_left_out_and_named(folder):
    found = said(folder, [KEY.public], (OURS,))
    assert [len(item.subject) for item in found.attached] == [1, 3, 2]
    assert all(speaks_of(item, (OURS,)) for item in found.attached)
    assert found.left_out == ("theirs.dsse.json",)


def test_without_a_bundle_nothing_is_left_out(folder):
    assert len(said(folder, [KEY.public]).attached) == 4


def test_the_file_is_named_by_its_digest(folder):
    assert {item.subject[0].name for item in said(folder, [KEY.public]).attached} == {"notice.txt"}
    assert len({item.subject[0].fingerprint for item in said(folder, [KEY.public]).attached}) == 1


def test_a_statement_that_does_not_hold_is_named_by_its_file(folder):
    with pytest.raises(EvidenceError) as caught:
        said(folder, [OTHER.public], (OURS,))
    assert caught.value.where.endswith("any.dsse.json")
    with pytest.raises(AskerError):
        said(folder / "nowhere", [KEY.public])
