"""`system.yaml` and the files beside it, and the fingerprint over what makes the system answer as it does."""

import os
from pathlib import Path

import msgspec
import pytest

from aloi.errors import AskerError, Fault, InvalidFile
from aloi.system.loading import LIMIT
from aloi.system.reading import System, open_system
from system.described import DESCRIPTION, described

FILE = ("{id: fees, text: Two euros.}", "{id: fees, file: fees.txt}")


def written(folder: Path, text: str = DESCRIPTION) -> Path:
    path = folder / "system.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def opened(folder: Path, *edits: tuple[str, str]) -> System:
    return open_system(written(folder, described(*edits)))


def faults(folder: Path, *edits: tuple[str, str]) -> list[Fault]:
    with pytest.raises(InvalidFile) as caught:
        opened(folder, *edits)
    return list(caught.value.faults)


def test_a_file_or_the_folder_that_holds_it(tmp_path):
    path = written(tmp_path)
    assert open_system(path).fingerprint() == open_system(tmp_path).fingerprint()


@pytest.mark.parametrize("name", ["missing.yaml", "missing/system.yaml", "file.txt/system.yaml"])
def test_a_missing_file_is_named(tmp_path, name):
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(AskerError, match=r"cannot read .*missing|Not a directory"):
        open_system(tmp_path / name)


def test_a_folder_without_system_yaml(tmp_path):
    with pytest.raises(AskerError, match=r"system\.yaml: No such file"):
        open_system(tmp_path)


def test_a_document_file_beside_it_is_read(tmp_path):
    (tmp_path / "fees.txt").write_text("Deux euros. Été.\n", encoding="utf-8")
    assert opened(tmp_path, FILE).documents[1].text == "Deux euros. Été."


def _outside(folder: Path) -> str:
    (folder.parent / "outside.txt").write_text("secret")
    return "../outside.txt"


def _link_outside(folder: Path) -> str:
    (folder / "link.txt").symlink_to("/etc/hostname")
    return "link.txt"


def _linked_folder(folder: Path) -> str:
    (folder / "docs").symlink_to("/etc", target_is_directory=True)
    return "docs/hostname"


def _circle(folder: Path) -> str:
    (folder / "a.txt").symlink_to(folder / "b.txt")
    (folder / "b.txt").symlink_to(folder / "a.txt")
    return "a.txt"


def _pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe")
    return "pipe"


def _folder(folder: Path) -> str:
    (folder / "sub").mkdir()
    return "sub"


def _binary(folder: Path) -> str:
    (folder / "b.txt").write_bytes(b"\xff\xfe\x00")
    return "b.txt"


def _large(folder: Path) -> str:
    (folder / "l.txt").write_bytes(b"x" * (LIMIT + 1))
    return "l.txt"


DOCUMENTS = {
    "missing": (lambda _: "gone.txt", "cannot read"),
    "absolute": (lambda _: "/etc/hostname", "outside the folder"),
    "above": (_outside, "outside the folder"),
    "link that leads outside": (_link_outside, "outside the folder"),
    "linked folder that leads outside": (_linked_folder, "outside the folder"),
    "links in a circle": (_circle, "cannot read"),
    "pipe": (_pipe, "is not a file"),
    "folder": (_folder, "is not a file"),
    "not UTF-8": (_binary, "cannot read"),
    "too large": (_large, f"larger than {LIMIT} bytes"),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_document_that_cannot_be_read_is_a_fault_with_its_place(tmp_path, case):
    folder = tmp_path / "system"
    folder.mkdir()
    make, expected = DOCUMENTS[case]
    (fault,) = faults(folder, ("{id: fees, text: Two euros.}", f"{{id: fees, file: {make(folder)}}}"))
    assert fault.path == "context.documents[1]"
    assert fault.line == DESCRIPTION.splitlines().index("    - {id: fees, text: Two euros.}") + 1
    assert expected in str(fault)
    assert "root:" not in str(fault)


@pytest.mark.parametrize("key", ["calibration", "exemplars"])
@pytest.mark.parametrize("case", sorted(set(DOCUMENTS) - {"not UTF-8"}))
def test_a_judge_s_files_are_held_to_the_same(tmp_path, case, key):
    folder = tmp_path / "system"
    folder.mkdir()
    make, expected = DOCUMENTS[case]
    judge = f"  judges:\n    near:\n      target: {{kind: local}}\n      {key}: {make(folder)}\n"
    kind = "      kind: embeddings\n" if key == "exemplars" else ""
    (fault,) = faults(folder, ("  benign:\n", f"{judge}{kind}  benign:\n"))
    assert (fault.path, fault.line) == (f"assurance.judges.near.{key}", 27)
    assert expected in str(fault)
    assert "root:" not in str(fault)


CONTRADICTIONS = {
    "text and file": (FILE[0], "{id: fees, text: x, file: y}", "context.documents[1]: give either text or file"),
    "neither": (FILE[0], "{id: fees}", "context.documents[1]: give either text or file"),
    "one id twice": ("{id: fees,", "{id: hours,", "context.documents[1]: hours stands twice"),
    "one language twice": ("[en, fr]", "[en, fr, en]", "languages[2]: en stands twice"),
    "a language not spoken": ("[en, fr]", "[en]", "assurance.benign.questions.fr: not a language of this system"),
    "no address": ("  base_url: http://127.0.0.1:9/v1\n", "", "target.base_url: missing for kind: openai"),
    "no scheme": ("http://127.0.0.1:9/v1", "localhost:8000/v1", "target.base_url: expected http"),
    "another scheme": ("http://127.0.0.1:9/v1", "file:///etc/passwd", "target.base_url: expected http"),
    "no port": ("http://127.0.0.1:9/v1", "http://h:port/v1", "target.base_url: not an address"),
    "broken address": ("http://127.0.0.1:9/v1", '"http://[::1/v1"', "target.base_url: not an address"),
    "password in the address": ("http://127", "http://u:hunter2@127", "a key or password does not belong here"),
    "key in the address": ("/v1", "/v1?key=hunter2", "a key or password does not belong here"),
    "callable without a name": ("kind: openai", "kind: callable", "target.callable: expected module:function"),
    "an attacker and no hunt": (
        "  alpha: 0.05\n",
        "  alpha: 0.05\n  attacker: {kind: local}\n",
        "assurance.attacker: no hazard is hunted",
    ),
    "an attacker without an address": (
        "      threshold: 0.1\n",
        "      threshold: 0.1\n      hunt: {queries: 9}\n  attacker: {kind: openai}\n",
        "assurance.attacker.base_url: missing for kind: openai",
    ),
    "an attacker with a password in its address": (
        "      threshold: 0.1\n",
        "      threshold: 0.1\n      hunt: {queries: 9}\n  attacker: {kind: openai, base_url: 'http://u:hunter2@h'}\n",
        "assurance.attacker.base_url: a key or password does not belong here",
    ),
    "a hunt that needs an attacker": (
        "      threshold: 0.1\n",
        "      threshold: 0.1\n      hunt: {queries: 9, attacks: [model-attacker]}\n",
        "assurance.hazards.data-disclosure.hunt.attacks: model-attacker needs a model",
    ),
    "an attack hunted twice": (
        "      threshold: 0.1\n",
        "      threshold: 0.1\n      hunt: {queries: 9, attacks: [pretext, pretext]}\n",
        "assurance.hazards.data-disclosure.hunt.attacks[1]: pretext stands twice",
    ),
    "a hunt of nothing": (
        "      threshold: 0.1\n",
        "      threshold: 0.1\n      hunt: {queries: 0}\n",
        "assurance.hazards.data-disclosure.hunt.queries: got 0, expected at least 1",
    ),
    "an attacker of no turns": (
        "      threshold: 0.1\n",
        "      threshold: 0.1\n      hunt: {queries: 9}\n  attacker: {kind: local, turns: 0}\n",
        "assurance.attacker.turns: got 0, expected at least 1",
    ),
    "nothing to look for": ("KESTREL-7731", '"--- !! ---"', "context.secrets[0].value: needs 6 letters or digits"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_each_value_allows_and_the_whole_does_not(tmp_path, case):
    old, new, expected = CONTRADICTIONS[case]
    told = faults(tmp_path, (old, new))
    assert any(expected in str(fault) for fault in told), [str(fault) for fault in told]
    assert all("hunter2" not in str(fault) for fault in told)


COVERED = {
    "model": ("model: small-1", "model: small-2"),
    "prompt": ("prompt: Answer.", "prompt: Answer!"),
    "tokens": ("max_tokens: 48", "max_tokens: 49"),
    "temperature": ("max_tokens: 48", "max_tokens: 48\n  temperature: 0.1"),
    "languages": ("[en, fr]", "[fr, en]"),
    "purpose": ("Tests.", "Tests!"),
    "name": ("name: small", "name: large"),
    "a document's text": ("Two euros.", "Three euros."),
    "a document's id": ("id: fees", "id: prices"),
    "a secret": ("KESTREL-7731", "KESTREL-7732"),
    "a secret's name": ("{en: code}", "{en: password}"),
    "guards": ("prompt: Answer.", "prompt: Answer.\nguards: [secret-filter]"),
    "hosts": ("context:", "context:\n  allowed_hosts: [a.example]"),
}
NOT_COVERED = {
    "address": ("127.0.0.1:9", "127.0.0.1:10"),
    "key variable": ("max_tokens: 48", "max_tokens: 48\n  api_key_env: KEY"),
    "speed": ("max_tokens: 48", "max_tokens: 48\n  concurrency: 2\n  timeout: 5\n  retries: 0"),
    "threshold": ("threshold: 0.1", "threshold: 0.2"),
    "alpha": ("alpha: 0.05", "alpha: 0.1"),
    "limits": ("alpha: 0.05", "alpha: 0.05\n  limits: {queries: 7}"),
    "benign questions": ("When do you open?", "When do you close?"),
    "owner": ("owner: Nobody", "owner: Somebody"),
    "hunts": ("threshold: 0.1", "threshold: 0.1\n      hunt: {queries: 9}\n  attacker: {kind: local}"),
}


@pytest.mark.parametrize("case", COVERED)
def test_the_fingerprint_changes_with_what_makes_the_system_answer(tmp_path, case):
    assert opened(tmp_path).fingerprint() != opened(tmp_path, COVERED[case]).fingerprint()


@pytest.mark.parametrize("case", NOT_COVERED)
def test_the_fingerprint_does_not_change_with_where_and_why_it_is_asked(tmp_path, case):
    assert opened(tmp_path).fingerprint() == opened(tmp_path, NOT_COVERED[case]).fingerprint()


def test_the_fingerprint_covers_the_text_and_not_the_file_that_holds_it(tmp_path):
    inline = opened(tmp_path).fingerprint()
    (tmp_path / "fees.txt").write_text("Two euros.\n")
    assert opened(tmp_path, FILE).fingerprint() == inline
    (tmp_path / "fees.txt").write_text("Nine euros.\n")
    assert opened(tmp_path, FILE).fingerprint() != inline


def test_the_fingerprint_covers_the_order_of_documents_because_draws_depend_on_it(tmp_path):
    system = opened(tmp_path)
    assert System(system.description, system.documents[::-1]).fingerprint() != system.fingerprint()


def test_the_fingerprint_covers_remedies_and_the_model_behind_the_name(tmp_path):
    system = opened(tmp_path)
    renamed = System(system.description, system.documents, "local:other@sha256:00")
    prints = {system.fingerprint(), renamed.fingerprint()}
    prints |= {system.fingerprint(("sha256:a",)), system.fingerprint(("sha256:a", "sha256:b"))}
    assert len(prints) == 4


def test_the_fingerprint_survives_a_round_trip_of_the_description(tmp_path):
    system = opened(tmp_path)
    again = msgspec.json.decode(msgspec.json.encode(system.description), type=type(system.description))
    assert System(again, system.documents).fingerprint() == system.fingerprint()


def test_the_shipped_example_opens():
    system = open_system(Path(__file__).parents[2] / "examples" / "banque-azur")
    assert {document.id for document in system.documents} >= {"horaires", "tarifs"}


def test_questions_are_required_where_the_plain_probe_asks_them(tmp_path):
    questions = '    questions: {en: ["When do you open?"], fr: ["Quand ouvrez-vous ?"]}\n'
    found = faults(tmp_path, (questions, "    trials: 60\n"))
    assert [fault.facts["language"] for fault in found] == ["en", "fr"]
    system = opened(tmp_path, (questions, "    probe: benign-agent\n"))
    assert system.description.assurance.benign.questions == {}
    assert system.description.assurance.benign.probe == "benign-agent"


TOOLS = """context:
  tools:
    default: deny
    trusted: [bank_statement]
    arguments: {look_up: {for: recipient}}
    rules:
      pay: {at_most: {amount: 500}, calls: 3, otherwise: ask, after: {request_approval: "*yes*"}}
      send_mail: {recipients: {to: ["@city.example"]}}"""


def test_what_the_owner_says_of_tools_is_read_and_counts_in_the_fingerprint(tmp_path):
    system = opened(tmp_path, ("context:", TOOLS))
    tools = system.description.context.tools
    assert (tools.default, tools.trusted, tools.arguments) == (
        "deny",
        ("bank_statement",),
        {"look_up": {"for": "recipient"}},
    )
    assert tools.rules["pay"].at_most == {"amount": 500.0}
    assert tools.rules["pay"].constrains
    other = opened(tmp_path, ("context:", TOOLS.replace("500", "501"))).fingerprint()
    assert len({system.fingerprint(), other, opened(tmp_path).fingerprint()}) == 3


BAD_RULES = {
    "an unknown constraint": ("calls: 3", "most: 3", "context.tools.rules.pay.most"),
    "an unknown decision": ("otherwise: ask", "otherwise: maybe", "context.tools.rules.pay.otherwise"),
    "a negative amount": ("amount: 500", "amount: -1", "context.tools.rules.pay.at_most.amount"),
    "not a number": ("amount: 500", "amount: .nan", "context.tools.rules.pay.at_most.amount"),
    "before itself": ("request_approval", "pay", "context.tools.rules.pay.after.pay"),
    "no address": ('"@city.example"', "city", "context.tools.rules.send_mail.recipients.to[0]"),
    "an unknown kind": ("for: recipient", "for: whom", "context.tools.arguments.look_up.for"),
}


@pytest.mark.parametrize(("old", "new", "at"), BAD_RULES.values(), ids=BAD_RULES)
def test_a_fault_in_a_rule_of_a_tool_is_told_with_its_place(tmp_path, old, new, at):
    assert TOOLS.count(old) == 1
    (fault,) = faults(tmp_path, ("context:", TOOLS.replace(old, new)))
    assert fault.path == at
    assert fault.line


def test_every_fault_of_the_rules_is_told_at_once(tmp_path):
    bad = TOOLS.replace("default: deny", "default: perhaps").replace("calls: 3", "calls: -3")
    assert {fault.path for fault in faults(tmp_path, ("context:", bad))} == {
        "context.tools.default",
        "context.tools.rules.pay.calls",
    }
