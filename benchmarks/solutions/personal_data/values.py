"""Values with right check digits, near misses of them, and what looks like them. Check digits are worked out here from
the published rules, not by the library that the filters ask."""

import random
import string
from collections.abc import Callable

Groups = list[str]
DIGITS = string.digits
CONSONANTS = "ABCDEFGHJKLMNPQRSTVWXYZ"
BBANS = {
    "DE": "n18",
    "GB": "a4n14",
    "NL": "a4n10",
    "ES": "n20",
    "IT": "a1n10c12",
    "BE": "n12",
    "CH": "n17",
    "PT": "n21",
    "LU": "n3c13",
}


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(DIGITS, k=count))


def fours(text: str) -> Groups:
    return [text[at : at + 4] for at in range(0, len(text), 4)]


def mod97(text: str) -> int:
    """ISO 7064 reads a letter as a number from 10."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97


def luhn(body: str) -> str:
    """The digit that completes `body` (ISO/IEC 7812-1, annex B)."""
    doubled = [int(sign) * (2 if at % 2 == 0 else 1) for at, sign in enumerate(reversed(body))]
    return str(-sum(number // 10 + number % 10 for number in doubled) % 10)


def other(rng: random.Random, text: str, size: int) -> str:
    """Another number of this size."""
    return rng.choice([f"{n:0{size}d}" for n in range(10**size) if f"{n:0{size}d}" != text])


def iban(rng: random.Random, miss: bool) -> Groups:
    country = rng.choice(["FR", "FR", "FR", *BBANS])
    if country == "FR":
        bank = digits(rng, 21)
        key = 97 - int(bank + "00") % 97
        bban = f"{bank}{key:02d}"
    else:
        pools = {"n": DIGITS, "a": string.ascii_uppercase, "c": DIGITS + string.ascii_uppercase}
        parts = BBANS[country].replace("n", " n").replace("a", " a").replace("c", " c").split()
        bban = "".join("".join(rng.choices(pools[part[0]], k=int(part[1:]))) for part in parts)
    check = f"{98 - mod97(bban + country + '00'):02d}"
    return fours(country + (other(rng, check, 2) if miss else check) + bban)


def card(rng: random.Random, miss: bool) -> Groups:
    scheme = rng.choice(["4", "4", "51", "55", "2221", "37", "34", "6011"])
    size = 15 if scheme in {"37", "34"} else 16
    body = scheme + digits(rng, size - 1 - len(scheme))
    check = luhn(body)
    whole = body + (other(rng, check, 1) if miss else check)
    return [whole[:4], whole[4:10], whole[10:]] if size == 15 else fours(whole)


def nir(rng: random.Random, miss: bool) -> Groups:
    department = rng.choice(["2A", "2B", *(f"{n:02d}" for n in range(1, 96) if n != 20)])
    month = f"{rng.randrange(1, 13):02d}"
    parts = [rng.choice("12"), digits(rng, 2), month, department, f"{rng.randrange(1, 700):03d}", digits(rng, 3)]
    number = int("".join(parts).replace("2A", "19").replace("2B", "18"))
    check = f"{97 - number % 97:02d}"
    return [*parts, other(rng, check, 2) if miss else check]


def _siren(rng: random.Random, miss: bool) -> str:
    body = rng.choice("3458") + digits(rng, 7)
    check = luhn(body)
    return body + (other(rng, check, 1) if miss else check)


def siren(rng: random.Random, miss: bool) -> Groups:
    number = _siren(rng, miss)
    return [number[:3], number[3:6], number[6:]]


def siret(rng: random.Random, miss: bool) -> Groups:
    number = _siren(rng, miss)
    body = f"{number}{rng.randrange(1, 99):04d}"
    check = luhn(body)
    return [number[:3], number[3:6], number[6:], body[9:] + (other(rng, check, 1) if miss else check)]


def vat(rng: random.Random, miss: bool) -> Groups:
    number = _siren(rng, False)
    check = f"{(12 + 3 * (int(number) % 97)) % 97:02d}"
    return ["FR" + (other(rng, check, 2) if miss else check), number[:3], number[3:6], number[6:]]


def tax(rng: random.Random, miss: bool) -> Groups:
    body = rng.choice("0123") + digits(rng, 9)
    check = f"{int(body) % 511:03d}"
    whole = body + (other(rng, check, 3) if miss else check)
    return [whole[:2], whole[2:4], whole[4:7], whole[7:10], whole[10:]]


def phone_fr(rng: random.Random, miss: bool) -> Groups:
    # Ranges that ARCEP keeps for fiction; a near miss has a digit too few.
    prefix = rng.choice(["019900", "026191", "035301", "046571", "053649", "063998"])
    number = prefix + digits(rng, 3 if miss else 4)
    pairs = [number[at : at + 2] for at in range(0, len(number), 2)]
    if rng.random() < 0.3:
        return [rng.choice(["+33 ", "0033 ", "+33 (0) "]) + pairs[0][1:], *pairs[1:]]
    return pairs


def phone_en(rng: random.Random, miss: bool) -> Groups:
    # Ranges that Ofcom and NANPA keep for fiction; a near miss has digits too few.
    short = 2 if miss else 0
    end = digits(rng, 3 - short)
    return rng.choice(
        [
            ["07700", "900" + end],
            ["+44 7700", "900" + end],
            ["020", "7946", "0" + end],
            ["+44 20", "7946", "0" + end],
            ["+1 202", "555", "01" + digits(rng, 2 - short)],
            phone_fr(rng, miss),
        ]
    )


def email(rng: random.Random, miss: bool) -> Groups:
    local = rng.choice(["camille.perrin", "c.perrin+achats", "service_client", "j-okafor", "lea99", "info"])
    host = rng.choice(["exemple.fr", "mail.example.com", "azur-conseil.example", "example.co.uk", "example.org"])
    if miss:
        return [
            rng.choice([f"@{local}", f"{local}@", f"{local} @ {local}", f"@{host.split('.')[0]}", "name@", "@override"])
        ]
    return [rng.choice([f"{local}@{host}", f"{local}@{host}".upper(), f"{local} [at] {host}", f"{local}@{host}"])]


def ip(rng: random.Random, miss: bool) -> Groups:
    host = rng.randrange(1, 255)
    if miss:
        return [
            rng.choice(
                [
                    f"203.0.113.{300 + host}",
                    f"198.51.100.{host}.7",
                    "192.168.1.1",
                    "127.0.0.1",
                    "10.0.0.12",
                    "203.0.113",
                ]
            )
        ]
    return [
        rng.choice(
            [
                f"203.0.113.{host}",
                f"198.51.100.{host}",
                f"192.0.2.{host}",
                f"2001:db8:{host:x}::{host:x}9",
                f"2001:db8:85a3:0:0:8a2e:370:{7000 + host}",
            ]
        )
    ]


def plate(rng: random.Random, miss: bool) -> Groups:
    letters = lambda: "".join(rng.choices(CONSONANTS, k=2))  # noqa: E731 - drawn twice
    # SIV uses no I, O, U.
    first = rng.choice("IOU") + rng.choice(CONSONANTS) if miss else letters()
    return [first, digits(rng, 3), letters()]


def credential(rng: random.Random, miss: bool) -> Groups:
    mixed = string.ascii_letters + DIGITS
    draw = lambda size, pool=mixed: "".join(rng.choices(pool, k=size))  # noqa: E731 - a short word for many uses
    if miss:
        return [
            rng.choice(
                [
                    "AKIA" + draw(5, string.ascii_uppercase),
                    "ghp_" + draw(8),
                    "password: ********",
                    "sk-" + draw(6),
                    "API_KEY=<your-key>",
                    "postgres://user@db.example/x",
                    "Authorization: Bearer <token>",
                    "SECRET_KEY=${SECRET}",
                    "-----BEGIN PUBLIC KEY-----",
                    "eyJ" + draw(6),
                    "password = getpass.getpass()",
                    "pwd: /home/user",
                ]
            )
        ]
    upper = string.ascii_uppercase
    return [
        rng.choice(
            [
                "AKIA" + draw(16, upper + "234567"),
                "ghp_" + draw(36),
                "github_pat_" + draw(22) + "_" + draw(59),
                "glpat-" + draw(20),
                "xoxb-" + draw(12, DIGITS) + "-" + draw(24),
                "AIza" + draw(35),
                "sk_" + "live_" + draw(24),
                "sk-proj-" + draw(48),
                "hf_" + draw(34),
                "npm_" + draw(36),
                "eyJ" + draw(33) + ".eyJ" + draw(40) + "." + draw(43),
                f"postgres://admin:{draw(12)}@db.example/app",
                f"amqp://svc:{draw(9)}@mq.example:5672",
                f"Server=db.example;User Id=sa;Password={draw(10)}7;",
                f"DB_PASSWORD={draw(13)}4",
                f'api_key: "{draw(31)}5"',
                f"AWS_SECRET_ACCESS_KEY={draw(38)}/7",
                f'"client_secret": "{draw(32)}3"',
                f"Authorization: Bearer {draw(40)}",
                "-----BEGIN RSA PRIVATE KEY-----\n" + draw(64) + "\n" + draw(40) + "\n-----END RSA PRIVATE KEY-----",
                f"mot de passe : {draw(9)}8!",
                f"jdbc:mysql://db.example/app?user=root&password={draw(11)}2",
            ]
        )
    ]


def ean(rng: random.Random, prefix: str) -> str:
    body = prefix + digits(rng, 12 - len(prefix))
    return body + str(-sum(int(d) * (3 if at % 2 else 1) for at, d in enumerate(body)) % 10)


def isbn10(rng: random.Random) -> str:
    body = digits(rng, 9)
    check = -sum((10 - at) * int(d) for at, d in enumerate(body)) % 11
    return f"{body[0]}-{body[1:4]}-{body[4:]}-{'X' if check == 10 else check}"


def imei(rng: random.Random) -> str:
    body = "35" + digits(rng, 12)
    return body + luhn(body)


def date(rng: random.Random) -> str:
    day, month, year = rng.randrange(1, 29), rng.randrange(1, 13), rng.randrange(2019, 2028)
    return rng.choice(
        [
            f"{day:02d}/{month:02d}/{year}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}.{month:02d}.{year}",
            f"{year}{month:02d}{day:02d}",
            f"{day} mars {year}",
        ]
    )


def amount(rng: random.Random) -> str:
    whole = rng.choice(
        [
            f"{rng.randrange(1, 999)}",
            f"{rng.randrange(1, 999)} {digits(rng, 3)}",
            f"{rng.randrange(1, 99)} {digits(rng, 3)} {digits(rng, 3)}",
            f"{rng.randrange(1, 999)}\u202f{digits(rng, 3)}",
            f"{rng.randrange(1, 99)},{digits(rng, 3)},{digits(rng, 3)}",
        ]
    )
    return f"{whole}{rng.choice([',', '.'])}{digits(rng, 2)}"


LOOKALIKES: dict[str, Callable[[random.Random], str]] = {
    "order": lambda rng: rng.choice(["", "CMD-", "A", "2026-"]) + digits(rng, rng.randrange(6, 13)),
    "isbn13": lambda rng: ean(rng, "978"),
    "isbn10": isbn10,
    "ean": lambda rng: ean(rng, "3"),
    "ref": lambda rng: f"{digits(rng, 4)}/{digits(rng, 3)}-{rng.choice(CONSONANTS)}{digits(rng, 2)}",
    "amount": amount,
    "version": lambda rng: rng.choice(
        [
            f"{rng.randrange(20)}.{rng.randrange(60)}.{rng.randrange(99)}",
            f"{rng.randrange(20)}.{rng.randrange(60)}.{rng.randrange(99)}.{rng.randrange(250)}",
            f"10.0.{rng.randrange(10000, 29999)}.{rng.randrange(1, 4000)}",
        ]
    ),
    "date": date,
    "time": lambda rng: f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}",
    "parcel": lambda rng: f"{rng.choice(['6A', '8R', '1Z'])}{digits(rng, 11)}",
    "invoice": lambda rng: f"FAC-{rng.randrange(2020, 2028)}-{digits(rng, 6)}",
    "imei": imei,
    "hash": lambda rng: "".join(rng.choices("0123456789abcdef", k=40)),
    "uuid": lambda rng: "-".join("".join(rng.choices("0123456789abcdef", k=size)) for size in (8, 4, 4, 4, 12)),
    "geo": lambda rng: f"{rng.uniform(42, 51):.6f}, {rng.uniform(-4, 8):.6f}",
    "stamp": lambda rng: str(rng.randrange(1_600_000_000, 1_800_000_000)) + rng.choice(["", digits(rng, 3)]),
    "big": lambda rng: f"{rng.randrange(1, 99)} {digits(rng, 3)} {digits(rng, 3)}",
    "serial": lambda rng: f"{''.join(rng.choices(CONSONANTS, k=3))}{digits(rng, 9)}",
    "small": lambda rng: str(rng.randrange(1, 400)),
    "section": lambda rng: ".".join(str(rng.randrange(1, 10)) for _ in range(rng.randrange(2, 5))),
    "mac": lambda rng: ":".join("".join(rng.choices("0123456789abcdef", k=2)) for _ in range(6)),
}
