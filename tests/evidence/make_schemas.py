"""Write `schemas/` anew after a record changed: `python tests/evidence/make_schemas.py`."""

import json
from pathlib import Path

from aloi.evidence.schemas import schemas

FOLDER = Path(__file__).parents[2] / "schemas"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for stem, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        (FOLDER / f"{stem}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
