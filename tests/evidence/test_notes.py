import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from evidence_world import fixed_key
from hypothesis import given
from hypothesis import strategies as st
from log_world import refused

from aloi.errors import EvidenceError
from aloi.evidence.encoding import from_base64, to_base64
from aloi.evidence.keys import PrivateKey
from aloi.evidence.notes import (
    COSIGNATURE,
    ED25519,
    LIMIT,
    ML_DSA_COSIGNATURE,
    Note,
    NoteKey,
    Signature,
    add,
    read,
    sign,
    verify,
    write,
)
from aloi.evidence.publickeys import PublicKey

# Public vectors. The example of C2SP signed-note, "Verifier keys":
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# golang.org/x/mod/sumdb/note, note_test.go: two keys, the seed of the first, and their signatures of one text.
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
# Further published keys: the checksum database of Go; a key whose base64 holds a plus, and a witness's
# (transparency-dev/formats, note_cosigv1_test.go).
KEYS = {
    SPEC_KEY: ED25519,
    PETER_KEY: ED25519,
    ENOCH_KEY: ED25519,
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8": ED25519,
    "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6": ED25519,
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2": COSIGNATURE,
}

KEY = fixed_key(3)
NAMED = NoteKey("log.example", ED25519, KEY.public)
TEXT = "a text\n"
NOTE = write(sign(TEXT, "log.example", KEY)).decode()
LINE = NOTE.removeprefix(TEXT + "\n")

names = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Z"), blacklist_characters="+"), min_size=1, max_size=20
)
texts = st.text(st.characters(blacklist_categories=("Cc", "Cs")) | st.just("\n"), max_size=80).map(
    lambda text: text + "\n"
)


def key(text):
    return NoteKey.parse(text)


@pytest.mark.parametrize(("text", "kind"), KEYS.items())
def test_published_keys_come_back(text, kind):
    assert str(key(text)) == text
    assert key(text).kind == kind


def test_published_notes_verify():
    assert verify(read(SPEC_NOTE.encode()), [key(SPEC_KEY)]) == (key(SPEC_KEY),)
    both = read((GO_TEXT + "\n" + PETER + ENOCH).encode())
    assert verify(both, [key(PETER_KEY)]) == (key(PETER_KEY),)
    assert verify(both, [key(ENOCH_KEY), key(PETER_KEY)]) == (key(PETER_KEY), key(ENOCH_KEY))
    assert write(both).decode() == GO_TEXT + "\n" + PETER + ENOCH


def test_signing_gives_the_published_bytes():
    seed = from_base64(PETER_SEED, "seed")[1:]
    peter = PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(seed))
    assert write(sign(GO_TEXT, "PeterNeumann", peter)).decode() == GO_TEXT + "\n" + PETER


@given(texts, names)
def test_what_is_signed_comes_back_and_verifies(text, name):
    note = sign(text, name, KEY)
    assert read(write(note)) == note
    assert note.text == text
    named = NoteKey(name, ED25519, KEY.public)
    assert NoteKey.parse(str(named)) == named
    assert verify(note, [named]) == (named,)
    refused("bad-signature", verify, note._replace(text="x" + text), [named])


@given(st.binary(max_size=120) | st.text(max_size=120).map(str.encode) | texts.map(lambda text: (text + LINE).encode()))
def test_whatever_is_read_is_written_the_same(data):
    try:
        note = read(data)
    except EvidenceError:
        return
    assert write(note) == data


def test_a_text_may_hold_empty_lines():
    note = sign("\none\n\n\n", "log.example", KEY)
    assert read(write(note)).text == "\none\n\n\n"


MALFORMED = {
    "only a text": (TEXT, "note-form"),
    "no line after the empty one": (TEXT + "\n", "note-form"),
    "last line cut short": (NOTE[:-1], "note-form"),
    "empty": ("", "note-form"),
    "carriage returns": (NOTE.replace("\n", "\r\n"), "control-character"),
    "a tab": (NOTE.replace("a text", "a\ttext"), "control-character"),
    "a null": ("\0" + NOTE, "control-character"),
    "a hyphen for the dash": (NOTE.replace("—", "-"), "signature-line"),
    "an en dash": (NOTE.replace("—", "\u2013"), "signature-line"),
    "two spaces": (NOTE.replace("— ", "—  "), "signature-line"),
    "a space in the name": (NOTE.replace("log.example", "log example"), "signature-line"),
    "a space at the end": (NOTE[:-1] + " \n", "signature-line"),
    "a line of something else": (NOTE + "unexpected\n", "signature-line"),
    "a no-break space in the name": (NOTE.replace("log.example", "log\u00a0example"), "key-name"),
    "a plus in the name": (NOTE.replace("log.example", "log+example"), "key-name"),
    "no name": (NOTE.replace("log.example", ""), "key-name"),
    "no padding": (NOTE.replace("=", ""), "bad-base64"),
    "the alphabet of URLs": (TEXT + "\n— a AAAA_-8=\n", "bad-base64"),
    "trailing bits": (TEXT + "\n— a AAAAAB==\n", "bad-base64"),
    "an id and no signature": (TEXT + "\n— a AAAAAA==\n", "signature-line"),
    "a truncated id": (TEXT + "\n— a AAAA\n", "signature-line"),
    "too many lines": (TEXT + "\n" + LINE * 101, "too-many-signatures"),
    "too long": ("x" * (LIMIT - len(NOTE.encode()) + 1) + NOTE, "too-large"),
}


@pytest.mark.parametrize(("text", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_notes_are_refused(text, reason):
    refused(reason, read, text.encode())


def test_what_is_not_utf8_is_refused():
    refused("not-utf8", read, b"\xff" + NOTE.encode())


def test_the_limits_are_reached():
    long = "x" * (LIMIT - len(NOTE.encode())) + NOTE
    assert len(write(read(long.encode()))) == LIMIT
    strangers = "".join(f"— stranger.{number} AAAAAAA=\n" for number in range(99))
    assert verify(read((NOTE + strangers).encode()), [NAMED]) == (NAMED,)
    refused("too-many-signatures", add, read((NOTE + strangers).encode()), NoteKey("x", ED25519, KEY.public), b"s")


def test_lines_of_others_are_ignored_and_lines_of_known_keys_are_not():
    note = read((NOTE + "— stranger AAAAAAA=\n— stranger AAAAAAA=\n").encode())
    assert verify(note, [NAMED]) == (NAMED,)
    same_name = Signature("log.example", b"\0\0\0\0", b"?")
    same_id = Signature("another", NAMED.id, b"?")
    assert verify(Note(TEXT, (same_name, same_id, *note.signatures)), [NAMED]) == (NAMED,)
    other = fixed_key(4)
    bad = add(note, NoteKey("other", ED25519, other.public), bytes(64))
    assert verify(bad, [NAMED]) == (NAMED,)
    refused("bad-signature", verify, bad, [NAMED, NoteKey("other", ED25519, other.public)])


def test_wrong_signatures_are_refused():
    note = read(NOTE.encode())
    (line,) = note.signatures
    refused("no-known-signature", verify, note, [])
    refused("no-known-signature", verify, note, [NoteKey("log.example", ED25519, fixed_key(4).public)])
    refused("no-known-signature", verify, note, [NoteKey("log.example2", ED25519, KEY.public)])
    refused("repeated-signer", verify, Note(TEXT, (line, line)), [NAMED])
    refused("repeated-signer", add, note, NAMED, line.data)
    for data in (line.data[:-1], line.data + b"\0", bytes(64), b"?"):
        refused("bad-signature", verify, Note(TEXT, (line._replace(data=data),)), [NAMED])
    refused("bad-signature", verify, Note("b text\n", (line,)), [NAMED])
    witness = NoteKey("log.example", COSIGNATURE, KEY.public)
    refused("key-kind", verify, Note(TEXT, (Signature("log.example", witness.id, line.data),)), [witness])


def test_two_keys_of_one_name_and_id_are_refused():
    """An id has 32 bits: a few ten thousand keys are enough for two alike."""
    seen = {}
    for number in range(1 << 20):
        raw = number.to_bytes(32, "big")
        named = hashlib.sha256(b"log\n\x01" + raw).digest()[:4]
        if named in seen:
            break
        seen[named] = raw
    one, other = (NoteKey("log", ED25519, PublicKey.from_raw("ed25519", each)) for each in (seen[named], raw))
    assert one.id == other.id
    refused("ambiguous-key", verify, read(NOTE.encode()), [NAMED, one, other])
    assert verify(read(NOTE.encode()), [NAMED, one, one]) == (NAMED,)


@pytest.mark.parametrize("text", ["", "a text", "a\n\ntext", f"a\n\n{LINE[:-1]}"])
def test_a_text_without_its_last_line_feed_is_not_signed(text):
    with pytest.raises(EvidenceError) as caught:
        sign(text, "log.example", KEY)
    assert caught.value.reason in ("note-form", "signature-line")


@pytest.mark.parametrize("algorithm", ["p256", "ml-dsa-44"])
def test_other_algorithms_do_not_sign_notes(algorithm):
    refused("key-kind", sign, TEXT, "log.example", PrivateKey.generate(algorithm))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "a\u2003b", "\u3000", "a\tb", "a\x1cb"])
def test_names_that_name_no_key(name):
    refused("key-name", sign, TEXT, name, KEY)


def test_mangled_keys_are_refused():
    for start in range(len(PETER_KEY) + 1):
        for end in range(start + 1, len(PETER_KEY) + 1):
            if (start, end) != (0, len(PETER_KEY)):
                with pytest.raises(EvidenceError):
                    key(PETER_KEY[start:end])
    for place in range(len(PETER_KEY)):
        with pytest.raises(EvidenceError):
            key(PETER_KEY[:place] + chr(ord(PETER_KEY[place]) + 1) + PETER_KEY[place + 1 :])


def vkey(kind, raw, name="a"):
    """A text form whose id is right for what it says."""
    data = bytes([kind]) + raw
    named = hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8]
    return f"{name}+{named}+{to_base64(data)}"


KEY_ATTACKS = {
    "no parts": ("PeterNeumann", "verifier-key"),
    "two parts": ("PeterNeumann+c74f20a3", "verifier-key"),
    "no key": ("PeterNeumann+c74f20a3+", "verifier-key"),
    "no name": (PETER_KEY.removeprefix("PeterNeumann"), "key-name"),
    "a space in the name": ("Peter " + PETER_KEY, "key-name"),
    "another name": ("X" + PETER_KEY, "key-id"),
    "another id": (PETER_KEY.replace("c74f20a3", "c74f20a4"), "key-id"),
    "a truncated id": (PETER_KEY.replace("c74f20a3", "c74f20"), "key-id"),
    "the id in capitals": (PETER_KEY.replace("c74f20a3", "C74F20A3"), "key-id"),
    "base64 without padding": (vkey(ED25519, bytes(31)).rstrip("="), "bad-base64"),
    "an unknown type": (vkey(0x65, bytes(32)), "key-kind"),
    "a type that is not read": (vkey(0x02, bytes(91)), "key-kind"),
    "a short key": (vkey(ED25519, bytes(31)), "key-size"),
    "a long key": (vkey(COSIGNATURE, bytes(33)), "key-size"),
    "Ed25519 called ML-DSA-44": (vkey(ML_DSA_COSIGNATURE, bytes(32)), "key-size"),
}


@pytest.mark.parametrize(("text", "reason"), KEY_ATTACKS.values(), ids=KEY_ATTACKS)
def test_keys_that_are_none(text, reason):
    refused(reason, key, text)


def test_hostile_text_stays_one_short_line():
    with pytest.raises(EvidenceError) as caught:
        read((NOTE + "\x7f\u202e" * 4_000 + "\n").encode())
    assert len(str(caught.value)) < 300
    assert "\u202e" not in str(caught.value)
