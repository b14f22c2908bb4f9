"""A witness that cosigns as fast as it can, and tells each cosignature only once it has it; its parent kills it."""

import itertools
import sys
from pathlib import Path

from benchmarks.registry.logs import Log, fixed_key

from aloi.evidence import checkpoints, notes
from aloi.registry.heads import FolderHeads
from aloi.registry.witness import Cosigned, Witness

ORIGIN = "log.example/one"
ENTRIES = [b"entry %d" % number for number in range(2000)]


def tell(kind: str, size: int, second: int) -> None:
    sys.stdout.write(f"{kind} {size} {second}\n")
    sys.stdout.flush()


def main(folder: str, begin: int) -> None:
    log = Log(ORIGIN, fixed_key(11), ENTRIES)
    store = FolderHeads(Path(folder))
    witness = Witness("witness.example/1", [fixed_key(21)], {ORIGIN: [log.public]}, store)
    known = witness.known(ORIGIN)
    size = checkpoints.parse(notes.read(known.note).text).size if known else 0
    tell("known", size, known.time if known else 0)
    for step in itertools.count():
        larger = size + (step % 3 > 0)
        proof = log.proof(size, larger) if size < larger else []
        answer = witness.add_checkpoint(size, proof, log.signed(larger), begin + step)
        assert isinstance(answer, Cosigned), answer
        tell("cosigned", larger, begin + step)
        size = larger


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
