"""`aloi registry witness` as its keeper starts it."""

import json
import signal
import urllib.error
import urllib.request

import pytest
from benchmarks.registry.logs import fixed_key
from click.testing import CliRunner
from witness_room import NAME, body, command, log_of

from aloi.cli.registry.witness import witness
from aloi.errors import AskerError, InvalidFile
from aloi.evidence import cosignatures, keys
from aloi.evidence.notes import NoteKey
from aloi.registry import misbehaviour
from aloi.registry.server.witnessfile import load_configuration
from aloi.registry.witnesswire import cosigned

LOG = log_of(20)


def ended(process, seconds=20):
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def begun(folder, *more):
    """What `aloi registry witness init` makes, in this process, and the key that it tells."""
    made = CliRunner().invoke(witness, ["init", str(folder / "w"), "--name", NAME, "--json", *more])
    assert made.exit_code == 0, made.exception
    return NoteKey.parse(json.loads(made.output)["key"])


def faults(folder):
    """Lines and sentences of what is wrong with the file."""
    with pytest.raises(InvalidFile) as caught:
        load_configuration(folder / "w" / "witness.yaml")
    return [(fault.line, str(fault)) for fault in caught.value.faults]


def configure(folder, **changes):
    file = folder / "w" / "witness.yaml"
    text = file.read_text().replace("logs: []", f"logs:\n  - {LOG.public}").replace("127.0.0.1:8421", "127.0.0.1:0")
    for old, new in changes.items():
        text = text.replace(old, new)
    file.write_text(text)
    return file


class Serving:
    def __init__(self, folder):
        self.process = command("serve", "w/witness.yaml", home=folder)
        self.url = self.process.stdout.readline().rpartition(" ")[2].strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def ask(self, data):
        try:
            with urllib.request.urlopen(f"{self.url}/add-checkpoint", data, timeout=10) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return ended(self.process)


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-44"])
def test_from_nothing_to_a_cosignature(tmp_path, algorithm):
    key = begun(tmp_path, "--algorithm", algorithm)
    configure(tmp_path)
    with Serving(tmp_path) as serving:
        status, answer = serving.ask(body(LOG, 0, 9))
        assert status == 200
        assert cosignatures.verify(cosigned(LOG.signed(9), answer, [key]), [key])
        assert serving.end() == (0, "", "")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_remembers_however_it_ended(tmp_path, how):
    begun(tmp_path)
    configure(tmp_path)
    with Serving(tmp_path) as serving:
        assert serving.ask(body(LOG, 0, 9))[0] == 200
        code, _, err = serving.end(how)
        assert (code, err) == (0 if how != signal.SIGKILL else -signal.SIGKILL, "")
    with Serving(tmp_path) as serving:
        for fork in (3, 3, 4):
            assert serving.ask(body(LOG.fork(fork), 0, 9)) == (409, b"9\n")
        assert serving.ask(body(LOG, 0, 5)) == (409, b"9\n")
        assert serving.ask(body(LOG, 9, 20))[0] == 200
        _, _, err = serving.end()
    assert err.splitlines() == ["log.example/one signed two histories: both heads are kept in w/state."]
    files = list((tmp_path / "w" / "state" / "evidence").iterdir())
    assert len(files) == 2
    assert all(misbehaviour.verify(file.read_bytes(), [LOG.public]).proven for file in files)


def test_two_of_them_do_not_share_a_memory(tmp_path):
    begun(tmp_path)
    configure(tmp_path)
    with Serving(tmp_path):
        code, out, err = ended(command("serve", "w/witness.yaml", home=tmp_path))
    assert (code, out) == (2, "")
    assert "another process works in" in err


def test_a_memory_that_is_gone_is_not_begun_anew(tmp_path):
    begun(tmp_path)
    configure(tmp_path)
    (tmp_path / "w" / "state" / "witness.lock").unlink()
    code, _, err = ended(command("serve", "w/witness.yaml", home=tmp_path))
    assert code == 2
    assert "never begin anew under an old key" in err


def test_a_witness_is_begun_once(tmp_path):
    code, out, err = ended(command("init", "w", "--name", NAME, home=tmp_path))
    assert code == 0, err
    assert f"{NAME}+" in out
    again = CliRunner().invoke(witness, ["init", str(tmp_path / "w"), "--name", NAME])
    assert isinstance(again.exception, AskerError)
    assert "is there already" in str(again.exception)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\tb"])
def test_what_names_no_key_names_no_witness(tmp_path, name):
    made = CliRunner().invoke(witness, ["init", str(tmp_path / "x"), "--name", name])
    assert isinstance(made.exception, AskerError)
    assert "cannot name a log or a witness" in str(made.exception)
    assert not (tmp_path / "x").exists()


def test_its_key_is_its_owner_s_alone(tmp_path):
    begun(tmp_path)
    (tmp_path / "w" / "witness.pem").chmod(0o644)
    ((line, sentence),) = faults(tmp_path)
    assert line == 6
    assert "can be read or changed by others" in sentence


def test_without_logs_it_says_so(tmp_path):
    begun(tmp_path)
    configure(tmp_path, **{f"logs:\n  - {LOG.public}": "logs: []"})
    with Serving(tmp_path) as serving:
        assert serving.ask(body(LOG, 0, 9))[0] == 404
        assert "It watches no log yet" in serving.end()[2]


def test_an_address_that_is_taken(tmp_path):
    begun(tmp_path)
    configure(tmp_path)
    with Serving(tmp_path) as serving:
        (tmp_path / "other").mkdir()
        for each in ("w/witness.yaml", "w/witness.pem"):
            (tmp_path / "other" / each[2:]).write_bytes((tmp_path / each).read_bytes())
            (tmp_path / "other" / each[2:]).chmod(0o600)
        file = tmp_path / "other" / "witness.yaml"
        file.write_text(file.read_text().replace("127.0.0.1:0", serving.url.removeprefix("http://")))
        (tmp_path / "other" / "state").mkdir()
        (tmp_path / "other" / "state" / "witness.lock").touch()
        code, _, err = ended(command("serve", file, home=tmp_path))
    assert code == 5
    assert "nothing can listen at 127.0.0.1" in err


def key_file(folder, name, number, algorithm="ed25519"):
    key = fixed_key(number) if algorithm == "ed25519" else keys.PrivateKey.generate(algorithm)
    keys.save(key, folder / "w" / name)


def test_every_fault_of_the_file_is_told_with_its_line(tmp_path):
    begun(tmp_path)
    key_file(tmp_path, "p256.pem", 0, "p256")
    witness_key = cosignatures.witness_key("x", fixed_key(5))
    (tmp_path / "w" / "witness.yaml").write_text(
        "\n".join(
            [
                "name: witness.example/1",
                "keys:",
                "  - witness.pem",
                "  - witness.pem",
                "  - absent.pem",
                "  - p256.pem",
                "listen: 127.0.0.1:99999",
                "logs:",
                f"  - {LOG.public}",
                f"  - {LOG.public}",
                f"  - {witness_key}",
                "  - garbage",
            ]
        )
    )
    found = faults(tmp_path)
    for line, sentence in {
        4: "stands above already",
        5: "cannot be read",
        6: "signature type",
        7: "there is no port 99999",
        10: "stands above already",
        11: "key of a witness, not of a log",
        12: "is not a verifier key",
    }.items():
        assert any(place == line and sentence in told for place, told in found), (line, found)
    code, _, err = ended(command("serve", "w/witness.yaml", home=tmp_path))
    assert code == 2
    assert all(f"witness.yaml:{line}: " in err for line, _ in found)


SHAPES = {
    "state: state": ("stat: state", "unknown key"),
    "keys: [witness.pem]": ("keys: []", "at least one entry"),
    "listen: 127.0.0.1:0": ("listen: here", "expected the form"),
    f'name: "{NAME}"': ("name: 7", "expected string"),
}


@pytest.mark.parametrize("old", SHAPES)
def test_another_shape_is_refused(tmp_path, old):
    begun(tmp_path)
    new, sentence = SHAPES[old]
    file = configure(tmp_path, **{old: new})
    assert new in file.read_text()
    assert any(sentence in told for _, told in faults(tmp_path))


def test_a_name_that_yaml_would_read_otherwise(tmp_path):
    name = 'x:"#[\\'
    assert CliRunner().invoke(witness, ["init", str(tmp_path / "w"), "--name", name]).exit_code == 0
    assert load_configuration(tmp_path / "w" / "witness.yaml").name == name
