import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_world import ARCHE, LOG, LOG_KEY, ORIGIN, OTHER_LOG, VECTORS, checkpoint, refused, signed

from aloi.evidence import notes
from aloi.evidence.checkpoints import LARGEST, Checkpoint, parse, sign, text, verify
from aloi.evidence.encoding import to_base64
from aloi.evidence.merkle import EMPTY
from aloi.evidence.notes import ED25519, NoteKey

ROOT = to_base64(bytes(range(32)))
# Public vectors: Go's checksum database, whose key has another name than its origin, and a log of certificates.
SUMDB = NoteKey.parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
SUMDB_NOTE = (
    "go.sum database tree\n63096908\n8lHrQPRYe4KT4WQ9/Qk8/taKnD6IRHbFgfN7vQE2Y54=\n\n— sum.golang.org "
    "Az3gri/oVBN1jAhNZ/iS+W31psFAWRT20/GyrhpU6taFwulQGetBkH5S7wpGXdS935jiIGiUUAXBVHzT/P6fYhqAmAk=\n"
)
lines = st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=30)


def test_published_checkpoints_verify():
    note = notes.read(SUMDB_NOTE.encode())
    assert verify(note, [SUMDB], origin="go.sum database tree").size == 63_096_908
    refused("wrong-origin", verify, note, [SUMDB])
    log = verify(notes.read((VECTORS / "arche2025h1.checkpoint").read_bytes()), [ARCHE])
    assert (log.origin, log.size) == ("arche2025h1.staging.ct.transparency.dev", 1_432_088_532)


@given(lines, st.integers(1, LARGEST), st.binary(min_size=32, max_size=32), st.lists(lines, max_size=3))
def test_checkpoints_come_back(origin, size, root, extensions):
    head = Checkpoint(origin, size, root, tuple(extensions))
    assert parse(text(head)) == head
    note = sign(head, "a-key", LOG)
    assert verify(notes.read(notes.write(note)), [NoteKey("a-key", ED25519, LOG.public)], origin=origin) == head


def test_an_empty_log_has_the_empty_root():
    head = Checkpoint(ORIGIN, 0, EMPTY)
    assert verify(sign(head, ORIGIN, LOG), [LOG_KEY]) == head
    refused("empty-tree", sign, Checkpoint(ORIGIN, 0, bytes(32)), ORIGIN, LOG)


MALFORMED = {
    "a line missing": (f"o\n{ROOT}\n", "checkpoint-form"),
    "no line feed at the end": (f"o\n1\n{ROOT}", "checkpoint-form"),
    "an empty origin": (f"\n1\n{ROOT}\n", "checkpoint-form"),
    "nothing": ("\n", "checkpoint-form"),
    "an empty size": (f"o\n\n{ROOT}\n", "checkpoint-size"),
    "a leading zero": (f"o\n01\n{ROOT}\n", "checkpoint-size"),
    "two zeros": (f"o\n00\n{to_base64(EMPTY)}\n", "checkpoint-size"),
    "a sign": (f"o\n+1\n{ROOT}\n", "checkpoint-size"),
    "below zero": (f"o\n-1\n{ROOT}\n", "checkpoint-size"),
    "a space": (f"o\n1 \n{ROOT}\n", "checkpoint-size"),
    "an underscore": (f"o\n1_0\n{ROOT}\n", "checkpoint-size"),
    "Arabic digits": (f"o\n\u0661\n{ROOT}\n", "checkpoint-size"),
    "hexadecimal": (f"o\n0x1\n{ROOT}\n", "checkpoint-size"),
    "a size of 64 bits": (f"o\n{2**63}\n{ROOT}\n", "checkpoint-size"),
    "a size without end": (f"o\n{'9' * 5_000}\n{ROOT}\n", "checkpoint-size"),
    "a truncated root": (f"o\n1\n{to_base64(bytes(31))}\n", "checkpoint-root"),
    "a longer root": (f"o\n1\n{to_base64(bytes(33))}\n", "checkpoint-root"),
    "an empty root": ("o\n1\n\n", "checkpoint-root"),
    "a root without padding": (f"o\n1\n{ROOT[:-1]}\n", "bad-base64"),
    "a root with trailing bits": (f"o\n1\n{ROOT[:-2]}9=\n", "bad-base64"),
    "an empty extension line": (f"o\n1\n{ROOT}\n\n", "extension-line"),
    "an empty line among extensions": (f"o\n1\n{ROOT}\na\n\nb\n", "extension-line"),
    "size 0 with another root": (f"o\n0\n{ROOT}\n", "empty-tree"),
}


@pytest.mark.parametrize(("body", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_checkpoints_are_refused(body, reason):
    refused(reason, parse, body)


def test_a_log_signs_no_malformed_checkpoint():
    refused("checkpoint-form", sign, Checkpoint("", 1, bytes(32)), ORIGIN, LOG)
    refused("checkpoint-size", sign, Checkpoint("o", -1, bytes(32)), ORIGIN, LOG)
    refused("extension-line", sign, Checkpoint("o", 1, bytes(32), ("",)), ORIGIN, LOG)
    smuggled = Checkpoint(f"o\n9\n{ROOT}", 1, bytes(32))
    refused("checkpoint-form", sign, smuggled, ORIGIN, LOG)
    refused("checkpoint-form", sign, Checkpoint("o", 1, bytes(32), ("a\nb",)), ORIGIN, LOG)
    refused("control-character", sign, Checkpoint("o\r", 1, bytes(32)), ORIGIN, LOG)


def test_only_the_log_signs_for_its_origin():
    other = NoteKey("log.example/two", ED25519, OTHER_LOG.public)
    assert verify(signed(), [LOG_KEY]) == checkpoint()
    refused("no-known-signature", verify, signed(), [other])
    refused("no-known-signature", verify, signed(name="log.example/on"), [LOG_KEY])
    refused("no-known-signature", verify, signed(key=OTHER_LOG), [LOG_KEY])
    # a log that is trusted for itself says something in the name of another one
    usurped = signed(name="log.example/two", key=OTHER_LOG)
    refused("wrong-origin", verify, usurped, [LOG_KEY, other])
    assert verify(usurped, [other], origin=ORIGIN) == checkpoint()


def test_every_line_of_the_text_is_signed():
    note = signed(head=checkpoint(extensions=("an extension",)))
    for old, new in ((ORIGIN, "log.example/0ne"), ("\n7\n", "\n6\n"), ("an ext", "no ext"), ("an extension\n", "")):
        changed = note._replace(text=note.text.replace(old, new, 1))
        assert changed != note
        refused("bad-signature", verify, changed, [LOG_KEY])
