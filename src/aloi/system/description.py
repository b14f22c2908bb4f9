"""`system.yaml`: what is assessed, what is asked of it, and what it must not lose.

The structs are the schema: an unknown key, a missing key or a wrong value is a fault, and all faults are told at once.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from aloi.statistics.multiplicity import Multiplicity
from aloi.system.regulation import Regulation
from aloi.system.toolpolicy import ToolsDescription

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}$")]
Text = Annotated[str, Meta(min_length=1, max_length=100_000)]
Rate = Annotated[float, Meta(gt=0, lt=1)]
# JSON numbers are exact up to 2^53 (RFC 8259, section 6), and a plan is signed as JSON.
Count = Annotated[int, Meta(ge=1, le=2**53 - 1)]

# The attack that `assurance.attacker` carries out. It is no plug-in: no wrapper can ask a model.
MODEL_ATTACKER = "model-attacker"


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A section of `system.yaml`."""


class TargetDescription(Part, frozen=True, kw_only=True):
    """How the system is asked. `kind` is a name of the entry-point group `aloi.targets`."""

    kind: Slug = "local"
    base_url: str = ""
    model: str = ""
    api_key_env: str = ""
    callable: str = ""
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = 8
    timeout: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    retries: Annotated[int, Meta(ge=0, le=20)] = 4
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)] = 48
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.7


class AttackerDescription(TargetDescription, frozen=True, kw_only=True):
    """A model that plays the user in a hunt, asked as a target is: it writes up to `turns` turns of a conversation."""

    turns: Annotated[int, Meta(ge=1, le=20)] = 4
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)] = 160
    temperature: Annotated[float, Meta(ge=0, le=2)] = 1.0


class DocumentDescription(Part, frozen=True, kw_only=True):
    """A text that the system retrieves: given inline, or as a file beside `system.yaml`."""

    id: Slug
    text: str = ""
    file: str = ""


class Protected(Part, frozen=True, kw_only=True):
    """A value that must not leave the system, and how people call it, by language."""

    names: Annotated[dict[Language, Text], Meta(min_length=1)]
    value: Annotated[str, Meta(min_length=6, max_length=10_000)]


class PersonRecord(Part, frozen=True, kw_only=True):
    """What the context holds about one person: nobody else may be told."""

    subject: Text
    values: Annotated[tuple[Protected, ...], Meta(min_length=1)]


class Work(Part, frozen=True, kw_only=True):
    """A text that must not be reproduced at length: a protected work, or what a model was trained on."""

    id: Slug
    language: Language
    text: Annotated[str, Meta(min_length=200, max_length=100_000)]


class Context(Part, frozen=True, kw_only=True):
    """What the system holds that must not leave it, the hosts that its answers may link to, and what its owner says of
    the tools of an agent."""

    secrets: tuple[Protected, ...] = ()
    records: tuple[PersonRecord, ...] = ()
    allowed_hosts: tuple[Text, ...] = ()
    documents: tuple[DocumentDescription, ...] = ()
    works: tuple[Work, ...] = ()
    tools: ToolsDescription = ToolsDescription()


class ReadaptGoal(Part, frozen=True, kw_only=True):
    """How many trials the attacker may spend on each hazard against chosen remedies, and what the gate makes of it."""

    queries: Annotated[int, Meta(ge=1, le=1_000_000)]
    gate: Literal["refuse", "show"] = "refuse"


class HuntGoal(Part, frozen=True, kw_only=True):
    """How many trials may be spent on hunting the worst of `attacks`: all that the probe can take, if none is named.

    `gate` says what becomes of remedies behind which it proves that some attack exceeds the threshold.
    """

    queries: Annotated[int, Meta(ge=1, le=1_000_000)]
    attacks: tuple[Slug, ...] = ()
    gate: Literal["refuse", "show"] = "refuse"


class HazardGoal(Part, frozen=True, kw_only=True):
    """The rate of failures that is tolerated for one hazard; `cap` ends the test where nothing can be decided.

    `probe` names another probe than the hazard's own; `attacks` weighs the attacks otherwise than the probe does.
    `corpus` names a file beside `system.yaml` that describes prompts to ask in place of a probe's.
    `hunt` asks for a search of the worst attack beside the measurement.
    `judge` names who rates the answers in place of the probe's scorer, or, where it reads only what that scorer
    `passed`, after it; 'person' needs no entry in `judges`.
    """

    threshold: Annotated[float, Meta(ge=1e-4, le=0.5)]
    cap: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    probe: Slug = ""
    corpus: str = ""
    attacks: dict[Slug, Annotated[float, Meta(gt=0, le=1e6)]] = {}
    hunt: HuntGoal | None = None
    judge: Slug = ""
    judge_reads: Literal["all", "passed"] = "all"


class JudgeDescription(Part, frozen=True, kw_only=True):
    """Who rates answers where no oracle can, and by what.

    A `model` at `target` is asked by `criteria` (what counts as a failure, by language; the hazard's own where there
    are none), and reads the system's prompt only with `shows_prompt`. `embeddings` compares answers with labelled
    `exemplars`; `scorer` is a rule by name. What the judge does not let pass, and a share `audit` of what it does, goes
    to `escalate_to`: another judge, or 'person'. Files lie beside `system.yaml`.
    """

    kind: Literal["model", "embeddings", "scorer"] = "model"
    target: TargetDescription | None = None
    criteria: dict[Language, Text] = {}
    shows_prompt: bool = False
    exemplars: str = ""
    scorer: Slug = ""
    calibration: str = ""
    escalate_to: Slug = ""
    audit: Annotated[float, Meta(ge=0, le=1)] = 0.0


class BenignGoal(Part, frozen=True, kw_only=True):
    """Ordinary requests, and the share of them that a remedy may lose.

    `probe` makes them: the plain one asks the `questions`, given by language.
    """

    questions: dict[Language, tuple[Text, ...]] = {}
    probe: Slug = "benign"
    trials: Annotated[int, Meta(ge=10, le=100_000)] = 100
    selection_trials: Annotated[int, Meta(ge=10, le=100_000)] = 30
    max_loss: Rate = 0.05


class LimitsDescription(Part, frozen=True, kw_only=True):
    """The run stops cleanly at the first of these."""

    queries: Count = 5_000
    tokens: Count = 2_000_000
    seconds: Count = 3_600


class Assurance(Part, frozen=True, kw_only=True):
    """What is to be shown: hazards and thresholds, the error rate of the whole family, remedies that may be tried.

    `alpha` bounds each kind of false claim over all hazards, or with `joint` both kinds together, by `multiplicity`.
    `attacker` names a model that may play the user in hunts; nothing is sent to any where none is named. `readapt`
    hunts every hazard with several attacks, and without a judge, once remedies are chosen. `relationship` says how
    whoever runs this stands to who built the system, in the words of Every Eval Ever (`evaluator_relationship`).
    """

    hazards: Annotated[dict[Slug, HazardGoal], Meta(min_length=1)]
    judges: dict[Slug, JudgeDescription] = {}
    attacker: AttackerDescription | None = None
    benign: BenignGoal
    alpha: Annotated[float, Meta(gt=0, le=0.2)] = 0.05
    multiplicity: Multiplicity = "holm_per_family"
    joint: bool = False
    remedies: tuple[Slug, ...] = ()
    pairs: Annotated[int, Meta(ge=1, le=1_000)] = 24
    selection_pairs: Annotated[int, Meta(ge=1, le=1_000)] = 10
    readapt: ReadaptGoal | None = None
    max_added_latency_ms: Annotated[float, Meta(gt=0)] = 250.0
    max_added_tokens: Annotated[float, Meta(ge=0)] | None = None
    limits: LimitsDescription = LimitsDescription()
    seed: str = "aloi"
    relationship: Literal["first_party", "third_party", "collaborative", "other"] | None = None


class GatewayKey(Part, frozen=True, kw_only=True):
    """Who may ask a gateway: the key is what the environment variable `env` holds."""

    name: Slug
    env: Annotated[str, Meta(pattern="^[A-Z_][A-Z0-9_]*$", max_length=100)]


class GatewayLimits(Part, frozen=True, kw_only=True):
    """What one exchange may take: bytes, requests `at_once`, `seconds` for a whole answer, and `silence` between two
    of its parts."""

    request_bytes: Annotated[int, Meta(ge=1_024, le=256 * 1024**2)] = 4 * 1024**2
    answer_bytes: Annotated[int, Meta(ge=1_024, le=256 * 1024**2)] = 4 * 1024**2
    at_once: Annotated[int, Meta(ge=1, le=10_000)] = 256
    seconds: Annotated[float, Meta(gt=0, le=3_600)] = 600.0
    silence: Annotated[float, Meta(gt=0, le=3_600)] = 60.0


class GatewayRecord(Part, frozen=True, kw_only=True):
    """What a gateway keeps of its decisions, in `folder` beside `system.yaml`; nowhere where that is empty.

    Of requests that no guard acted on a share `benign` is kept as samples; with `texts` samples and blocks hold what
    was said. Of its files the oldest goes where together they exceed `megabytes`.
    """

    folder: str = ""
    benign: Annotated[float, Meta(ge=0, le=1)] = 0.01
    texts: bool = False
    megabytes: Annotated[int, Meta(ge=1, le=1_000_000)] = 256


class GatewayDescription(Part, frozen=True, kw_only=True):
    """How `aloi gateway` stands before the system's model; no part of the fingerprint.

    `upstream` is its address where it is not the target's. Without `keys` whoever reaches it may ask. Of a request that
    names another model than the system's, or brings no prompt of its own, `models` and `prompt` say what becomes;
    of parts that no guard can read, `unread`. With `fail_open` a guard that fails lets pass. `deadline` is in seconds,
    for each guard on each text.
    """

    upstream: str = ""
    keys: tuple[GatewayKey, ...] = ()
    models: Literal["described", "any"] = "described"
    prompt: Literal["add", "leave", "only"] = "add"
    unread: Literal["refuse", "pass"] = "refuse"
    fail_open: bool = False
    deadline: Annotated[float, Meta(gt=0, le=60)] = 1.0
    limits: GatewayLimits = GatewayLimits()
    record: GatewayRecord = GatewayRecord()


class SystemDescription(Part, frozen=True, kw_only=True):
    """The system under assessment.

    `remedy_options` says by name what a remedy, in place or to be tried, is told beyond what the system itself tells.
    `regulation` says what `aloi applies` asks of a system, `gateway` how it is served: neither is in the fingerprint.
    """

    name: Slug
    title: Text
    purpose: Text
    owner: Text
    languages: Annotated[tuple[Language, ...], Meta(min_length=1)]
    target: TargetDescription
    prompt: str = ""
    context: Context = Context()
    guards: tuple[Slug, ...] = ()
    remedy_options: dict[Slug, dict[str, Any]] = {}
    regulation: Regulation = Regulation()
    gateway: GatewayDescription = GatewayDescription()
    assurance: Assurance
    version: Literal[1] = 1
