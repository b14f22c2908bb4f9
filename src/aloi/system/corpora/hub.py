"""Load a dataset of the Hugging Face hub at one commit, through `datasets`; only where a header names one."""

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aloi.errors import AskerError, MissingExtra
from aloi.system.corpora.garak import Foreign
from aloi.system.corpora.header import HubDataset
from aloi.system.corpora.table import of_mappings
from aloi.translation import N_

INSTALL = "pip install 'aloi[hf]'"


class Loaded(NamedTuple):
    """Rows of a dataset, and the licence that it declares, if any."""

    rows: Iterable[Mapping[str, Any]]
    licence: str = ""


Loader = Callable[[HubDataset], Loaded]


def hub_corpus(wanted: HubDataset, load: Loader) -> Foreign:
    """The dataset as rows. Raises AskerError where it cannot be loaded, and MissingExtra."""
    try:
        loaded = load(wanted)
        table = of_mappings(loaded.rows)
    except AskerError:
        raise
    except Exception as error:  # an HTTP library of another package fails in its own ways
        raise AskerError(
            N_("cannot load the dataset {name}: {problem}"),
            remedy=N_(
                "load it once with a network: with HF_HUB_OFFLINE=1 it is then read from the cache; "
                "or save its rows as JSON lines, and name them under `file`"
            ),
            name=wanted.dataset,
            problem=str(error).partition("\n")[0][:300] or type(error).__name__,
        ) from error
    source = f"https://huggingface.co/datasets/{wanted.dataset}"
    part = "/".join(filter(None, (wanted.config, wanted.split)))
    return Foreign(table, loaded.licence, f"{source} ({part})", wanted.revision)


def load_from_hub(wanted: HubDataset) -> Loaded:
    """Ask the hub, or its cache on this machine. No code of a dataset runs: `datasets` has not done so since 4.0."""
    if importlib.util.find_spec("datasets") is None:
        raise MissingExtra(N_("a dataset of the Hugging Face hub"), "hf", INSTALL)
    if Path(wanted.dataset).exists():
        raise AskerError(
            N_("a folder {name} stands here, which would be read in place of the dataset of that name"),
            remedy=N_("start from another folder"),
            name=wanted.dataset,
        )
    return load_dataset(wanted)


def load_dataset(wanted: HubDataset) -> Loaded:
    """As `datasets` finds it: on the hub, in its cache, or in a folder of that name."""
    import datasets  # noqa: PLC0415 - an extra, and heavy

    found = datasets.load_dataset(wanted.dataset, wanted.config or None, split=wanted.split, revision=wanted.revision)
    return Loaded(found, found.info.license or "")
