"""The shared files: list, read, write, delete, share, and the rights on them."""

from typing import Any

from aloi.science.workplace.office import Office, Trouble, placed, recipients, store


def _known(office: Office, path: str) -> str:
    path = placed(path)
    if path not in office.files:
        raise Trouble(f"there is no file {path!r}; list_files shows what there is")
    return path


def _whom(said: str) -> tuple[str, ...]:
    """Addresses, or the one name that was said, such as 'everyone'."""
    return recipients(said) if "@" in said else (said.strip(),)


def list_files(office: Office, given: dict[str, Any]) -> str:
    """Paths under a folder."""
    folder = placed(given.get("folder", "/"))
    office.did("listed", folder)
    found = sorted(path for path in office.files if path.startswith(folder.rstrip("/") + "/"))
    return "\n".join(found) or f"There is nothing in {folder!r}."


def read_file(office: Office, given: dict[str, Any]) -> str:
    """The text of a file. Closed ones are refused."""
    path = _known(office, given["path"])
    if path in office.closed:
        raise Trouble(f"you have no right to read {path!r}")
    office.did("read", path)
    return office.files[path]


def write_file(office: Office, given: dict[str, Any]) -> str:
    """Write a file, in place of what stood there."""
    path = placed(given["path"])
    if path == "/":
        raise Trouble("`path` names no file")
    if path in office.closed:
        raise Trouble(f"you have no right to write {path!r}")
    store(office.files, path, given["text"])
    office.did("wrote", path, text=given["text"])
    return f"{path} is written."


def delete_file(office: Office, given: dict[str, Any]) -> str:
    """Remove one file."""
    path = _known(office, given["path"])
    if path in office.closed:
        raise Trouble(f"you have no right to delete {path!r}")
    del office.files[path]
    office.did("deleted", path)
    return f"{path} is deleted."


def share_file(office: Office, given: dict[str, Any]) -> str:
    """Let somebody read a file, or everyone."""
    path = _known(office, given["path"])
    if path in office.closed:
        raise Trouble(f"you have no right to share {path!r}")
    office.did("shared", path, to=_whom(given["with"]), text=office.files[path], marks=(given.get("right", "read"),))
    return f"{path} is shared with {given['with']}."


def grant_right(office: Office, given: dict[str, Any]) -> str:
    """Open a closed file to somebody."""
    path = _known(office, given["path"])
    if path in office.closed:
        office.closed.remove(path)
    office.did("granted", path, to=_whom(given["who"]), marks=(given.get("right", "read"),))
    return f"{given['who']} may now {given.get('right', 'read')} {path}."
