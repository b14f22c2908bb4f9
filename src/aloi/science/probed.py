"""Which hazards can be measured: the probes that are installed, by the hazard that each one measures."""

from aloi import plugins
from aloi.science.probe import probe_for


def probes_by_hazard() -> dict[str, tuple[str, ...]]:
    """Names of the installed probes under the slug of their hazard, the hazard's own probe first."""
    found: dict[str, list[str]] = {}
    for name in plugins.names("aloi.probes"):
        found.setdefault(probe_for(name).hazard, []).append(name)
    return {slug: tuple(sorted(probes, key=lambda name: (name != slug, name))) for slug, probes in found.items()}
