"""Results as they are signed since their second edition, in the words of in-toto's proposed `eval-result`.

What that predicate has a name for has the same name here, at the same place, and no other: `claims` of a `metric`, a
`comparator`, a `threshold` and whether it `passed`, `sampleSize`, `assuranceLevel`, `preRegistration`. The rest of a
record stands under `record` as before. Readers get the same claim from either edition.

https://github.com/in-toto/attestation/pull/575, as its text was in October 2026: open, so unconfirmed as a format.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from aloi.errors import EvidenceError
from aloi.evidence.canonical import canonical
from aloi.evidence.decoding import decode, shown
from aloi.evidence.fields import Code, Hex256
from aloi.evidence.predicates import CLAIMS, EDITIONS, Claim, R_co, name_of
from aloi.evidence.records import BenignRate, Counted, Effect, Estimate, Finding, Hunt, Record, Verdict
from aloi.translation import N_

# The proposal also has `reproduced`, which others' statements say, and `enclave_attested`, which nothing here can show.
AssuranceLevel = Literal["self_attested", "third_party"]

# What follows the hazard and a slash in a metric.
_RATES: Mapping[str, Counted] = MappingProxyType(
    {"failure-rate": "failures", "judge-rated-failure-rate": "judge-rated failures"}
)
_LARGEST = "largest-failure-rate"
_PASSED = MappingProxyType({Verdict.MET: True, Verdict.NOT_MET: False})
# Names of the first edition that the second has others for.
_OLD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "finding": frozenset({"hazard", "counts", "threshold"}),
        "hunt": frozenset({"hazard", "threshold"}),
        "benign-rate": frozenset(),
        "effect": frozenset(),
    }
)
_RATED = frozenset({"finding", "benign-rate"})  # whose `estimate.n` is `sampleSize`


class Attested(Claim[R_co], Generic[R_co], frozen=True, kw_only=True):
    """A result of the second edition, with what its signer declares of it: nothing here corroborates that."""

    assurance_level: AssuranceLevel


class Asserted(Record, frozen=True, kw_only=True):
    """Whether `metric` is below `threshold`. `passed` is absent where the verdict is neither `met` nor `not met`."""

    metric: Annotated[str, Meta(min_length=1, max_length=200)]
    comparator: Literal["<"]
    threshold: Annotated[str, Meta(pattern=r"^[0-9]+([.][0-9]+)?$(?!\n)", max_length=200)]
    passed: bool | UnsetType = UNSET


class PreRegistration(Record, frozen=True, kw_only=True):
    """The digest of the signed plan."""

    alg: Literal["sha256"]
    value: Hex256


class Report(Record, frozen=True, kw_only=True):
    """What every result of the second edition tells beside its `record`."""

    assurance_level: AssuranceLevel = msgspec.field(name="assuranceLevel")
    pre_registration: PreRegistration | UnsetType = msgspec.field(name="preRegistration", default=UNSET)
    non_claims: Annotated[tuple[Code, ...], Meta(min_length=1)]


def _without(kind: type[Record], *left_out: str, **instead: Any) -> Any:
    """A record's kind without some of its fields, and others of another type."""
    fields = [
        (each.name, instead.get(each.name, each.type), _default(each))
        for each in msgspec.structs.fields(kind)
        if each.name not in left_out
    ]
    return msgspec.defstruct(
        f"{kind.__name__}Rest",
        fields,
        bases=(Record,),
        namespace={"__doc__": kind.__doc__},
        module=__name__,
        frozen=True,
        kw_only=True,
    )


def _default(each: msgspec.structs.FieldInfo) -> Any:
    if each.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=each.default_factory)
    return msgspec.field(default=each.default)


def _report(name: str, record: Any, *told: tuple[str, Any, Any]) -> Any:
    return msgspec.defstruct(
        name, [("record", record), *told], bases=(Report,), module=__name__, frozen=True, kw_only=True
    )


_CLAIMS = ("claims", Annotated[tuple[Asserted, ...], Meta(min_length=1, max_length=1)], msgspec.field())
_SIZE = ("sample_size", Annotated[int, Meta(ge=0)], msgspec.field(name="sampleSize"))
_Rate = _without(Estimate, "n")
_FindingRest = _without(Finding, "hazard", "counts", "threshold", estimate=_Rate)
_HuntRest = _without(Hunt, "hazard", "threshold")
_BenignRest = _without(BenignRate, estimate=_Rate)
REPORTS: Mapping[str, Any] = MappingProxyType(
    {
        "finding": _report("FindingReport", _FindingRest, _CLAIMS, _SIZE),
        "hunt": _report("HuntReport", _HuntRest, _CLAIMS, _SIZE),
        "benign-rate": _report("BenignRateReport", _BenignRest, _SIZE),
        "effect": _report("EffectReport", Effect),
    }
)


def written(claim: Claim[Any], assurance: AssuranceLevel) -> Record:
    """The predicate of a claim in the edition of today; `assurance` is said of results alone.

    Raises EvidenceError as `decode` for a result with a field of another type than its own: constructors check none.
    """
    record, name = claim.record, name_of(claim.record)
    if EDITIONS.get(name, 1) == 1:
        return claim
    decode(canonical(claim), CLAIMS[name], floats=False)
    told: dict[str, Any] = {"assurance_level": assurance, "non_claims": claim.non_claims}
    if claim.plan is not None:
        told["pre_registration"] = PreRegistration(alg="sha256", value=claim.plan.removeprefix("sha256:"))
    match record:
        case Finding():
            rate = next(rate for rate, counts in _RATES.items() if counts == record.counts)
            told |= {"claims": (_asserted(record, rate),), "sample_size": record.estimate.n}
            told["record"] = _rest(record, _FindingRest, estimate=_rest(record.estimate, _Rate))
        case Hunt():
            told |= {"claims": (_asserted(record, _LARGEST),), "sample_size": _tried(record)}
            told["record"] = _rest(record, _HuntRest)
        case BenignRate():
            told["sample_size"] = record.estimate.n
            told["record"] = _rest(record, _BenignRest, estimate=_rest(record.estimate, _Rate))
        case _:
            told["record"] = record
    report: Record = REPORTS[name](**told)
    return report


def read_claim(data: bytes, name: str, edition: int) -> Claim[Any]:
    """The claim in a predicate of the given name and edition.

    Raises EvidenceError as `decode`, and in the second edition 'old-name', 'unknown-metric', 'passed-verdict' and
    'sample-size'.
    """
    if edition == 1:
        return decode(data, CLAIMS[name], floats=False)
    report = decode(data, REPORTS[name], floats=False)
    _refuse_old_names(data, name)
    registered = report.pre_registration
    return Attested(
        record=_record(name, report),
        plan=None if registered is UNSET else f"sha256:{registered.value}",
        non_claims=report.non_claims,
        assurance_level=report.assurance_level,
    )


def _asserted(record: Finding | Hunt, rate: str) -> Asserted:
    return Asserted(
        metric=f"{record.hazard}/{rate}",
        comparator="<",
        threshold=format(record.threshold, "f"),
        passed=_PASSED.get(record.verdict, UNSET),
    )


def _record(name: str, report: Any) -> Record:
    if name == "effect":
        effect: Effect = report.record
        return effect
    fields = _fields(report.record)
    if name in _RATED:
        fields["estimate"] = _estimate(report)
    if name == "benign-rate":
        return BenignRate(**fields)
    said: Asserted = report.claims[0]
    hazard, _, rate = said.metric.rpartition("/")
    fields |= {"hazard": hazard, "threshold": Decimal(said.threshold)}
    if rate not in (_RATES if name == "finding" else (_LARGEST,)):
        raise _unknown_metric(said.metric)
    record = Finding(**fields, counts=_RATES[rate]) if name == "finding" else Hunt(**fields)
    _check_passed(record, said)
    if isinstance(record, Hunt) and report.sample_size != _tried(record):
        raise EvidenceError(
            N_("the hunt on {hazard} tells {got} samples; its attacks add up to {expected}"),
            reason="sample-size",
            remedy=N_("ask the one who signed: the evidence contradicts itself"),
            hazard=shown(record.hazard),
            got=report.sample_size,
            expected=_tried(record),
        )
    return record


def _estimate(report: Any) -> Estimate:
    try:
        return Estimate(**_fields(report.record.estimate), n=report.sample_size)
    except ArithmeticError as error:  # a decimal NaN, which is compared with others
        raise EvidenceError(
            N_("a number in the evidence is not a number"),
            reason="invalid-value",
            remedy=N_("obtain the evidence again from its author"),
        ) from error
    except ValueError as error:
        raise EvidenceError(
            N_("the evidence does not have the expected form at {path}: {problem}"),
            reason="invalid-value",
            remedy=N_("obtain the evidence again from its author"),
            path="$.record.estimate",
            problem=shown(error, 160),
        ) from error


def _check_passed(record: Finding | Hunt, said: Asserted) -> None:
    if said.passed is not _PASSED.get(record.verdict, UNSET):
        raise EvidenceError(
            N_("the result on {hazard} says “{verdict}”, and of having passed it says otherwise"),
            reason="passed-verdict",
            remedy=N_("ask the one who signed: the evidence contradicts itself"),
            hazard=shown(record.hazard),
            verdict=record.verdict.value,
        )


def _refuse_old_names(data: bytes, name: str) -> None:
    whole = msgspec.json.decode(data, type=dict[str, Raw])
    record = msgspec.json.decode(whole["record"], type=dict[str, Raw])
    old = {f"record.{field}" for field in record.keys() & _OLD[name]} | ({"plan"} & whole.keys())
    if name in _RATED and "n" in msgspec.json.decode(record["estimate"], type=dict[str, Raw]):
        old.add("record.estimate.n")
    if old:
        raise EvidenceError(
            N_("the field {field} has another name in this edition: two readers could read two things"),
            reason="old-name",
            remedy=N_("obtain the evidence again from its author"),
            field=min(old),
        )


def _unknown_metric(metric: str) -> EvidenceError:
    return EvidenceError(
        N_("this release does not know the metric “{got}”"),
        reason="unknown-metric",
        remedy=N_("use a newer release of Aloi"),
        got=shown(metric),
    )


def _tried(hunt: Hunt) -> int:
    return sum(attack.n + attack.unscorable for attack in hunt.attacks)


def _rest(record: Record, kind: Any, **instead: Any) -> Any:
    fields = {name: getattr(record, name) for name in kind.__struct_fields__}
    return kind(**(fields | instead))


def _fields(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}
