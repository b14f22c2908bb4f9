"""The `registry.yaml` and the `witness.yaml` to start from."""

from importlib.resources import files

import msgspec

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.notes import check_name
from aloi.translation import N_

REGISTRY, WITNESS = "registry.yaml", "witness.yaml"


def beginning(file: str, name: str) -> bytes:
    """The file for a log or a witness of this name. Raises AskerError for one that none can have."""
    try:
        check_name(name)
    except EvidenceError as error:
        raise AskerError(
            N_("“{got}” cannot name a log or a witness: it is empty, or holds a space or a plus"),
            remedy=N_("name a domain of yours and a path, for example registry.example.org/log"),
            got=shown(name),
        ) from error
    # JSON's texts are YAML's, whatever stands in them
    return (files(__package__) / file).read_bytes().replace(b"NAME", msgspec.json.encode(name))
