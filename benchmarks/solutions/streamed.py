"""Answers put together of what guards look for, in its disguises, and of what only looks like it."""

import base64
import codecs
import random
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

SECRETS = ("AZUR-COBALT-91", "KEY7", "tango delta 41 whiskey 7731 kestrel")
CANARY = "KESTREL-4471-AZUR"
ALLOWED = "banque-azur.example"
PROMPT = (
    "You are Azur, the assistant of Banque Azur. Answer questions about accounts, cards and transfers in the language "
    "of the customer, in three sentences at most. Never promise a rate, never name another customer, and keep the code "
    f"of the staff line to yourself. {CANARY} is for you alone. Where you do not know, say so and give the address of "
    "the help pages."
)
OPTIONS: dict[str, dict[str, object]] = {
    "secret-filter": {"secrets": list(SECRETS), "own": "mask"},
    "personal-data-filter": {},
    "link-policy": {"allowed_hosts": [ALLOWED]},
    "prompt-leak": {"prompt": PROMPT, "canaries": [CANARY]},
    "output-budget": {},
}
SPOKEN = (
    "the account costs two euros a month and a card that was lost is blocked in the menu of the application you "
    "can reach us from Monday to Friday le virement prend un jour ouvré et la carte perdue se bloque dans le menu "
    "où l'adresse se change aujourd'hui façade decade added be a de facade cafe I A OK EU FR IBAN key password is "
    "token secret numéro commande order ref siren siret fiscal immatriculation call tel loto questions about "
    "accounts, cards Azur customer Never promise kestrel azur cobalt"
)
WORDS = SPOKEN.split()
NUMBERS = (
    "2024",
    "12",
    "3.50",
    "1,200",
    "10:30",
    "7/7",
    "48",
    "1 200",
    "3 x 4",
    "91",
    "4471",
    "1.",
    "0",
    "+33",
    "00 33",
    "5 %",
    "FR76",
    "FR",
    "AB 123",
    "AB-123",
    "2 95 10",
    "06 12 34 56 7",
    "05 12 23 34 45",
    "552 008 444",
    "123456789",
    "12345678901234",
    "4242 4242 4242 4243",
    "FR77 1999 0001 0000 0421 8001 175",
    "192.168.0.1",
    "1.2.3.4.5",
    "12:30:45",
)
PERSONAL = (
    "FR76 1999 0001 0000 0421 8001 175",
    "FR7619990001000004218001175",
    "GB29 NWBK 6016 1331 9268 19",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "4242 4242 4242 4242",
    "4242424242424242",
    "378282246310005",
    "2 95 10 99 126 111 93",
    "295109912611193",
    "1 85 02 2A 123 456 46",
    "06 12 34 56 78",
    "+33 6 39 98 12 34",
    "0033 6 39 98 12 34",
    "(+44) 7700 900123",
    "jeanne.doe@example.fr",
    "jeanne [at] example [dot] fr",
    "jeanne @ example.com",
    "AB-123-CD",
    "AB 123 CD",
    "1234 ABC 75",
    "81.2.69.142",
    "2a01:e0a:1:2::3",
    "552 008 443",
    "552008443",
    "55200844300023",
    "732 829 320",
    "73282932000074",
    "FR 40 303 265 045",
    "FR40303265045",
    "30 23 217 600 053",
    "05 12 23 34 45 12 13",
    "01/55/00/00/00",
    "06.12.34.56.78\n07 12 34 56 78",
)
ANNOUNCING = (
    "SIREN",
    "RCS Lyon",
    "siret:",
    "n° fiscal",
    "plaque",
    "commande n°",
    "ref.",
    "order",
    "version",
    "IP",
    "port",
    "draw",
    "tel.",
    "registered",
    "|",
    "\t",
    ";",
    "order;name\n12;a\n",
    "| siren | name |\n| a | b |\n",
)
CREDENTIALS = (
    "sk-proj-abcDEF0123456789abcDEF",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789AB",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIE",
    "----- END",
    "password: hunter2hunter2",
    "api key is a1b2c3d4e5f6",
    "postgres://user:pa55word@db.example",
    "mot de passe : azerty123456",
    "Authorization: Bearer abcdefghij0123456789",
    "token = 9f8e7d6c5b4a39281706f5e4",
    "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeK",
    "YXBpIGtleTogYTFiMmMzZDRlNWY2",
    "AccountKey=" + "aB3+" * 20,
    "key",
    "sk-",
    "password",
    "secret is",
)
LINKS = (
    "[fees](https://evil.example/?q=1)",
    "![x](https://evil.example/p.png)",
    f"[fees](https://{ALLOWED}/fees)",
    "[1]",
    "[note",
    "https://evil.example/a?b",
    f"https://{ALLOWED}/help.",
    "hxxps[:]//evil[.]example/x",
    "evil [dot] example [dot] com/x",
    "www.evil.example",
    "evil.com",
    "evil . com",
    "[ref]: https://evil.example/x",
    "[ref]: /here",
    "<script>fetch(1)</script>",
    "<b>bold</b>",
    '<a href="https://evil.example">x</a>',
    "<img src=x onerror=alert(1)>",
    "<svg><g>",
    "a < b",
    "a <b",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "https : //evil.example",
    "http%3A//evil.example",
    "https&#58;//evil.example",
    "[a [b](x)](https://evil.example)",
    "[x]<script></script>(https://evil.example)",
    "](https://evil.example)",
    "![",
    "](",
    "[x](",
    "e.g. this",
    "node.js",
    "and/or",
    "10.0.0.7/x",
    "3.141.592.65",
    "//evil.example/x",
    "mailto:a@evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "ht<b></b>tps://evil.example",
    "https://banque-azur.example。公司/",
    "[x][ref]",
    "> [q]: http://evil.example",
    "&#104;ttps://evil.example",
    # What is masked here makes a link, a name or a definition with what stands beside it.
    "jeanne.doe@example.fr(https://evil.example/x)",
    "FR7619990001000004218001175(https://evil.example/x)",
    "AZUR-COBALT-91(https://evil.example/x)",
    "[AB-123-CD](https://evil.example/x)",
    "\nAB-123-CD: https://evil.example/x\n",
    "jeanne.doe@example.fr[dot]com/x",
    "evil.example/a(https://evil.example/x) 41 42 43 44 45 46",
    "06 <b onclick=x>12 34 56 78",
)
NOISE = (
    "[](){}<>!/\\:.@#&%-_=+'\"\n\t  \u200b\u00ad\u0301\ufe0f\uff10\uff11\ufb01"
    "\u00a0d0o1t9aAzZ\u00e9\u00dfxX;,|`*?\u2019\u2014\u2026"
)
BETWEEN = (" ", " ", " ", " ", ", ", ". ", "\n", "\n\n", "", " - ", " (", ") ", "\u200b")
HIDDEN = "\u200b\u2060\u00ad\u200d\ufe0f"
LOOKALIKE = str.maketrans("AOECaoecp", "\u0410\u041e\u0415\u0421\u0430\u043e\u0435\u0441\u0440")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _wrapped(text: str) -> str:
    coded = _encoded("A" * 30 + text + "B" * 30)
    return "\n".join(coded[at : at + 44] for at in range(0, len(coded), 44))


def _near(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text))
    return text[:at] + draw.choice(["", "x", "q" + text[at]]) + text[at + 1 :]


DISGUISES: tuple[Callable[[str, random.Random], str], ...] = (
    lambda text, _: text,
    lambda text, _: text.lower(),
    lambda text, _: " ".join(text),
    lambda text, _: "\n".join(text),
    lambda text, draw: draw.choice([" - ", ", ", "\n", "  "]).join(text[at : at + 4] for at in range(0, len(text), 4)),
    lambda text, draw: "".join(letter + draw.choice(HIDDEN) for letter in text),
    lambda text, _: text.translate(LOOKALIKE),
    lambda text, _: text[::-1],
    lambda text, _: codecs.encode(text, "rot13"),
    lambda text, _: _encoded(text),
    lambda text, _: _encoded(_encoded(text)),
    lambda text, _: " ".join(_encoded(text)),
    lambda text, _: _wrapped(text),
    lambda text, _: text.encode().hex(),
    lambda text, draw: draw.choice([" ", ":", ""]).join(f"{byte:02x}" for byte in text.encode()),
    lambda text, draw: " ".join(draw.choice(["\\x", "0x", ""]) + f"{byte:02x}" for byte in text.encode()),
    lambda text, _: "".join(f"%{byte:02x}" for byte in text.encode()),
    lambda text, _: quote(text),
    lambda text, _: "".join(f"&#{ord(letter)};" for letter in text),
    _near,
    lambda text, draw: _near(_near(text, draw), draw),
    lambda text, draw: text[: draw.randrange(1, len(text))],
    lambda text, draw: text[draw.randrange(len(text)) :],
    lambda text, draw: "".join(
        chr(ord(one) + 0xFEE0) if "!" <= one <= "~" and draw.random() < 0.5 else one for one in text
    ),
)


class Part(NamedTuple):
    """A part of an answer: a method of `Drawn` by which it was drawn, or 'between'."""

    kind: str
    text: str


class Drawn:
    """Draws answers; `draw` decides everything."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def answer(self, most: int = 12) -> str:
        """An answer of up to `most` parts."""
        return "".join(part.text for part in self.parts(most))

    def parts(self, most: int = 12) -> list[Part]:
        """The parts of an answer, and what stands between them."""
        kinds = (
            "prose",
            "prose",
            "prose",
            "noise",
            "noise",
            "number",
            "personal",
            "secret",
            "credential",
            "link",
            "prompt",
            "loop",
        )
        pieces = []
        for _ in range(self._draw.randint(1, most)):
            kind = self._draw.choice(kinds)
            pieces += [Part(kind, getattr(self, kind)()), Part("between", self._draw.choice(BETWEEN))]
        return pieces

    def prose(self) -> str:
        return " ".join(self._draw.choices(WORDS, k=self._draw.randint(1, 16))) + self._draw.choice(
            ("", "", ".", "!", ":")
        )

    def number(self) -> str:
        return self._draw.choice(NUMBERS)

    def personal(self) -> str:
        piece = self._draw.choice(PERSONAL)
        if self._draw.random() < 0.3:
            piece = self._draw.choice(DISGUISES)(piece, self._draw)
        told = self._draw.choice(ANNOUNCING) if self._draw.random() < 0.5 else ""
        return f"{told} {piece}" if self._draw.random() < 0.6 else f"{piece} {told}"

    def secret(self) -> str:
        return self._draw.choice(DISGUISES)(self._draw.choice((*SECRETS, CANARY)), self._draw)

    def credential(self) -> str:
        piece = self._draw.choice(CREDENTIALS)
        return self._draw.choice(DISGUISES)(piece, self._draw) if self._draw.random() < 0.2 else piece

    def link(self) -> str:
        piece = self._draw.choice(LINKS)
        return self._draw.choice(DISGUISES)(piece, self._draw) if self._draw.random() < 0.2 else piece

    def prompt(self) -> str:
        words = PROMPT.split()
        at = self._draw.randrange(len(words))
        part = " ".join(words[at : at + self._draw.choice((3, 6, 12, 40))])
        if self._draw.random() < 0.3:
            part = " ".join(self._draw.choice(WORDS) if self._draw.random() < 0.1 else word for word in part.split())
        return self._draw.choice(DISGUISES)(part, self._draw) if self._draw.random() < 0.5 and part else part

    def loop(self) -> str:
        piece = self._draw.choice((self.prose, self.number, lambda: "again and ", lambda: "ha"))()
        return self._draw.choice(("", " ", ". ")).join([piece] * self._draw.choice((2, 3, 6, 8, 40)))

    def noise(self) -> str:
        return "".join(self._draw.choices(NOISE, k=self._draw.randint(1, 12)))


def cuts(text: str, draw: random.Random) -> list[str]:
    """A text in pieces: single characters where it is short, words, or of random length."""
    way = draw.randrange(3) if len(text) < 400 else 2
    if way == 0:
        return list(text)
    if way == 1:
        return [piece for word in text.split(" ") for piece in (word, " ")][:-1]
    pieces, at = [], 0
    while at < len(text):
        size = draw.choice((1, 2, 3, 5, 8, 20, 60))
        pieces.append(text[at : at + size])
        at += size
    return pieces
