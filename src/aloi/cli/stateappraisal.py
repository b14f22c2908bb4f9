"""`aloi state appraise`: say that a step of how certain a consensus is ought to count otherwise, and why."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aloi.cli import options, signing
from aloi.cli.speech import say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.statement import Subject
    from aloi.evidence.vouching import Step

STEPS = ("design", "bias", "inconsistency", "indirectness", "imprecision", "reporting", "replication")


@click.command(
    "appraise",
    help=say(
        N_(
            "Sign that a step of how certain the evidence on a hazard of SYSTEM is ought to count otherwise, and why. "
            "It stands beside what is derived, and changes none of it. SYSTEM is a run's folder, a bundle, or a digest "
            "sha256:…"
        )
    ),
)
@click.argument("system")
@click.option("--hazard", required=True, help=say(N_("The hazard, by its slug: see `aloi catalog hazards`.")))
@click.option("--step", type=click.Choice(STEPS), required=True, help=say(N_("The step of the certainty.")))
@click.option(
    "--change",
    type=click.IntRange(-2, 1),
    required=True,
    help=say(N_("By how many levels it is to count, in place of what is derived; 0 for not at all.")),
)
@signing.organisation
@signing.reason
@options.key
@options.output
@options.as_json
def appraise(
    system: str,
    hazard: str,
    step: "Step",
    change: int,
    organisation: str,
    reason: str,
    key: Path | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """It counts for an organisation whose roster holds the key."""
    from aloi.assurance.stating import now, signed  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.vouching import Appraisal  # noqa: PLC0415 - as above
    from aloi.science.hazards import hazard as known  # noqa: PLC0415 - as above

    slug, subject = known(hazard).slug, _system(system)

    def made() -> Appraisal:
        return Appraisal(organisation=organisation, at=now(), hazard=slug, step=step, change=change, reason=reason)

    envelope = signed(made, [subject], signing.signer(key))
    path = output or signing.file_named("appraisal", slug, step, subject.fingerprint.removeprefix("sha256:")[:12])
    signing.hand_over(envelope, path, as_json=as_json)


def _system(given: str) -> "Subject":
    """The system that a bundle planned to measure, or a digest names. The bundle is not verified."""
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.logentry import stated  # noqa: PLC0415 - as above
    from aloi.evidence.statement import Subject, claimed  # noqa: PLC0415 - as above

    if options.is_digest(given):
        return Subject.of("system", given)
    opened, _ = bundles.unpack(bundles.read(options.bundle_file(Path(given))))
    statements = [stated(each)[1] for each in opened.envelopes]
    return bundles.systems((each.subject, claimed(each)) for each in statements)[0]
