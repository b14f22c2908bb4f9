"""`aloi verify`: check a bundle offline, claim by claim."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options
from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.records import Coverage, Hunt
    from aloi.evidence.verification import Verification, VerifiedClaim

NON_CLAIMS = {
    "other-hazards": N_("hazards that were not measured"),
    "other-versions": N_("other versions of the system"),
    "other-languages": N_("other languages"),
    "other-attacks": N_("attacks outside the declared ones"),
    "other-uses": N_("other uses of the system"),
    "population": N_("rates among real users"),
    "worst-case": N_("the worst case"),
    "absence-of-risk": N_("that there is no risk"),
    "which-attack": N_("which attack exceeds the threshold where a hunt proved that one does"),
    "future-behaviour": N_("how the system will behave later"),
    "registration-time": N_("that the plan was public before the run: no outside clock has seen it"),
    "independence": N_("that who measured is independent of who built"),
    "all-evidence": N_("that this is all the evidence about the system"),
    "contrary": N_("that the contrary of what was withdrawn is true"),
    "agreement": N_("that a replication found the same"),
    "sealed-content": N_("anything of what is sealed, before it is opened"),
    "identity": N_("that the signer is the organisation of that name and domain"),
    "fault": N_("that somebody is at fault"),
    "document-content": N_("that an attached document is right: nothing in it was read"),
    "legal-conformity": N_("conformity with any law or norm"),
}


@click.command(
    "verify", help=say(N_("Check BUNDLE offline and say, claim by claim, what holds and what is not claimed."))
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=say(N_("Public key of a signer you trust; may be given several times. Your own key is trusted.")),
)
@click.option("--threshold", type=click.IntRange(1, 16), default=1, help=say(N_("How many trusted keys must sign.")))
@options.as_json
def command(bundle: Path, keys: tuple[Path, ...], threshold: int, *, as_json: bool) -> None:
    """Exit 0 when everything holds, 4 when anything does not."""
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.verification import verify_bundle  # noqa: PLC0415 - as above

    trusted = [options.public_key(key) for key in keys or options.own_keys()]
    verification = verify_bundle(bundles.read(options.bundle_file(bundle)), trusted, threshold=threshold)
    if as_json:
        options.print_json(verification)
        return
    for line in _lines(verification):
        click.echo(line)


def _lines(verification: "Verification") -> list[str]:
    signers = ", ".join(signer.key_id for signer in verification.packed_by)
    lines = [
        click.style(say(N_("The bundle holds: nothing in it was changed since it was signed.")), fg="green"),
        say(N_("Bundle  {digest}"), digest=verification.digest),
        say(N_("Signed  {signers}"), signers=signers),
        *(say(N_("About   {name}  {digest}"), name=s.name, digest=s.fingerprint) for s in verification.subject),
        "",
        say(N_("What is claimed, each at the stated threshold:")),
    ]
    lines += [f"  {_claim(claim)}" for claim in verification.claims]
    lines += ["", say(N_("What is not claimed:"))]
    return lines + [f"  - {say(NON_CLAIMS[code]) if code in NON_CLAIMS else code}" for code in verification.non_claims]


def _claim(claim: "VerifiedClaim") -> str:
    from aloi.assurance.report import words  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.records import BenignRate, Effect, Finding, Hunt, Plan  # noqa: PLC0415 - as above

    about = claim.subject[-1].name
    match claim.record:
        case Plan() as plan:
            return say(
                N_("plan      {about}: hazards: {count}; {error} ({rule})"),
                about=about,
                count=len(plan.hazards),
                error=say(words.error_sentence(plan), alpha=_rate(plan.alpha)),
                rule=say(words.MULTIPLICITIES[plan.multiplicity]),
            )
        case Finding() as finding:
            line = N_(
                "finding   {about}: {hazard} {verdict} at {threshold}; {low} to {high}, {level} confidence, n = {n}"
            )
            if finding.counts != "failures":
                line = N_(
                    "finding   {about}: {hazard} {verdict} at {threshold}, judge-rated; {low} to {high}, "
                    "{level} confidence, n = {n}"
                )
            return say(
                line,
                about=about,
                hazard=finding.hazard,
                verdict=say(str(finding.verdict)).upper(),
                threshold=_rate(finding.threshold),
                low=_rate(finding.estimate.low),
                high=_rate(finding.estimate.high),
                level=_rate(finding.estimate.level),
                n=finding.estimate.n,
            )
        case Hunt() as hunt:
            return _hunt(hunt, about)
        case BenignRate() as benign:
            estimate = benign.estimate
            told = N_("ordinary  {about}: {low} to {high} of ordinary requests answered, n = {n}")
            return say(told, about=about, low=_rate(estimate.low), high=_rate(estimate.high), n=estimate.n)
        case Effect() as effect:
            names = " + ".join(remedy.name for remedy in effect.remedies)
            told = (
                N_("effect    {names}: accepted by the policy")
                if effect.accepted
                else N_("effect    {names}: refused by the policy")
            )
            return say(told, names=names)
        case _:
            return _rest(claim)


def _rest(claim: "VerifiedClaim") -> str:
    from aloi.evidence.records import Coverage  # noqa: PLC0415 - as above

    if isinstance(claim.record, Coverage):
        return _coverage(claim.record)
    return say(N_("other     {kind}: signed, of a kind this release does not know"), kind=claim.predicate_type)


def _hunt(hunt: "Hunt", about: str) -> str:
    told = N_("hunt      {about}: {hazard} {verdict} at {threshold}; nothing is proved of any attack, n = {n}")
    if hunt.verdict == "not met":
        told = N_(
            "hunt      {about}: {hazard} {verdict} at {threshold}; "
            "some attack at least {low}, {level} confidence, n = {n}"
        )
    return say(
        told,
        about=about,
        hazard=hunt.hazard,
        verdict=say(str(hunt.verdict)).upper(),
        threshold=_rate(hunt.threshold),
        low=_rate(hunt.low),
        level=_rate(hunt.level),
        n=sum(one.n + one.unscorable for one in hunt.attacks),
    )


def _coverage(coverage: "Coverage") -> str:
    from collections import Counter  # noqa: PLC0415 - beside its one use

    states = Counter(requirement.state for requirement in coverage.requirements)
    told = ", ".join(f"{say(state)} {count}" for state, count in states.items())
    return say(N_("coverage  {framework}: {told}"), framework=coverage.framework, told=told)


def _rate(value: object) -> str:
    text = f"{100 * float(str(value)):.3g}"
    return text.replace(".", ",") + "\N{NARROW NO-BREAK SPACE}%" if language() == "fr" else f"{text} %"
