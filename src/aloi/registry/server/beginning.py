"""The `registry.yaml` to start from."""

from importlib.resources import files

from aloi.evidence.notes import check_name


def beginning(name: str) -> bytes:
    """The file for a log of this name. Raises EvidenceError ('key-name') for a name that no log can have."""
    check_name(name)
    return (files(__package__) / "registry.yaml").read_text().replace("NAME", name).encode()
