import os
import pickle
import time
import traceback

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from evidence_world import fixed_key

from aloi.errors import AskerError, EvidenceError, UnknownName
from aloi.evidence.keys import ALGORITHMS, PrivateKey, PublicKey, load, save


@pytest.fixture(scope="module", params=ALGORITHMS)
def key(request):
    return PrivateKey.generate(request.param)


def test_sign_and_verify(key):
    signature = key.sign(b"statement")
    key.public.verify(signature, b"statement")
    for wrong, data in ((signature, b"statemenT"), (b"", b"statement"), (signature[:-1], b"statement")):
        with pytest.raises(EvidenceError) as caught:
            key.public.verify(wrong, data)
        assert caught.value.reason == "bad-signature"


def test_a_public_key_has_one_encoding_and_one_name(key):
    again = PublicKey.from_pem(key.public.pem())
    assert again == key.public
    assert hash(again) == hash(key.public)
    assert again.id.startswith(f"{key.algorithm}:")
    assert len(again.id) == len(key.algorithm) + 65


def test_the_encoding_is_the_one_of_cryptography(key):
    theirs = key._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert key.public.pem() == theirs


@pytest.mark.parametrize("passphrase", [None, "mot de passe à rallonge".encode()])
def test_files_come_back(tmp_path, key, passphrase):
    path = tmp_path / "signer.key"
    save(key, path, passphrase)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (b"ENCRYPTED" in path.read_bytes()) == bool(passphrase)
    loaded = load(path, passphrase)
    assert loaded.public == key.public
    key.public.verify(loaded.sign(b"x"), b"x")


def test_the_mode_does_not_depend_on_the_umask(tmp_path):
    before = os.umask(0)
    try:
        save(fixed_key(), tmp_path / "k")
    finally:
        os.umask(before)
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620, 0o601])
def test_a_key_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "k"
    save(fixed_key(), path)
    path.chmod(mode)
    with pytest.raises(AskerError, match=f"mode {mode:04o}") as caught:
        load(path)
    assert "chmod 600" in caught.value.remedy


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "k"
    save(fixed_key(1), path)
    with pytest.raises(AskerError, match="never overwritten"):
        save(fixed_key(2), path)
    assert load(path).public == fixed_key(1).public


def test_a_link_is_not_followed_when_saving(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AskerError):
        save(fixed_key(), tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(AskerError, match="cannot be written"):
        save(fixed_key(), tmp_path / "missing" / "k")
    with pytest.raises(AskerError, match="cannot be read"):
        load(tmp_path / "missing")
    with pytest.raises(AskerError, match="cannot be read"):
        load(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(AskerError):
        load(tmp_path / "pipe")


def private_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


# An X448 key that is too short, found by fuzzing: the library itself fails on it.
SHORT_X448 = b"MC4CAQAwBQYDK2VvBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"
WRONG = {
    "empty": (b"", None, "cannot be opened"),
    "a key that OpenSSL does not foresee": (
        b"-----BEGIN PRIVATE KEY-----\n%b\n-----END PRIVATE KEY-----\n" % SHORT_X448,
        None,
        "cannot be opened",
    ),
    "public key": (fixed_key().public.pem(), None, "cannot be opened"),
    "cut short": (fixed_key().pem()[:60], None, "cannot be opened"),
    "no passphrase": (fixed_key().pem(b"secret"), None, "is encrypted"),
    "wrong passphrase": (fixed_key().pem(b"secret"), b"guess", "passphrase is wrong"),
    "needless passphrase": (fixed_key().pem(), b"secret", "not encrypted"),
    "RSA": (private_pem(rsa.generate_private_key(65537, 2048)), None, "cannot be used here"),
}


@pytest.mark.parametrize(("data", "passphrase", "sentence"), WRONG.values(), ids=WRONG)
def test_wrong_private_keys(data, passphrase, sentence):
    with pytest.raises(AskerError, match=sentence):
        PrivateKey.from_pem(data, passphrase)


def test_another_curve_is_refused():
    with pytest.raises(EvidenceError) as caught:
        PrivateKey.from_pem(private_pem(ec.generate_private_key(ec.SECP384R1())))
    assert caught.value.reason == "unknown-algorithm"


def test_an_unknown_algorithm_names_the_known():
    with pytest.raises(UnknownName, match="ed25519x") as caught:
        PrivateKey.generate("ed25519x")
    assert "ed25519" in caught.value.facts["nearest"]


PEM = fixed_key().public.pem()
NOT_ONE_PUBLIC_KEY = {
    "empty": b"",
    "private": fixed_key().pem(),
    "two": PEM + fixed_key(1).public.pem(),
    "certificate": PEM.replace(b"PUBLIC KEY", b"CERTIFICATE"),
    "damaged": PEM.replace(b"MCow", b"MCo"),
}


@pytest.mark.parametrize("data", NOT_ONE_PUBLIC_KEY.values(), ids=NOT_ONE_PUBLIC_KEY)
def test_wrong_public_key_files(data):
    with pytest.raises(AskerError):
        PublicKey.from_pem(data)


@pytest.mark.parametrize("unit", [b" ", b"\n", b"A ", b"-----BEGIN PUBLIC KEY-----\n", b"-----BEGIN "])
def test_a_long_file_that_is_none_is_refused_at_once(unit):
    data = b"-----BEGIN PUBLIC KEY-----\n" + unit * (50_000 // len(unit))
    start = time.thread_time()
    with pytest.raises(AskerError):
        PublicKey.from_pem(data)
    assert time.thread_time() - start < 0.5


def test_windows_line_ends_and_a_comment_are_read():
    assert PublicKey.from_pem(b"# our key\r\n" + PEM.replace(b"\n", b"\r\n")) == fixed_key().public


def p256_der(x, y):
    return bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + x + y


@pytest.mark.parametrize(
    ("der", "reason"),
    [
        (b"", "unknown-algorithm"),
        (fixed_key().public.der + b"\0", "unknown-algorithm"),
        (fixed_key().public.der[:-1], "unknown-algorithm"),
        (p256_der(b"\1" * 32, b"\1" * 32), "invalid-key"),
        (p256_der(b"\1" * 32, b"\1" * 32).replace(b"\x03\x42\x00\x04", b"\x03\x42\x00\x02"), "invalid-key"),
        (p256_der(b"\1" * 32, b"\1" * 32).replace(b"\x03\x42\x00\x04", b"\x03\x42\x00\x06"), "invalid-key"),
    ],
    ids=["empty", "longer", "shorter", "off the curve", "compressed", "hybrid"],
)
def test_wrong_public_key_bytes(der, reason):
    with pytest.raises(EvidenceError) as caught:
        PublicKey(der)
    assert caught.value.reason == reason


def test_the_secret_is_never_shown():
    seed = bytes(range(32))
    key = PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(seed))
    assert repr(key) == f"PrivateKey({key.public.id})"
    assert repr(key.public) == f"PublicKey({key.public.id})"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    secret = key.pem().decode().splitlines()[1]
    for passphrase in (b"hunter2", None):
        try:
            PrivateKey.from_pem(key.pem(b"other") if passphrase else key.pem()[:-40], passphrase)
        except AskerError as error:
            said = "".join(traceback.format_exception(error))
            assert secret not in said
            assert "hunter2" not in said
        else:
            pytest.fail("a damaged or locked key was opened")
