"""Write what was monitored into a folder of its own: the bundle, the signer's public key, a page in each language."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from aloi.assurance.folder import write_whole
from aloi.assurance.monitoring.findings import Monitored
from aloi.assurance.report.monitoring import Signed, render_monitoring
from aloi.assurance.telling import remedy_title
from aloi.errors import AskerError
from aloi.evidence import bundle as bundles
from aloi.evidence.canonical import digest
from aloi.evidence.publickeys import PublicKey
from aloi.translation import LANGUAGES, N_


class Handed(Struct, frozen=True, kw_only=True):
    """The files, and the digest of the bundle."""

    folder: Path
    bundle: Path
    bundle_digest: str
    public_key: Path
    pages: dict[str, Path]


def hand_over(found: Sequence[Monitored], bundle: bytes, signer: PublicKey, parent: Path, now: datetime) -> Handed:
    """A new folder `<system>-traffic-<time>` under `parent`. Raises AskerError where it cannot be made."""
    folder = parent / f"{found[0].system}-traffic-{now:%Y%m%dT%H%M%SZ}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise AskerError(
            N_("cannot make the run's folder {folder}: {problem}"),
            remedy=N_("choose another folder with --runs, one that you may write to and with space left"),
            folder=folder,
            problem=error.strerror or error,
        ) from error
    handed = Handed(
        folder=folder,
        bundle=folder / "bundle.json",
        bundle_digest=digest(bundle),
        public_key=folder / "signer.pub.pem",
        pages={language: folder / f"report.{language}.html" for language in LANGUAGES},
    )
    bundles.write(bundle, handed.bundle)
    write_whole(handed.public_key, signer.pem(), mode=0o644)
    signed = Signed(
        bundle=handed.bundle.name,
        digest=handed.bundle_digest,
        signer=signer.id,
        command=f"aloi verify {handed.bundle.name} --key {handed.public_key.name}",
    )
    for language, path in handed.pages.items():
        page = render_monitoring(found, signed, language, remedy_title=remedy_title)
        write_whole(path, page.encode(), mode=0o644)
    return handed
