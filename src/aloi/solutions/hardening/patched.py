"""A hardened prompt by the patches that it is made of."""

from collections.abc import Sequence

from aloi.solutions.catalogue import Remedy, build, variant
from aloi.solutions.hardening.prompt import patches

FAMILY = "hardened-prompt"


def patched(names: Sequence[str], language: str) -> Remedy:
    """The hardened prompt of these patches, by a name that tells them: `hardened-prompt(keep-secrets,brief)`."""
    known = patches()
    built = build(FAMILY, {"patches": list(names), "language": language})
    return variant(built, names, tuple(dict.fromkeys(slug for name in names for slug in known[name])))
