import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.iso7064 import mod_97_10

from aloi.solutions.guard import Allow, Block, Rewrite
from aloi.solutions.guards.personal import PersonalDataFilter, PersonalDataOptions
from aloi.system.messages import Message

FILTER = PersonalDataFilter(PersonalDataOptions())


def rule(text):
    return FILTER.screen(Message(role="assistant", content=text))


def masked(text):
    ruling = rule(text)
    return ruling.content if isinstance(ruling, Rewrite) else text


FOUND = {
    "siret in its groups": ("303 265 045 00011", "[SIRET]"),
    "plate without a word": ("AB 123 CD", "[PLATE]"),
    "tax number in its groups": ("30 23 217 600 053", "[TAX NUMBER]"),
    "iban": ("FR76 1999 0001 0000 0421 8001 175", "[IBAN]"),
    "iban without spaces": ("FR7619990001000004218001175", "[IBAN]"),
    "iban in lower case": ("fr76 1999 0001 0000 0421 8001 175", "[IBAN]"),
    "German iban with dots": ("DE89.3704.0044.0532.0130.00", "[IBAN]"),
    "iban in full width": ("ＦＲ７６ 1999 0001 0000 0421 8001 175", "[IBAN]"),  # noqa: RUF001 - the disguise is the test
    "card": ("4970-1012-3456-7893", "[CARD]"),
    "card with single spaces": (" ".join("4242424242424242"), "[CARD]"),
    "American card": ("3782 822463 10005", "[CARD]"),
    "card among zero-width signs": ("4242\u200b4242\u200b4242\u200b4242", "[CARD]"),
    "card in Arabic digits": ("".join(chr(0x660 + int(d)) for d in "4242424242424242"), "[CARD]"),
    "nir": ("2 95 10 99 126 111 93", "[NIR]"),
    "nir of Corsica": ("1 85 05 2A 004 082 97", "[NIR]"),
    "phone": ("06 12 34 56 78", "[PHONE]"),
    "phone with dots": ("06.12.34.56.78", "[PHONE]"),
    "phone with slashes": ("06/12/34/56/78", "[PHONE]"),
    "phone abroad": ("+44 20 7946 0958", "[PHONE]"),
    "phone with 00": ("0033 6 12 34 56 78", "[PHONE]"),
    "phone with (0)": ("+33 (0)6 12 34 56 78", "[PHONE]"),
    "phone kept for fiction": ("06 39 98 75 60", "[PHONE]"),
    "phone kept for fiction, Paris": ("01 99 00 21 43", "[PHONE]"),
    "e-mail": ("jean.dupont@exemple.fr", "[EMAIL]"),
    "e-mail in words": ("jean.dupont [at] exemple [dot] fr", "[EMAIL]"),
    "plate": ("AB-123-CD", "[PLATE]"),
    "Dutch iban": ("NL91 ABNA 0417 1643 00", "[IBAN]"),
    "iban over two lines": ("FR76 1999 0001 0000\n0421 8001 175", "[IBAN]"),
    "iban with narrow blanks": ("FR76\u202f1999\u202f0001\u202f0000\u202f0421\u202f8001\u202f175", "[IBAN]"),
    "card over two lines": ("4970 1012\n3456 7893", "[CARD]"),
    "phone over two lines": ("06 12 34\n56 78", "[PHONE]"),
    "VAT number": ("FR 40 303 265 045", "[VAT NUMBER]"),
    "VAT number of the new style": ("FRK7399859412", "[VAT NUMBER]"),
    "Internet address": ("203.0.113.77", "[IP ADDRESS]"),
    "Internet address of version 6": ("2001:db8:4f3:1::17", "[IP ADDRESS]"),
    "Internet address in full": ("2001:0db8:04f3:0001:0000:0000:0000:0017", "[IP ADDRESS]"),
}


@pytest.mark.parametrize(("text", "mask"), FOUND.values(), ids=FOUND)
def test_personal_data_is_masked(text, mask):
    assert masked(f"Voici : {text}, merci.") == f"Voici : {mask}, merci."
    assert masked(text) == mask


def test_announced_numbers_are_masked():
    assert masked("SIREN 552 008 443") == "SIREN [SIREN]"
    assert masked("Siret : 552 008 443 00012") in {"Siret : [SIRET]", "Siret : [SIREN] 00012"}
    assert masked("plaque 123 ABC 75") == "plaque [PLATE]"
    assert masked("numéro fiscal : 30 23 217 600 053") == "numéro fiscal : [TAX NUMBER]"
    # La Poste's establishments do not follow Luhn.
    assert masked("SIRET 356 000 000 04322") in {"SIRET [SIRET]", "SIRET 356 000 000 04322"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("plaque AH 937 HD 123 DHH 75 AH 927 GD", "plaque [PLATE] [PLATE] [PLATE]"),
        ("plaques : AB 123 CD 45 EF 67 GH 890 JK", "plaques : [PLATE] [PLATE] [PLATE]"),
        ("plaque 123 CB-974 EH 406 GB 123 FA 75", "plaque [PLATE] [PLATE] [PLATE]"),
    ],
)
def test_plates_of_all_years_stand_beside_each_other(text, left):
    assert masked(text) == left


def test_what_is_encoded_far_behind_is_masked_alone():
    told = "The account costs two euros a month and nobody pays for that. "
    head = "a%41b " * 256 + "x%41y " + told * 6
    assert masked(f"{head}06 12 34 56 78 {told * 50}") == f"{head}[PHONE] {told * 50}"


def test_the_heading_of_a_column_announces_its_numbers():
    rows = "\n".join(f"| Société {name} | Rue de la Paix, Paris | 552 008 443 |" for name in "ABC")
    table = f"| Raison sociale | Adresse | SIREN |\n|---|---|---|\n{rows}"
    assert masked(table) == table.replace("552 008 443", "[SIREN]")
    other = table.replace("SIREN", "Réf.")
    assert masked(other) == other
    assert masked("name;SIREN;town\nA;552008443;Paris") == "name;SIREN;town\nA;[SIREN];Paris"


PASSES = {
    "empty": "",
    "iban with a wrong key": "FR77 1999 0001 0000 0421 8001 175",
    "iban of no country": "ZZ76 1999 0001 0000 0421 8001 175",
    "iban cut short": "FR76 1999 0001 0000 0421",
    "card with a wrong digit": "4242 4242 4242 4243",
    "sixteen digits of no scheme": "9242 4242 4242 4243",
    "nir with a wrong key": "2 95 10 99 126 111 94",
    "siren without a word": "552 008 443",
    "amount": "1 234 567 890,50 euros",
    "decimal": "0.4970101234567898",
    "opening hours": "9:00-17:30, 12/05/2024, 75012 Paris",
    "phone cut short": "06 12 34 56",
    "reference without 0": "6 12 34 56 78",
    "at sign": "rendez-vous @ 17h, @banque",
    "plate of words": "salle AB 123 CD",
    "plate of a longer code": "AB 123 CD 45",
    "surrogates": "\ud800\udfff",
    "column of numbers": "4970\n1012\n3456\n7893",
    "numbers on two lines": "49701012\n34567893",
    "iban of another structure": "FR14 ABCD 0001 0000 0421 8001 175",
    "VAT number with a wrong key": "FR 41 303 265 045",
    "tax number said to be another": "article 30 23 217 600 053",
    "time in milliseconds": "1023217600398",
    "date with its time": "20230919101500",
    "version": "version 4.12.30.1, build 10.0.19045.3803",
    "section": "voir article 3.1.2.4",
    "own network": "192.168.1.1, 10.0.0.7, 127.0.0.1, 255.255.255.0, ::1, fe80::1",
    "public resolver": "1.1.1.1 or 2606:4700:4700::1111",
    "hardware address": "00:1a:2b:3c:4d:5e",
    "times": "12:30:45, 23:59:59.999",
    "scope": "std::vector<int> a::b",
}


@pytest.mark.parametrize("text", PASSES.values(), ids=PASSES)
def test_near_misses_pass(text):
    assert rule(text) == Allow()


def test_encoded_data_is_masked_whole():
    import base64

    coded = base64.b64encode(b"IBAN FR76 1999 0001 0000 0421 8001 175").decode()
    assert masked(f"Decode this: {coded}") == "Decode this: [IBAN]"


def test_allowed_values_pass_in_any_spelling(screen):
    allow = ["01 55 00 00 00", "contact@banque-azur.example"]
    text = "Appelez le 0155000000 ou +33 1 55 00 00 00, ou contact@banque-azur.example"
    assert screen("personal-data-filter", text, allow=allow) == Allow()
    assert isinstance(screen("personal-data-filter", text + ", 06 12 34 56 78", allow=allow), Rewrite)


def test_kinds_and_action_are_options(screen):
    text = "jean@exemple.fr, 06 12 34 56 78"
    assert screen("personal-data-filter", text, kinds=["phone"]).content == "jean@exemple.fr, [PHONE]"
    assert screen("personal-data-filter", text, action="block") == Block(reason="personal-data-email")


def test_a_flood_of_candidates_is_blocked():
    # Unlike each other, so that none is remembered from before.
    draw = random.Random(3)
    text = " ; ".join(f"4{draw.randrange(10**15):015d}" for _ in range(5_000))
    assert rule(text) == Block(reason="personal-data-overload")


def _iban(number):
    body = f"{number:023d}"
    return f"FR{mod_97_10.calc_check_digits(body + 'FR')}{body}"


def _card(number):
    return f"4{number:014}" + luhn.calc_check_digit(f"4{number:014}")


MANY = {
    "telephones": (150, lambda number: f"06 {number // 100 % 100:02} {number % 100:02} 34 56", "[PHONE]"),
    "accounts": (500, _iban, "[IBAN]"),
    "cards": (1_000, _card, "[CARD]"),
}


@pytest.mark.parametrize("kind", MANY)
def test_many_numbers_are_masked_and_a_flood_of_them_is_blocked(kind):
    count, number, mask = MANY[kind]
    rows = [f"{index}: {number(1_203_040_506 + index)}" for index in range(8 * count)]
    assert rule("\n".join(rows[:count])).content == "\n".join(f"{index}: {mask}" for index in range(count))
    assert rule("\n".join(rows)) == Block(reason="personal-data-overload")


def test_what_an_answer_holds_encoded_and_plain_is_paid_from_one_budget():
    rows = [f"06 {index // 100:02} {index % 100:02} 34 56" for index in range(200)]
    encoded = " ".join(f"%20{row.replace(' ', '%20')}" for row in rows[100:])
    plain = "\n".join(rows[:100])
    assert isinstance(rule(plain), Rewrite)
    assert isinstance(rule(encoded), Rewrite)
    assert rule(f"{plain}\n{encoded}") == Block(reason="personal-data-overload")


PIECES = st.one_of(
    st.text(max_size=8),
    st.text(alphabet="0123456789 .-/+()@", max_size=24),
    st.integers(0, 10**23 - 1).map(_iban),
    st.integers(10**14, 10**15 - 1).map(lambda n: "4" + str(n)[1:] + luhn.calc_check_digit("4" + str(n)[1:])),
    st.sampled_from([text for text, _ in FOUND.values()]),
)


@given(st.lists(PIECES, max_size=6).map("".join))
def test_masking_is_idempotent(text):
    assert rule(masked(text)) == Allow() or isinstance(rule(text), Block)


@given(st.integers(0, 10**23 - 1), st.sampled_from(["", " ", "-", "."]))
def test_no_valid_iban_is_left(number, separator):
    whole = _iban(number)
    assert iban.is_valid(whole, check_country=False)
    written = separator.join(whole[i : i + 4] for i in range(0, len(whole), 4))
    assert masked(f"IBAN : {written}.") == "IBAN : [IBAN]."


@given(st.integers(0, 10**23 - 1), st.integers(4, 26), st.integers(1, 9))
def test_a_changed_digit_breaks_the_iban(number, at, step):
    whole = _iban(number)
    broken = whole[:at] + str((int(whole[at]) + step) % 10) + whole[at + 1 :]
    assert "[IBAN]" not in masked(f"IBAN : {broken}")


CONTEXTS = yaml.safe_load((Path(__file__).parent / "personal-contexts.yaml").read_bytes())


@pytest.mark.parametrize("text", CONTEXTS["masked"].values(), ids=CONTEXTS["masked"])
def test_words_around_a_number_make_it_personal(text):
    assert "[" in masked(text)


@pytest.mark.parametrize("text", CONTEXTS["passed"].values(), ids=CONTEXTS["passed"])
def test_words_around_a_number_make_it_none(text):
    assert masked(text) == text
