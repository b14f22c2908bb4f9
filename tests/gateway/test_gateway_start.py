"""A start that fails tells why in the reader's language, with an exit code, and nothing of the server's own."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from gateway_room import described

KEY = {"GATEWAY_KEY": "a-key-of-sixteen-letters"}


def started(folder: Path, listen: str, language: str, **gateway: Any) -> tuple[int, str, str]:
    """The exit code of a start that fails, and what it printed."""
    file = folder / "system.yaml"
    gateway.setdefault("keys", [{"name": "us", "env": "GATEWAY_KEY"}])
    file.write_text(yaml.safe_dump(described(9, ("secret-filter",), **gateway)))
    command = [sys.executable, "-m", "aloi.cli.main", "--lang", language, "gateway", str(file), "--listen", listen]
    done = subprocess.run(command, env={**os.environ, **KEY}, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


# Where it is to listen, and what is told in English and in French.
ADDRESSES: dict[str, tuple[str, tuple[str, str], tuple[str, str]]] = {
    "no such name": (
        "nowhere.invalid:0",
        ("nothing can listen at nowhere.invalid:0: no such name is known", "127.0.0.1"),
        ("rien ne peut écouter sur nowhere.invalid:0 : ce nom n'est pas connu", "127.0.0.1"),
    ),
    "no name at all": (
        "a..b:0",
        ("nothing can listen at a..b:0: no such name is known", "127.0.0.1"),
        ("rien ne peut écouter sur a..b:0 : ce nom n'est pas connu", "127.0.0.1"),
    ),
    "another machine's": (
        "203.0.113.9:0",
        ("nothing can listen at 203.0.113.9:0: this machine has no such address", "0.0.0.0"),
        ("rien ne peut écouter sur 203.0.113.9:0 : cette machine n'a pas cette adresse", "0.0.0.0"),
    ),
    "no address": ("127.0.0.1:²", ("127.0.0.1:² is no address", "HOST:PORT"), ("127.0.0.1:² n'est pas", "HÔTE:PORT")),
    "no port": ("127.0.0.1:70000", ("70000 is no address", "HOST:PORT"), ("70000 n'est pas", "HÔTE:PORT")),
}


def require_told(done: tuple[int, str, str], told: tuple[str, str], wanted: int = 2) -> None:
    code, out, err = done
    plain = err.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2019", "'")
    assert code == wanted, err
    assert not out, "an address that answers nobody"
    assert all(one in plain for one in told), plain
    assert "Traceback" not in err
    assert "startup" not in err
    assert len(plain.strip().splitlines()) <= 4, plain


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_address_that_cannot_be_had(tmp_path: Path, name: str, language: str) -> None:
    listen, english, french = ADDRESSES[name]
    require_told(started(tmp_path, listen, language), english if language == "en" else french)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_port_that_is_taken(tmp_path: Path, language: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = started(tmp_path, f"127.0.0.1:{port}", language)
    told = {
        "en": (f"nothing can listen at 127.0.0.1:{port}: something listens there already", "choose another port"),
        "fr": (f"rien ne peut écouter sur 127.0.0.1:{port} : quelque chose y écoute déjà", "choisissez un autre port"),
    }
    require_told(done, told[language])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_record_that_cannot_be_kept(tmp_path: Path, language: str) -> None:
    (tmp_path / "traffic").write_text("a file where the folder would be")
    done = started(tmp_path, "127.0.0.1:0", language, record={"folder": "traffic"})
    told = {"en": ("cannot write", "Next:"), "fr": ("impossible d'écrire", "Ensuite")}
    require_told(done, told[language])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_budgets_that_cannot_be_read(tmp_path: Path, language: str) -> None:
    (tmp_path / "traffic").mkdir()
    (tmp_path / "traffic" / "budgets.jsonl").write_text("no budget\n")
    done = started(tmp_path, "127.0.0.1:0", language, record={"folder": "traffic"})
    require_told(done, ("budgets.jsonl", "Next:" if language == "en" else "Ensuite"), wanted=4)


def test_a_fault_of_its_own_is_no_success(tmp_path: Path) -> None:
    """What nobody foresaw ends it with the code of such a fault, and is told whole."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import aiohttp\n\n\ndef fail(*_, **__):\n    raise RuntimeError('nobody foresaw this')\n\n\n"
        "aiohttp.TCPConnector.__init__ = fail\n"
    )
    file = tmp_path / "system.yaml"
    file.write_text(yaml.safe_dump(described(9, ("secret-filter",))))
    command = [sys.executable, "-m", "aloi.cli.main", "gateway", str(file), "--listen", "127.0.0.1:0"]
    path = os.pathsep.join([str(broken), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 70, done.stderr
    assert "nobody foresaw this" in done.stderr
    assert not done.stdout
