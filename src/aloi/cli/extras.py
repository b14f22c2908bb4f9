"""Name the extra where one of its packages is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from aloi.errors import MissingExtra

# What each extra brings, by the names that are imported.
PACKAGES = {
    "measure": {"babel", "jinja2", "markupsafe", "rich", "scipy"},
    "gateway": {"httptools", "prometheus_client", "uvicorn"},
    "registry": {"alembic", "babel", "jinja2", "markupsafe", "prometheus_client", "sqlalchemy", "starlette", "uvicorn"},
}


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Raises MissingExtra where `what` imports a package of this extra that is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES[extra]:
            raise
        raise MissingExtra(what, extra, f"pip install 'aloi[{extra}]'") from error
