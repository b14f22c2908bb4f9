"""One parser fuzzed with its coverage as a guide, where atheris is installed (`pip install atheris`).

    python -m benchmarks.evidence.guided "look-up answer" -max_total_time=60

What follows the parser's name are libFuzzer's own options. It ends at the first crash, and writes the input to a file.
"""

import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Run until libFuzzer's limits."""
    import atheris  # noqa: PLC0415 - no dependency of ours: whoever wants it installs it  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=["aloi"]):
        from benchmarks.evidence.parsers import PARSERS, REFUSALS  # noqa: PLC0415 - instrumented as it is imported

    parser = PARSERS[sys.argv[1]]

    def one(data: bytes) -> None:
        try:
            value = parser.parse(data)
        except REFUSALS:
            return
        if parser.write and parser.write(value) != data:
            raise AssertionError(f"written otherwise: {data!r}")

    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(parser.seeds):
            (Path(folder) / f"{number}").write_bytes(seed)
        atheris.Setup([sys.argv[0], *sys.argv[2:], folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
