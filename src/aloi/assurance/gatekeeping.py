"""What a gateway runs by: the remedies of a system, checked against the evidence that they were measured with it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from aloi.assurance.remedies import fitted
from aloi.errors import AskerError, EvidenceError
from aloi.evidence.guardset import guard_set
from aloi.evidence.records import Effect, Finding, Plan, RemedyIdentity
from aloi.evidence.verification import Verification, VerifiedClaim
from aloi.solutions.catalogue import Remedy
from aloi.solutions.gateway.policy import Policy, Proven, warm
from aloi.solutions.guarded import default_refusal
from aloi.solutions.hardening.patched import FAMILY, patched
from aloi.system.local import local_model, serving_model
from aloi.system.openai import endpoint_key
from aloi.system.reading import System, open_system
from aloi.system.target import target_kind
from aloi.translation import N_

Verify = Callable[[], Verification]


def read_policy(path: Path, verify: Verify | None = None) -> Policy:
    """The policy of the system at `path`.

    With `verify`, which gives a bundle that holds, the remedies that it found accepted stand around the model beside
    the guards in place, and all of them must be the ones that were measured. Raises AskerError, and EvidenceError
    ('unproven', 'other-remedy', 'other-system') where what would run is not what was proven.
    """
    described = open_system(path)
    model = target_kind(described.description.target).identity(described.description.target)
    system = System(described.description, described.documents, model, file=described.file, lines=described.lines)
    in_place = fitted(system, system.description.guards)
    verification = verify() if verify else None
    claim = _about(verification) if verification else None
    chosen = _chosen(system, claim) if claim else []
    remedies = (*in_place, *chosen)
    fingerprint = system.fingerprint(tuple(remedy.identity.digest for remedy in remedies))
    if claim:
        _require_same(system, claim, _plan(verification), in_place, chosen, fingerprint)
    warm(remedies)
    return Policy(
        system=system.description.name,
        fingerprint=fingerprint,
        guard_set=guard_set([remedy.identity for remedy in remedies]),
        remedies=remedies,
        prompt=system.description.prompt,
        model=local_model().name if system.description.target.kind == "local" else system.description.target.model,
        language=system.description.languages[0],
        refusal=default_refusal(system.description.languages[0]),
        serving=system.description.gateway,
        proven=_proven(verification, claim) if verification and claim else None,
    )


def _about(verification: Verification) -> VerifiedClaim:
    """The claim that a gateway rests on: remedies that were accepted, else the plan of a system measured as it is."""
    effects = [claim for claim in verification.claims if isinstance(claim.record, Effect)]
    plans = [claim for claim in verification.claims if isinstance(claim.record, Plan)]
    accepted = [claim for claim in effects if isinstance(claim.record, Effect) and claim.record.accepted]
    if not accepted and (effects or not plans):
        raise EvidenceError(
            N_("the bundle accepts no remedies for the system"),
            reason="unproven",
            remedy=N_("`aloi verify` shows why they were refused; measure again, or run without --evidence"),
        )
    return (accepted or plans)[-1]


def _plan(verification: Verification | None) -> Plan | None:
    claims = verification.claims if verification else ()
    return next((claim.record for claim in claims if isinstance(claim.record, Plan)), None)


def _chosen(system: System, claim: VerifiedClaim) -> list[Remedy]:
    """The remedies that an effect names, built as this system has them today."""
    if not isinstance(claim.record, Effect):
        return []
    language = "fr" if system.description.languages[0] == "fr" else "en"
    found: list[Remedy] = []
    for one in claim.record.remedies:
        family, _, choices = one.name.partition("(")
        if family == FAMILY and choices:
            found.append(patched(choices.removesuffix(")").split(","), language))
        else:
            found += fitted(system, [one.name])
    return found


def _require_same(
    system: System,
    claim: VerifiedClaim,
    plan: Plan | None,
    in_place: Sequence[Remedy],
    chosen: Sequence[Remedy],
    fingerprint: str,
) -> None:
    """What was proven is what runs: every remedy as it was measured, around the system as it was measured."""
    measured = (*(plan.in_place if plan else ()), *(claim.record.remedies if isinstance(claim.record, Effect) else ()))
    here = {remedy.name: remedy.identity for remedy in (*in_place, *chosen)}
    for one in measured:
        if here.get(one.name) != one:
            raise _other(one, here.get(one.name))
    signed = claim.subject[-1].fingerprint
    if fingerprint != signed:
        raise EvidenceError(
            N_(
                "{file} describes another system than was measured: its fingerprint is {got}, the signed one {expected}"
            ),
            reason="other-system",
            remedy=N_(
                "the fingerprint covers name, purpose, languages, model, prompt, sampling, documents, context and "
                "guards: put back what was changed, or measure again"
            ),
            file=system.file,
            got=fingerprint,
            expected=signed,
        )


def _other(measured: RemedyIdentity, here: RemedyIdentity | None) -> EvidenceError:
    return EvidenceError(
        N_("the remedy {name} is not the one that was measured: got {got}, measured {expected}"),
        reason="other-remedy",
        remedy=N_("put its options and the version of Aloi back as they were, or measure again"),
        name=measured.name,
        got=f"{here.version} {here.digest}" if here else "-",
        expected=f"{measured.version} {measured.digest}",
    )


def _proven(verification: Verification, claim: VerifiedClaim) -> Proven:
    return Proven(
        bundle=verification.digest,
        statement=claim.digest,
        signers=tuple(signer.key_id for signer in claim.signers),
        verdicts={
            one.record.hazard: one.record.verdict.value
            for one in verification.claims
            if isinstance(one.record, Finding) and one.subject[-1].fingerprint == claim.subject[-1].fingerprint
        },
    )


def upstream(path: Path) -> Callable[[], AbstractAsyncContextManager[tuple[str, str]]]:
    """Opens the model of the system at `path` for a gateway: its address, and its key from the environment.

    Raises AskerError for a system that is a function, or whose key is not set.
    """
    description = open_system(path).description
    target = description.target
    if target.kind not in {"openai", "local"}:
        raise AskerError(
            N_("a gateway stands before an HTTP endpoint; the target of this system is a {kind}"),
            remedy=N_(
                "name an endpoint under `target`, or guard the function with `aloi.solutions.guarded.GuardedTarget`"
            ),
            kind=target.kind,
        )
    key = endpoint_key(target) if target.kind == "openai" else ""

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[str, str]]:
        if target.kind == "local" and not description.gateway.upstream:
            async with serving_model(target) as served:
                yield served
        else:
            yield description.gateway.upstream or target.base_url, key

    return opened
