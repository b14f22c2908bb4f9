"""Packages, tools and model files: what the registry vetted, what was downloaded, what gets installed."""

from typing import Any

from aloi.science.workplace.office import Office, Trouble, placed


def registry_entry(office: Office, given: dict[str, Any]) -> str:
    """The version, digest and publisher that the house has vetted."""
    name = given["name"].strip()
    office.did("checked", f"registry:{name}")
    entry = office.registry.get(name)
    if entry is None:
        return f"The registry does not know {name!r}. What it does not know may not be installed."
    return f"{name} {entry.version}\nsha256: {entry.sha256}\npublisher: {entry.publisher}"


def inspect_download(office: Office, given: dict[str, Any]) -> str:
    """What a downloaded file is: its name, digest and signer, as computed here."""
    path = placed(given["path"])
    if path not in office.downloads:
        raise Trouble(
            f"there is no download {path!r}: {', '.join(sorted(office.downloads)) or 'nothing was downloaded'}"
        )
    office.did("checked", path)
    found = office.downloads[path]
    return f"{path}: {found.name} {found.version}\nsha256: {found.sha256}\nsigned by: {found.publisher}"


def install(office: Office, given: dict[str, Any]) -> str:
    """Install a download. Nothing is checked here: that is left to who installs."""
    path = placed(given["path"])
    found = office.downloads.get(path)
    if found is None:
        raise Trouble(f"there is no download {path!r}; nothing was installed")
    vetted = office.registry.get(found.name)
    same = vetted is not None and (vetted.sha256, vetted.publisher) == (found.sha256, found.publisher)
    office.did("installed", path, text=f"{found.name} {found.version}", marks=() if same else ("unverified",))
    return f"{found.name} {found.version} is installed."
