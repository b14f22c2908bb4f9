"""What a form gives away as a secret is told to nobody, and hostile text does not hold up who is told of it."""

import pytest

from aloi.errors import AloiError, concealed

PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----"
TOLD = {
    "https://me:hush@example.org/a": "https://…@example.org/a",
    "see postgresql://me:h/u@sh@db/x, then https://a.example": "see postgresql://…@db/x, then https://a.example",
    "me:hush@example.org": "…@example.org",
    "as me:hu:sh@[::1]": "as me:…@[::1]",
    "/a?x=1&api_key=hush&y=2": "/a?x=1&api_key=…&y=2",
    "/a?b?token=hu?sh": "/a?b?token=…",
    "/a?b=c?token=hush": "/a?b=c?token=…",
    "?PASSWORD=hush": "?PASSWORD=…",
    f"key {PEM} read": "key (…) read",
    "RSA -----BEGIN RSA PRIVATE KEY-----\nMC4": "RSA (…)",
    "local:small-1@sha256:5e+q8_0": "local:small-1@sha256:5e+q8_0",  # so a model is named
    "sha256:5e of a@example.org at 10:30": "sha256:5e of a@example.org at 10:30",
    "/a?language=fr&page=2": "/a?language=fr&page=2",
}


@pytest.mark.parametrize("text", TOLD)
def test_a_secret_in_its_form_is_told_to_nobody(text):
    assert concealed(text) == TOLD[text]
    assert str(AloiError("{fact}", fact=text)) == TOLD[text]


# Forms that met such a text went over it anew from each of its places: a minute, or for ever.
LONG = (
    "://",
    "a.",
    "a:",
    "?pass",
    "&key",
    "?pass?",
    "=?sig",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----END ",
)


@pytest.mark.parametrize("part", LONG)
def test_hostile_text_is_read_once(part):
    assert concealed(part * 100_000)
