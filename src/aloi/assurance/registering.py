"""The plan in a registry before the first query, so that a stranger can see that it came first."""

from typing import NamedTuple

from aloi.assurance.folder import RunFolder, write_whole
from aloi.errors import AskerError
from aloi.evidence.trustpolicy import Policy
from aloi.registry.sharing import share
from aloi.translation import N_


class Registry(NamedTuple):
    """Where plans are registered, and whom its proof has to convince."""

    url: str
    policy: Policy


async def register_plan(folder: RunFolder, registry: Registry) -> None:
    """Publish the run's signed plan and keep the proof; nothing where that was done.

    Raises AskerError where the system was asked already, RegistryError and EvidenceError as `share`.
    """
    if folder.plan_proof.exists():
        return
    if folder.trials.exists():
        raise AskerError(
            N_("this run has asked the system already: its plan can no longer be registered before"),
            remedy=N_("resume it without --register, or start a new run"),
        )
    (shared,) = await share(registry.url, [folder.plan.read_bytes()], registry.policy)
    folder.plan_proof.parent.mkdir(exist_ok=True, mode=0o755)
    write_whole(folder.plan_proof, shared.proof, mode=0o644)
