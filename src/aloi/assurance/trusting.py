"""Whose signatures are believed where nobody says more: one's own, and those of the keys that are named."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aloi.evidence.publickeys import PublicKey
    from aloi.evidence.verification import Verification


def home() -> Path:
    """Where Aloi keeps keys: ALOI_HOME, else `aloi` in the user's configuration folder."""
    if given := os.environ.get("ALOI_HOME"):
        return Path(given)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "aloi"


def default_key() -> Path:
    """The key that signs where none is named."""
    return home() / "keys" / "default.pem"


def own_keys() -> list[Path]:
    """The public half of the default key, where there is one."""
    own = default_key().with_suffix(".pub.pem")
    return [own] if own.exists() else []


def trusted_keys(named: Sequence[Path]) -> list["PublicKey"]:
    """The keys that were named, and one's own. Raises AskerError where one cannot be read."""
    from aloi.evidence.keys import load_public  # noqa: PLC0415 - the command line starts without it

    return [load_public(path) for path in (*named, *own_keys())]


def bundle_file(path: Path) -> Path:
    """The bundle of a run's folder, or the file itself."""
    return path / "bundle.json" if path.is_dir() else path


def verified(bundle: Path, trust: Sequence[Path]) -> "Verification":
    """A bundle of what was planned and measured, as `held`. Raises EvidenceError, 'no-plan' for one of monitoring."""
    from aloi.evidence.bundle import no_plan  # noqa: PLC0415 - the command line starts without it

    found = held(bundle, trust)
    if not found.planned:
        raise no_plan()
    return found


def held(bundle: Path, trust: Sequence[Path]) -> "Verification":
    """Any bundle, verified by the keys that were named and one's own. Raises EvidenceError where it does not hold."""
    from aloi.evidence import bundle as bundles  # noqa: PLC0415 - the command line starts without it
    from aloi.evidence.verification import verify_bundle  # noqa: PLC0415 - as above

    return verify_bundle(bundles.read(bundle_file(bundle)), trusted_keys(trust))
