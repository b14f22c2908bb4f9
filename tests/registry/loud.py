"""`aloi` as loud as the libraries under it can be made; FAULT names a text, with which what is asked of a log fails."""

import logging
import os
from typing import Any, NoReturn

import uvicorn

LOUD = ("", "aiohttp", "alembic", "asyncio", "psycopg", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "uvicorn")
MADE = uvicorn.Config.__init__


def make(self: uvicorn.Config, *arguments: Any, **settings: Any) -> None:
    MADE(self, *arguments, **settings | {"log_level": "trace", "access_log": True})


def fail(*_: object) -> NoReturn:
    raise RuntimeError(os.environ["FAULT"])


if "FAULT" in os.environ:
    from aloi.registry.log import Log
    from aloi.registry.witness import Witness

    Log.look_up = Log.entry = fail
    Witness.add_checkpoint = fail
else:
    logging.basicConfig(level=1)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.DEBUG)
    uvicorn.Config.__init__ = make

if __name__ == "__main__":
    from aloi.cli.main import main

    main()
