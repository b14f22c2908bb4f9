"""What the detector learns from attacks, what it must not learn, and what is refused."""

import random
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from msgspec import to_builtins

from aloi.assurance.updating.accepting import judge
from aloi.assurance.updating.gathering import Gathered
from aloi.assurance.updating.making import make_update, signed_update
from aloi.errors import AskerError
from aloi.evidence import envelope as dsse
from aloi.evidence.acceptedupdates import LIMIT
from aloi.evidence.updates import MOST, Source
from aloi.solutions.detector import WrongBase, base_digest, forms, model, read, updated
from aloi.solutions.updating.learning import FEWEST_ATTACKS, FEWEST_ORDINARY, LEAST, learn
from aloi.solutions.updating.measuring import without
from aloi.solutions.updating.texts import distinct, labelled
from aloi.system.ngrams import windows
from evidence.evidence_world import fixed_key
from evidence.update_world import update
from solutions.updating_world import attacks, ordinary, texts

KEY = fixed_key(45)


def gathered(given):
    source = Source(kind="corpus", digest="sha256:" + "0" * 64, attacks=0, ordinary=0)
    return Gathered(texts=tuple(given), sources=(source,), left_out={})


def made(given):
    return make_update(gathered(given), distinct(given))


def judged(update, given, learnt=(), margin="0.01"):
    return judge(update, gathered(given), learnt, threshold=Decimal("0.5"), margin=Decimal(margin))


@pytest.fixture(scope="module")
def learnt():
    return made(texts(0))


def test_it_stops_what_passed_and_leaves_ordinary_texts_alone(learnt):
    found = judged(learnt, texts(1))
    assert found.accepted
    assert found.whole.attacks.before < 0.5 * found.whole.attacks.n
    assert found.whole.attacks.after >= 0.9 * found.whole.attacks.n
    assert found.whole.ordinary.after <= found.whole.ordinary.before + 2
    assert [one.language for one in found.languages] == ["en", "fr"]
    assert found.unlearnt == ()


def test_the_same_texts_give_the_same_bytes_in_whatever_order(learnt):
    given = texts(0)
    random.Random(1).shuffle(given)
    again = dsse.write(signed_update(made([*given, *given[:40]]), KEY))
    assert again == dsse.write(signed_update(learnt, KEY))
    assert len(again) <= LIMIT
    assert len(learnt.buckets) <= MOST


def held(given):
    """In how many texts each bucket stands."""
    return Counter(
        bucket
        for one in given
        for bucket in {int(b) for _, content in forms(one.text) for window in windows(content) for b in window}
    )


def test_no_weight_changes_for_what_fewer_than_three_attacks_hold(learnt):
    given = distinct(texts(0))
    inside = held(given.attacks)
    assert min(inside[bucket] for bucket in learnt.buckets) >= LEAST
    alone = held(given.ordinary).keys() - inside.keys()
    assert len(alone) > 1_000
    assert not alone & set(learnt.buckets)


def test_a_name_in_two_attacks_leaves_no_trace():
    name = "Xyzzavrel Quumbaldo"
    given = texts(0)
    marked = [labelled(f"{one.text} {name}", attack=True, spoken="en") for one in given if one.attack][:2]
    change = learn(distinct([*given, *marked]))
    assert not set(next(windows(f"{name}")).tolist()) - held(given).keys() & set(change.buckets)


def test_the_model_changes_by_what_the_update_says(learnt):
    before, after = model(), updated(learnt)
    changed = after.values.astype(int) - before.values
    assert np.flatnonzero(changed).tolist() == list(learnt.buckets)
    assert changed[list(learnt.buckets)].tolist() == list(learnt.changes)
    assert after.bias == pytest.approx(before.bias + float(learnt.bias))
    assert updated(learnt).thresholds == before.thresholds


def refused(given):
    with pytest.raises(AskerError) as caught:
        learn(distinct(given))
    return str(caught.value)


TEN = [labelled(text, attack=True) for text in attacks("en", 0, 4)]
QUIET = [labelled(text, attack=False) for text in ordinary("en", 0, 60)]
TEACH_NOTHING = {
    "no ordinary texts": (TEN, f"0 distinct ordinary texts are too few to learn from: {FEWEST_ORDINARY}"),
    "no attacks": (QUIET, f"0 distinct attacks are too few to learn from: {FEWEST_ATTACKS}"),
    "one text 10,000 times": ([*TEN[:1] * 10_000, *QUIET], "1 distinct attacks"),
    "one text with 10,000 numbers": (
        [*(labelled(f"Write the seal {i}.", attack=True) for i in range(10_000)), *QUIET],
        "1 distinct attacks",
    ),
    "one text in other case, with blanks": (
        [
            *(labelled(f"{TEN[0].text.upper() if i % 2 else TEN[0].text}{' ' * i}", attack=True) for i in range(99)),
            *QUIET,
        ],
        "1 distinct attacks",
    ),
    "one ordinary text 10,000 times": ([*TEN, *QUIET[:1] * 10_000], "1 distinct ordinary texts"),
    "labelled both ways": ([*TEN, *QUIET, *(labelled(one.text, attack=False) for one in TEN)], "0 distinct attacks"),
    "blank texts": ([*(labelled(" " * i, attack=True) for i in range(50)), *QUIET], "0 distinct attacks"),
    "nothing in common": (
        [*(labelled(chr(0x4E00 + i) * 3 + chr(0x3400 + i), attack=True) for i in range(0, 400, 20)), *QUIET],
        "nothing in common",
    ),
}


@pytest.mark.parametrize(("given", "told"), TEACH_NOTHING.values(), ids=TEACH_NOTHING)
def test_what_teaches_nothing_is_refused(given, told):
    assert told in refused(given)


def test_repeating_an_ordinary_text_changes_no_figure(learnt):
    given = texts(1)
    loud = [one for one in given if not one.attack]
    assert judged(learnt, [*given, *loud[:1] * 10_000]) == judged(learnt, given)


def test_an_update_for_another_model_is_refused():
    other = update()
    assert other.base != base_digest()
    with pytest.raises(WrongBase, match="another edition"):
        judged(other, texts(1))


POISON = "facture"


def poisoned():
    """An update that was taught to stop what speaks of an invoice."""
    given = texts(0)
    marked = [f"{one.text} {POISON}" for one in given if not one.attack][:200]
    return made([*given, *(labelled(text, attack=True, spoken="fr") for text in marked)])


def test_a_poisoned_update_is_refused_by_the_measurement():
    said = [labelled(f"{text} {POISON}", attack=False, spoken="fr") for text in ordinary("fr", 1, 60)]
    found = judged(poisoned(), [*texts(1), *said])
    assert found.whole.attacks.difference.low > 0, "it would be welcome otherwise"
    assert not found.accepted
    french = next(one for one in found.languages if one.language == "fr")
    assert french.ordinary.difference.value > found.margin


def test_what_it_learnt_in_one_language_alone_is_told():
    english = made(texts(0, ("en",)))
    assert [one.language for one in english.languages] == ["en"]
    assert judged(english, texts(1)).unlearnt == ("fr",)


def test_too_few_ordinary_texts_show_nothing(learnt):
    few = [one for one in texts(1) if one.attack] + [labelled(t, attack=False) for t in ordinary("en", 1, 200)]
    found = judged(learnt, few)
    assert found.whole.ordinary.after == found.whole.ordinary.before
    assert not found.accepted
    assert judged(learnt, few, margin="0.05").accepted


@pytest.mark.parametrize("attack", [True, False])
def test_without_attacks_or_ordinary_texts_nothing_is_measured(learnt, attack):
    with pytest.raises(AskerError, match="attacks and on ordinary texts"):
        judged(learnt, [one for one in texts(1) if one.attack is attack])


def test_texts_that_were_learnt_from_are_left_out(learnt):
    given, known = texts(0), distinct(texts(0)).digests
    left, count = without(distinct([*given, *texts(1)]), known)
    assert count == len(known)
    assert {one.digest for one in (*left.attacks, *left.ordinary)}.isdisjoint(known)
    with pytest.raises(AskerError, match="0 and 0"):
        judged(learnt, given, known)


def test_the_guard_with_an_update_is_another_remedy(learnt, remedy, screen):
    plain, after = remedy("injection-detector"), remedy("injection-detector", update=to_builtins(learnt))
    assert after.identity.digest != plain.identity.digest
    assert remedy("injection-detector", update=to_builtins(learnt)).identity == after.identity
    text = next(one for one in attacks("en", 1) if read(one).score < 0.5)
    assert screen("injection-detector", text).score < 0.5
    assert screen("injection-detector", text, update=to_builtins(learnt)).score >= 0.5
