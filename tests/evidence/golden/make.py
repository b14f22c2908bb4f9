"""Make the golden files: run once per edition of the formats, never again for the same edition.

    python tests/evidence/golden/make.py bundle-v1
    python tests/evidence/golden/make.py lookup-v1
    python tests/evidence/golden/make.py logged-v1
    python tests/evidence/golden/make.py beside-v1
    python tests/evidence/golden/make.py monitoring-v1
    python tests/evidence/golden/make.py beside-v2
    python tests/evidence/golden/make.py update-v1
    python tests/evidence/golden/make.py bundle-v2
    python tests/evidence/golden/make.py results-v2

Old files are never made anew: a release that cannot verify them is broken.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

import log_world  # noqa: E402 - the folder above is put on the path first
import lookup_world  # noqa: E402
import monitoring_world  # noqa: E402
import published_world  # noqa: E402
import results_world  # noqa: E402
import update_world  # noqa: E402
import vouching_world  # noqa: E402
from evidence_world import World  # noqa: E402

from aloi.evidence import envelope as dsse  # noqa: E402


def main(name: str) -> None:
    world = World()
    if name.startswith("lookup"):
        files = {HERE / f"{name}.json": lookup_world.spelt(lookup_world.answer())}
    elif name.startswith("logged"):  # proofs of what bundle-v1 holds
        last = f"{published_world.LAST}.tlog-proof"
        proofs = {"plan": "plan.tlog-proof", "finding": "1.tlog-proof", "manifest": last}
        files = {HERE / f"{name}.{what}.tlog-proof": published_world.PROOFS[file] for what, file in proofs.items()}
        files[HERE / f"{name}.policy"] = log_world.POLICY.encode()
    elif name.startswith("beside"):
        files = {
            HERE / f"{name}.jsonl": b"".join(dsse.write(each) + b"\n" for each in vouching_world.beside().values())
        }
    elif name.startswith("monitoring"):
        files = {HERE / f"{name}.json": monitoring_world.bundle()}
    elif name.startswith("results"):  # results-v1 was made so by the release before
        files = {HERE / f"{name}.jsonl": results_world.lines()}
    elif name.startswith("update"):
        files = {HERE / f"{name}.jsonl": update_world.lines()}
    else:
        files = {HERE / f"{name}.json": world.pack(), HERE / f"{name}.pem": world.key.public.pem()}
    for path, data in files.items():
        with path.open("xb") as file:
            file.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
