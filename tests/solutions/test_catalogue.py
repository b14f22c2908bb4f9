import pytest

from aloi.errors import UnknownName
from aloi.solutions.catalogue import Entry, NotARemedy, build, check, entry, missing
from aloi.solutions.guard import Allow
from aloi.solutions.options import InvalidOptions, Options
from aloi.solutions.tables import table
from aloi.system.messages import Message


@pytest.mark.parametrize("name", table("remedies")["remedies"])
def test_every_remedy_is_described_in_both_languages(name):
    line = entry(name)
    for text in (line.title, line.explanation, line.cost):
        assert set(text) == {"en", "fr"}
        assert all(text.values())


@pytest.mark.parametrize("name", [name for name in table("remedies")["remedies"] if not missing(name, {})])
def test_every_remedy_builds_as_listed(name, resolve):
    line, remedy = entry(name, resolve), build(name, load=resolve)
    assert (remedy.name, remedy.kind, remedy.hazards) == (name, line.kind, line.hazards)
    does = {name for name in ("screen", "harden", "reread") if hasattr(remedy.implementation, name)}
    assert len(does) == 1
    assert ("screen" in does) is remedy.replayable
    if remedy.replayable:
        reads = {
            "output-guard": {"assistant"},
            "input-guard": {"user"},
            "document-guard": {"document", "tool"},
            "call-guard": {"call"},
        }
        assert remedy.implementation.roles == reads[line.kind]


def test_an_unknown_remedy_offers_the_nearest(resolve):
    with pytest.raises(UnknownName) as caught:
        build("secret-filtre", load=resolve)
    assert caught.value.facts["nearest"].startswith("secret-filter")


BAD = {
    "several": (
        "secret-filter",
        {"secrets": ["ok-secret", 3], "generic": "zap", "secrest": []},
        {"secrets", "generic", "secrest"},
    ),
    "short secret": ("secret-filter", {"secrets": ["a-b-c"]}, {"secrets"}),
    "unknown kind": ("personal-data-filter", {"kinds": ["ibam"]}, {"kinds"}),
    "threshold": ("injection-screen", {"threshold": 0}, {"threshold"}),
    "marker that is a link": ("link-policy", {"marker": "http://x"}, {"marker"}),
    "marker too long": ("output-budget", {"characters": 3}, {"marker"}),
    "repeats": ("output-budget", {"repeats": 1}, {"repeats"}),
    "mode": ("spotlighting", {"mode": "shout", "length": 2}, {"mode", "length"}),
    "no patch": ("hardened-prompt", {"patches": []}, {"patches"}),
}


@pytest.mark.parametrize(("name", "options", "at"), BAD.values(), ids=BAD)
def test_every_fault_of_the_options_is_listed(name, options, at, resolve):
    assert {fault.path for fault in check(name, options, "guards.x", resolve)} == {f"guards.x.{one}" for one in at}
    with pytest.raises(InvalidOptions):
        build(name, options, load=resolve)


def test_faults_never_show_a_secret(resolve):
    faults = check("secret-filter", {"secrets": ["hunter2", {"x": "hunter3"}], "generic": 4}, "guards", resolve)
    assert faults
    assert not any("hunter" in str(fault) or "hunter" in str(fault.facts) for fault in faults)


def test_an_unknown_patch_is_a_fault(resolve):
    (fault,) = check("hardened-prompt", {"patches": ["nothing"]}, "guards", resolve)
    assert "nothing" in str(fault)


def test_the_identity_covers_options_but_not_secrets(resolve):
    def digest(name, **options):
        return build(name, options, load=resolve).identity.digest

    assert digest("output-budget") == digest("output-budget", characters=4_000)
    assert digest("output-budget") != digest("output-budget", characters=4_001)
    assert digest("secret-filter", secrets=["4711"]) == digest("secret-filter", secrets=["0815"])
    assert digest("secret-filter", secrets=["4711"]) != digest("secret-filter", secrets=["4711", "0815"])
    assert digest("spotlighting", key="one key!") == digest("spotlighting", key="another key")
    assert digest("spotlighting", key="one key!") != digest("spotlighting")


class Silent:
    """A guard from elsewhere."""

    version = "3"
    tables = ()
    Options = Options
    roles = frozenset({"user"})

    def __init__(self, options):
        self.options = options

    def screen(self, message):
        return Allow()


class Listed(Silent):
    entry = Entry(kind="input-guard", hazards=("jailbreak",), title={"en": "x"}, explanation={"en": "x"},
                  cost={"en": "x"}, reference="elsewhere")  # fmt: skip


def test_a_guard_from_elsewhere_brings_its_own_line():
    remedy = build("listed", load=lambda name: Listed)
    assert (remedy.name, remedy.kind, remedy.identity.version) == ("listed", "input-guard", "3")
    assert remedy.implementation.screen(Message(role="user", content="x")) == Allow()
    with pytest.raises(NotARemedy):
        build("silent", load=lambda name: Silent)
