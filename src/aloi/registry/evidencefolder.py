"""Evidence of misbehaviour as files in a folder, whose number no stranger can drive up."""

import hashlib
from pathlib import Path

from aloi.evidence.checkpoints import parse
from aloi.registry import durable, misbehaviour
from aloi.registry.misbehaviour import Misbehaviour

ENOUGH = 100


def keep(folder: Path, found: Misbehaviour) -> None:
    """Keep what is proven, the first hundred of a log, and the last accusation. Raises OSError.

    Anybody who has a log's heads can send a proof that fails, so accusations of one log take one file.
    """
    path = folder / _name(found)
    if found.proven and len(list(folder.glob(f"{path.name.partition('.')[0]}.*.json"))) > ENOUGH:
        return
    durable.replace(path, misbehaviour.write(found))


def files(folder: Path) -> list[bytes]:
    """What was kept."""
    return [path.read_bytes() for path in sorted(folder.glob("*.json"))]


def _name(found: Misbehaviour) -> str:
    log = hashlib.sha256(parse(found.first.text).origin.encode()).hexdigest()[:16]
    if not found.proven:
        return f"{log}.accusation.json"
    texts = "\0".join([str(found.key), found.first.text, found.second.text])
    return f"{log}.{found.kind.value}.{hashlib.sha256(texts.encode()).hexdigest()[:16]}.json"
