"""The corpus of the bench: its labels are right, its check digits are python-stdnum's, its near misses are none."""

import random

import pytest
from benchmarks.solutions.personal_data import bench, presidio, values
from benchmarks.solutions.personal_data.corpus import AFTER, GRAMMAR, KINDS, OTHER, corpus, written
from stdnum import iban, luhn
from stdnum.fr import nif, nir, siren, siret, tva

CHECKS = {
    "iban": lambda text: iban.is_valid(text, check_country=False),
    "card": luhn.is_valid,
    "nir": nir.is_valid,
    "siren": siren.is_valid,
    "siret": siret.is_valid,
    "vat": tva.is_valid,
    "tax": nif.is_valid,
}


@pytest.mark.parametrize("kind", CHECKS)
def test_the_check_digits_of_the_bench_are_right(kind):
    rng = random.Random(7)
    for _ in range(200):
        assert CHECKS[kind]("".join(getattr(values, kind)(rng, False)))
        assert not CHECKS[kind]("".join(getattr(values, kind)(rng, True)))


def test_every_label_stands_where_it_says():
    texts = list(corpus(random.Random(1), 3))
    assert {(one.kind, one.language, one.miss) for one in texts} == {
        (kind, language, miss) for kind in KINDS for language in ("fr", "en") for miss in (False, True)
    }
    for one in texts:
        value = one.text[one.start : one.end]
        assert value
        assert value.strip() == value
        # What is left in braces is code.
        assert "{" not in one.text.replace(value, "") or "```" in one.text or one.kind == "credential"


def test_draws_are_the_seed_s():
    assert list(corpus(random.Random(5), 2)) == list(corpus(random.Random(5), 2))
    assert written(random.Random(5), "fr", "iban", miss=False) != written(random.Random(6), "fr", "iban", miss=False)


def test_places_are_read_from_what_is_masked():
    text = "IBAN FR76 1999 0001 0000 0421 8001 175, then DB_PASSWORD=hunter2hunter and jean@exemple.fr"
    assert [(kind, text[low:high]) for kind, low, high in sorted(bench.found(text, "fr"), key=lambda one: one[1])] == [
        ("iban", "FR76 1999 0001 0000 0421 8001 175"),
        ("credential", "hunter2hunter"),
        ("email", "jean@exemple.fr"),
    ]


def test_a_small_draw_clears_the_bars():
    texts = list(corpus(random.Random(bench.SEED), 10))
    score = bench.scored(texts, [bench.found(one.text, one.language) for one in texts])
    assert sum(score.hit.values()) >= bench.RECALL * sum(score.values.values())
    assert sum(score.right.values()) >= bench.PRECISION * sum(score.masks.values())


@pytest.mark.parametrize(("later", "earlier"), [(AFTER, GRAMMAR), (OTHER, GRAMMAR), (OTHER, AFTER)])
def test_sentences_written_later_are_others(later, earlier):
    for name in ("phrases", "lookalikes"):
        for kind, spoken in later[name].items():
            for language, sentences in spoken.items() if name == "phrases" else [(kind, spoken)]:
                before = earlier[name][kind][language] if name == "phrases" else earlier[name][language]
                assert not set(sentences) & set(before)


def test_a_filter_that_finds_nothing_or_everything_does_not_clear_them():
    texts = list(corpus(random.Random(bench.SEED), 2))
    nothing = bench.scored(texts, [[] for _ in texts])
    assert sum(nothing.hit.values()) == 0
    everything = bench.scored(texts, [[(kind, 0, len(one.text)) for kind in KINDS] for one in texts])
    assert sum(everything.right.values()) < 0.1 * sum(everything.masks.values())


def test_the_peer_is_skipped_with_a_sentence(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(presidio, "PYTHON", tmp_path / "python")
    presidio.compare([], lambda *_: pytest.fail("nothing to show"))
    assert "not compared" in capsys.readouterr().out
