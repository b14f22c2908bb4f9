"""Secrets in no log: real processes, loud or with faults, and every byte that they say, answer or write."""

import base64
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from log_room import SYSTEM
from server_room import Served
from sqlalchemy import create_engine, text

from cli.command import aloi

HERE = Path(__file__).parent
PASSPHRASE, PASSWORD = "hush-passphrase-01", "hush-database-02"
MIRROR, BEARER, COOKIE = "hush-mirror-03", "hush-bearer-04", "hush-cookie-05"
VARIABLES = {
    "ALOI_KEY_PASSPHRASE": PASSPHRASE,
    "PGPASSWORD": PASSWORD,
    "ALOI_OPERATOR_TOKEN": "hush-operator-06",
    "OPENAI_API_KEY": "hush-upstream-07",
}
WORDS = (*VARIABLES.values(), MIRROR, BEARER, COOKIE)
HEADERS = {"Authorization": f"Bearer {BEARER}", "Cookie": f"session={COOKIE}"}
NAME = "registry.example.org/log"
LOOKED = f"/lookup/{SYSTEM.fingerprint}"
READ = ("/", "/checkpoint", "/entry/0", "/envelope/0", "/proof/0", LOOKED, "/health", "/metrics", "/openapi.json")
PAGES = ("/pages", "/pages/entry/0", f"/pages/subject?digest={SYSTEM.fingerprint}")


class World:
    """A folder, what was said in it, and the keys that were made in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.said: list[bytes] = []

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        paths = os.pathsep.join([str(HERE), *filter(None, sys.path)])
        own = {
            "HOME": str(self.home),
            "ALOI_HOME": str(self.home / "aloi"),
            "PYTHONPATH": paths,
            "PYTHONASYNCIODEBUG": "1",
        }
        return kept | own | VARIABLES | more

    def aloi(self, *words: object, code: int = 0, **more: str) -> str:
        """Run a command to its end; its standard output."""
        ended = subprocess.run(
            [sys.executable, HERE / "loud.py", *map(str, words)],
            cwd=self.home,
            env=self.environment(**more),
            capture_output=True,
            timeout=120,
            check=False,
        )
        self.said += [ended.stdout, ended.stderr]
        assert ended.returncode == code, ended
        return ended.stdout.decode()

    def quick(self, *words: object, code: int = 0, **more: str) -> str:
        """The same, as people start it: no louder than it is."""
        said = aloi(*words, home=self.home, **VARIABLES | more)
        self.said += [said.out.encode(), said.err.encode()]
        assert said.code == code, said
        return said.out

    def mistake(self, *words: object, **more: str) -> None:
        """A command that must be refused as the asker's mistake."""
        self.quick(*words, code=2, **more)

    @contextmanager
    def serving(self, *words: object, **more: str):
        """A server, until the block ends."""
        command = [sys.executable, HERE / "loud.py", "registry", *map(str, words)]
        with (self.home / "heard").open("wb") as heard:
            process = subprocess.Popen(
                command, cwd=self.home, env=self.environment(**more), stdout=subprocess.PIPE, stderr=heard
            )
            try:
                line = process.stdout.readline().decode()
                assert "http://" in line, (self.home / "heard").read_text()
                yield Served(line.rsplit(" ", 1)[-1].strip(), self.home, process)
            finally:
                process.terminate()
                out, _ = process.communicate(timeout=30)
        self.said += [line.encode(), out, (self.home / "heard").read_bytes()]

    def ask(self, served: Served, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> None:
        answer = served.ask(method, path, body, **HEADERS, **headers)
        self.said += [repr(answer.headers).encode(), answer.body]

    def told(self) -> bytes:
        """All that was said, and all that was written beside the key files."""
        files = (
            path for path in self.home.rglob("*") if path.is_file() and b"PRIVATE KEY" not in path.read_bytes()[:40]
        )
        return b"\n".join([*self.said, *(path.read_bytes() for path in files)])


def spellings(pem: Path) -> list[bytes]:
    """A private key as it could be repeated: the file, the secret inside it as bytes, in hex and in both base64s."""
    data = pem.read_bytes()
    opened = load_pem_private_key(data, PASSPHRASE.encode() if b"ENCRYPTED" in data else None)
    der = opened.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    raw = opened.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    coded = [code(one).rstrip(b"=")[:-1] for one in (raw, der) for code in (base64.b64encode, base64.urlsafe_b64encode)]
    return [raw, raw.hex().encode(), *coded, *(line for line in data.splitlines() if b"-----" not in line)]


def begin(world: World) -> None:
    """Keys, an organisation, a registry and two witnesses, each behind the passphrase."""
    world.quick("keys", "new", "author.pem")
    world.quick("keys", "new", "plain.pem", ALOI_KEY_PASSPHRASE="")
    relation = ("--relation", "everybody", "third_party", "black-box", "public funds")
    domain = ("--name", "Institute", "--kind", "public", "--domain", "institute.example.org")
    world.quick("state", "organisation", *domain, *relation, "--key", "author.pem", "--output", "org.dsse.json")
    log = json.loads(world.quick("registry", "init", "reg", "--name", NAME, "--json"))["key"]
    for algorithm in ("ed25519", "ml-dsa-44"):
        words = ("registry", "witness", "init", algorithm, "--name", f"{algorithm}.example/1", "--json")
        key = json.loads(world.quick(*words, "--algorithm", algorithm))["key"]
        file = world.home / algorithm / "witness.yaml"
        file.write_text(file.read_text().replace("logs: []", f"logs: ['{log}']").replace(":8421", ":0"))
        (world.home / algorithm / "key").write_text(key)
    file = world.home / "reg" / "registry.yaml"
    submitter = "submitters:\n  - {name: Institute, organisation: institute.example.org, keys: [../author.pub.pem]}\n"
    file.write_text(file.read_text().replace(":8420", ":0").replace("submitters: []\n", submitter))


def publish(world: World) -> None:
    """Everything that is done with a registry, beside its witnesses; and what people send by mistake."""
    file, keys = world.home / "reg" / "registry.yaml", [world.home / "plain.pem", world.home / "author.pem"]
    with (
        world.serving("witness", "serve", "ed25519/witness.yaml") as one,
        world.serving("witness", "serve", "ml-dsa-44/witness.yaml") as other,
    ):
        listed = "".join(
            f"  - {{key: '{(world.home / name / 'key').read_text()}', url: '{each.url}'}}\n"
            for name, each in (("ed25519", one), ("ml-dsa-44", other))
        )
        file.write_text(file.read_text().replace("witnesses: []\n", f"witnesses:\n{listed}"))
        with world.serving("serve", file) as registry:
            world.aloi("registry", "trust", registry.url, "trust.policy")
            told = ("--to", registry.url, "--policy", "trust.policy", "--trust", "author.pub.pem")
            world.aloi("share", "org.dsse.json", *told)
            found = ("--from", registry.url, "--policy", "trust.policy", "--output", "found")
            world.aloi("lookup", SYSTEM.fingerprint, *found, "--organisation", "institute.example.org")
            world.aloi("registry", "mirror", registry.url, "copy", "--policy", "trust.policy")
            for path in (*READ, *PAGES):
                world.ask(registry, path)
            for pem in keys:
                world.ask(registry, "/entries", "POST", pem.read_bytes(), Content_Type="application/json")
                world.ask(one, "/add-checkpoint", "POST", pem.read_bytes())
            for path in ("/", "/health"):
                world.ask(one, path)
    world.aloi("registry", "backup", file, "copy.db")
    world.aloi("registry", "check", file)
    world.aloi("registry", "erase", file, 0, "--reason", "asked")


def err(world: World) -> None:
    """Secrets where they do not belong: in addresses, in place of files, in configurations; and wrong passphrases."""
    address = f"http://keeper:{MIRROR}@127.0.0.1:9"
    at = ("--policy", "trust.policy")
    for given in (address, f"http://127.0.0.1:9/?token={MIRROR}", f"keeper:{MIRROR}@127.0.0.1", f"ftp://a:{MIRROR}@x"):
        world.mistake("registry", "mirror", given, "new", *at)
    world.mistake("registry", "trust", address, "new.policy")
    world.mistake("lookup", SYSTEM.fingerprint, "--from", address, *at)
    world.mistake("share", "org.dsse.json", "--to", address, *at, "--trust", "author.pub.pem")
    world.mistake("share", "org.dsse.json", "--to", address, *at, "--unknown", address)
    pem = (world.home / "plain.pem").read_text()
    world.mistake("keys", "show", pem)
    world.mistake("registry", "check", "reg/registry.yaml", ALOI_KEY_PASSPHRASE="another")
    world.mistake("registry", "check", "reg/registry.yaml", ALOI_KEY_PASSPHRASE="")
    file = world.home / "reg" / "registry.yaml"
    written, folded = file.read_text(), json.dumps(pem)
    wrong = {
        "key: log.pem": f"key: {folded}",
        "database: sqlite:///registry.db": f"database: 'postgresql+psycopg://u:{PASSWORD}@127.0.0.1:9/d'",
        "sqlite:///registry.db": f"postgresql+psycopg://u@127.0.0.1:9/d?password={PASSWORD}",
        "sqlite:///registry.db\n": f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:x/d\n",
        "witnesses:": f"witnesses:\n  - {{key: w, url: '{address}'}}",
        "limits:": f"limit: {folded}\nlimits:",
    }
    for old, new in wrong.items():
        assert old in written
        (file.parent / "wrong.yaml").write_text(written.replace(old, new, 1))
        world.mistake("registry", "check", "reg/wrong.yaml")
    (file.parent / "wrong.yaml").unlink()


def fall(world: World) -> None:
    """Faults that nobody foresaw, whose text repeats an address with credentials and a private key."""
    fault = f"asked http://keeper:{MIRROR}@127.0.0.1 with {(world.home / 'plain.pem').read_text()}"
    file = world.home / "reg" / "registry.yaml"
    with world.serving("witness", "serve", "ed25519/witness.yaml", FAULT=fault) as one:
        world.ask(one, "/add-checkpoint", "POST", b"old 0\n\nregistry.example.org/log\n0\n\n")
    with world.serving("serve", file, FAULT=fault) as registry:
        for path in (*READ, *PAGES):
            world.ask(registry, path)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """All of it."""
    made = World(tmp_path_factory.mktemp("secrets"))
    for step in (begin, publish, err, fall):
        step(made)
    return made


def test_the_processes_were_loud_and_the_faults_came(world):
    heard = b"\n".join(world.said)
    for loud in (b"DEBUG:asyncio:", b":uvicorn.asgi:", b"GET /metrics HTTP/1.1", b"RuntimeError: asked http://"):
        assert loud in heard
    assert b"Traceback" in heard


@pytest.mark.parametrize("word", WORDS)
def test_no_word_that_is_secret_is_said_or_written(world, word):
    assert word.encode() not in world.told()


def test_no_private_key_is_said_or_written(world):
    told = world.told()
    files = [path for path in world.home.rglob("*.pem") if not path.name.endswith(".pub.pem")]
    assert {path.name for path in files} == {"author.pem", "plain.pem", "log.pem", "witness.pem"}
    for path in files:
        for number, secret in enumerate(spellings(path)):
            assert secret not in told, (path.name, number)


def test_what_is_asked_of_a_database_is_in_no_log(world, cluster):
    """The keys by which a statement would be known again are not published; nor is the password said."""
    url = cluster.database("loud")
    file = world.home / "reg" / "registry.yaml"
    loud = file.with_name("loud.yaml")
    said = file.read_text().replace("sqlite:///registry.db", url).replace("tiles: tiles", "tiles: loud")
    loud.write_text(said.partition("witnesses:")[0])
    begun = len(world.said)
    with world.serving("serve", loud) as registry:
        told = (
            "--to",
            registry.url,
            "--policy",
            "trust.policy",
            "--trust",
            "author.pub.pem",
            "--proofs",
            "loud.proofs",
        )
        world.aloi("share", "org.dsse.json", *told)
    heard = b"\n".join(world.said[begun:])
    assert b"psycopg" in heard
    engine = create_engine(url)
    with engine.connect() as connection:
        kept = connection.scalars(text("SELECT key FROM submission_keys")).all()
    engine.dispose()
    assert kept
    assert not [key for key in kept if str(key).encode() in heard]
    assert PASSWORD.encode() not in heard
