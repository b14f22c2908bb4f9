"""A process that writes to a log until it is killed: `python writer.py URL FIRST COUNT SIZE`.

It logs envelopes FIRST to FIRST+COUNT in batches of SIZE and says, after each batch, which indices were answered.
"""

import sys

from log_room import KEYS, ORIGIN, WRITER, batches, envelope_of

from aloi.registry.log import Log


def main() -> None:
    url, first, count, size = sys.argv[1], *map(int, sys.argv[2:])
    log = Log.open(url, WRITER, ORIGIN)
    for numbers in batches(range(first, first + count), size):
        indices = log.append([envelope_of(number) for number in numbers], KEYS)
        said = (f"{number}:{index}" for number, index in zip(numbers, indices, strict=True))
        sys.stdout.write(" ".join(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
