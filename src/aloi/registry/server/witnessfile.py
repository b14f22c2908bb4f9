"""`witness.yaml`: what a witness is called, with which keys it signs, which logs it watches and where it remembers."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from aloi.evidence import cosignatures
from aloi.evidence.keys import PrivateKey, load
from aloi.evidence.notes import ED25519, NoteKey
from aloi.registry.client import require_address
from aloi.registry.server.opened import Address, Opened, Text, Url, Verifier, contents
from aloi.system.loading import read
from aloi.translation import N_


class FollowSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A log of `logs`, by its name, and where its entries are served."""

    log: Text
    url: Url


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it is written. Other files that it names stand beside it; `logs` are verifier keys."""

    name: Text
    keys: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=8)]
    state: Text = "state"
    listen: Address = "127.0.0.1:8421"
    requests_per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] = 600
    logs: Annotated[tuple[Verifier, ...], Meta(max_length=10_000)] = ()
    follow: Annotated[tuple[FollowSection, ...], Meta(max_length=1_000)] = ()


class Configuration(Struct, frozen=True, kw_only=True):
    """A witness that can be run: its keys read, its logs by their origin, and where those are read that it follows."""

    name: str
    keys: tuple[PrivateKey, ...]
    state: Path
    host: str
    port: int
    requests_per_minute: int
    logs: Mapping[str, Sequence[NoteKey]]
    follow: Mapping[str, str]


def load_configuration(path: Path, passphrase: bytes | None = None) -> Configuration:
    """Read `witness.yaml` and the keys that it names.

    Raises InvalidFile with every fault and its line, AskerError where the file cannot be read.
    """
    data = contents(path, N_("begin a witness with `aloi registry witness init FOLDER`, or name its witness.yaml"))
    file, lines = read(data, str(path), File)
    opened = _Opened(path.parent, lines)
    keys = opened.keys(file, passphrase)
    logs = opened.logs(file)
    follow = opened.follow(file, logs)
    host, port = opened.listen(file.listen)
    opened.require_whole(path)
    return Configuration(
        name=file.name,
        keys=keys,
        state=path.parent / file.state,
        host=host,
        port=port,
        requests_per_minute=file.requests_per_minute,
        logs=logs,
        follow=follow,
    )


class _Opened(Opened):
    def keys(self, file: File, passphrase: bytes | None) -> tuple[PrivateKey, ...]:
        found: dict[str, PrivateKey] = {}
        for number, name in enumerate(file.keys):
            place = ("keys", number)
            key = self.get(place, partial(load, self.folder / name, passphrase))
            if key is None or self.get(place, partial(cosignatures.witness_key, file.name, key)) is None:
                continue
            if key.public.id in found:
                self.fault(place, N_("{path}: this key stands above already"))
            found[key.public.id] = key
        return tuple(found.values())

    def logs(self, file: File) -> dict[str, list[NoteKey]]:
        found: dict[str, list[NoteKey]] = {}
        for number, text in enumerate(file.logs):
            place = ("logs", number)
            key = self.get(place, partial(NoteKey.parse, text))
            if key is None:
                continue
            known = found.setdefault(key.name, [])
            if key.kind != ED25519:
                self.fault(place, N_("{path}: this is the key of a witness, not of a log"))
            elif key in known:
                self.fault(place, N_("{path}: this key stands above already"))
            known.append(key)
        return found

    def follow(self, file: File, logs: Mapping[str, object]) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, section in enumerate(file.follow):
            place = ("follow", number, "log")
            if section.log not in logs:
                self.fault(place, N_("{path}: no key of the log “{log}” stands under logs"), log=section.log)
            elif section.log in found:
                self.fault(place, N_("{path}: this log stands above already"))
            url = self.get(("follow", number, "url"), partial(require_address, section.url))
            found[section.log] = url or ""
        return found
