"""The `registry.yaml` and the `witness.yaml` to start from."""

from importlib.resources import files

import msgspec

from aloi.evidence.notes import check_name

REGISTRY, WITNESS = "registry.yaml", "witness.yaml"


def beginning(file: str, name: str) -> bytes:
    """The file for a log or a witness of this name. Raises EvidenceError ('key-name') for one that none can have."""
    check_name(name)
    # JSON's texts are YAML's, whatever stands in them
    return (files(__package__) / file).read_bytes().replace(b"NAME", msgspec.json.encode(name))
