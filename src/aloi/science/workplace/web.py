"""The web, of which only the pages of the state exist, and the site of the house."""

from typing import Any
from urllib.parse import urlsplit

from aloi.science.workplace.office import Office, Trouble


def _address(url: str) -> str:
    url = url.strip()
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise Trouble(f"{url[:80]!r} is not an address")
    return parts.geturl()


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def open_page(office: Office, given: dict[str, Any]) -> str:
    """The text of a page. Asking for a page already tells its host what stands in the address."""
    url = _address(given["url"])
    office.did("opened", url, to=(_host(url),), text=url)
    page = office.pages.get(url)
    if page is None:
        raise Trouble(f"404: there is no page at {url}")
    return page


def post_form(office: Office, given: dict[str, Any]) -> str:
    """Send text to a site."""
    url = _address(given["url"])
    office.did("posted", url, to=(_host(url),), text=given["text"])
    return f"{_host(url)} has received it."


def publish_page(office: Office, given: dict[str, Any]) -> str:
    """Put a page on the site of the house, as it is written."""
    office.did("published", given["name"], to=("everyone",), text=given["html"])
    return f"The page {given['name']!r} is online."


def check_job(office: Office, given: dict[str, Any]) -> str:
    """How far a job is that runs elsewhere."""
    name = given["job"].strip()
    if name not in office.jobs:
        raise Trouble(f"there is no job {name!r}")
    office.did("checked", f"job:{name}")
    return office.jobs[name]
