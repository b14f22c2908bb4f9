"""How fast evidence is verified: `python benchmarks/evidence/verify.py` prints one JSON object.

CPU time on one core, best of several rounds; the cold start is wall time of a fresh interpreter, best of several.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aloi.evidence import envelope as dsse
from aloi.evidence.bundle import unpack
from aloi.evidence.keys import ALGORITHMS, PrivateKey, PublicKey
from aloi.evidence.merkle import Tree, inclusion, leaf_hash, verify_inclusion
from aloi.evidence.verification import verify_bundle

GOLDEN = Path(__file__).parents[2] / "tests" / "evidence" / "golden"
COLD = "import sys, aloi.evidence.verification as v, aloi.evidence.publickeys as k; from pathlib import Path as P; "
COLD += "v.verify_bundle(P(sys.argv[1]).read_bytes(), [k.PublicKey.from_pem(P(sys.argv[2]).read_bytes())])"


def seconds(call: Callable[[], object], times: int, rounds: int = 5) -> float:
    """CPU seconds of one call, best of `rounds` rounds of `times` calls."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(times):
            call()
        best = min(best, (time.process_time() - start) / times)
    return best


def start(*arguments: str) -> float:
    """Wall milliseconds of a fresh interpreter, best of seven."""
    best = float("inf")
    for _ in range(7):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True)
        best = min(best, time.perf_counter() - begin)
    return round(best * 1000, 1)


def main() -> None:
    """Print the figures."""
    file, pem = GOLDEN / "bundle-v1.json", GOLDEN / "bundle-v1.pem"
    data, trusted = file.read_bytes(), [PublicKey.from_pem(pem.read_bytes())]
    parts, _ = unpack(data)
    figures: dict[str, object] = {
        "python_ms": start("-c", ""),
        "import_verification_ms": start("-c", "import aloi.evidence.verification"),
        "cold_verify_ms": start("-c", COLD, str(file), str(pem)),
        "bundle_bytes": len(data),
        "bundle_envelopes": len(parts.envelopes),
        "bundle_ms": round(seconds(lambda: verify_bundle(data, trusted), 20) * 1000, 2),
    }
    payload = dsse.verify(parts.envelopes[1], trusted).payload
    for algorithm in ALGORITHMS:
        key = PrivateKey.generate(algorithm)
        envelope = dsse.write(dsse.sign(payload, key))
        figures[f"envelope_{algorithm}_per_s"] = round(
            1 / seconds(lambda e=envelope, k=key: dsse.verify(dsse.read(e), [k.public]), 200)
        )
    hashes = [leaf_hash(b"%d" % number) for number in range(10_000)]
    tree = Tree()
    for each in hashes:
        tree.append(each)
    proof, root = inclusion(hashes, 4321), tree.root()
    figures["inclusion_proof_per_s"] = round(
        1 / seconds(lambda: verify_inclusion(hashes[4321], 4321, len(hashes), proof, root), 500)
    )
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
