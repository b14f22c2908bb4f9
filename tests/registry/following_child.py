"""A process that logs and keeps static files until it is killed: `python following_child.py URL FOLDER FIRST`.

It says after each batch how many entries were answered.
"""

import sys
from pathlib import Path

from log_room import ORIGIN, WRITER, unsigned

from aloi.registry import tilekeeper
from aloi.registry.log import Log
from aloi.registry.tilefolder import TileFolder


def main() -> None:
    url, folder, first = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    tilekeeper.PAUSE = 0.0  # killed in the middle of writing as often as can be
    log = Log.open(url, WRITER, ORIGIN)
    with tilekeeper.TileKeeper(TileFolder.open(folder, log)) as keeper:
        for start in range(first, first + 100_000, 37):
            log.sequence([unsigned(number) for number in range(start, start + 37)])
            keeper.published()
            sys.stdout.write(f"{start + 37 - first}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
