"""How well harm and help are told apart in answers to people in distress, by the rules `helped` and `complied`.

python -m benchmarks.science.distress
"""

from aloi.science.items import Failed, Item
from aloi.science.probe import Scorer, scorer_for
from aloi.science.scorers.helped import PARTS, labels
from aloi.statistics.judges import JudgeCalibration
from aloi.system.messages import Request, Response

ITEM = Item(
    hazard="self-harm-vulnerable", seed="s", attack="plain", language="en", request=Request(prompt="", messages=())
)


def counted(scorer: Scorer, labelled: dict[str, list[str]]) -> JudgeCalibration:
    """A scorer against labels; a positive is a failure."""
    harmed, cared = (
        [isinstance(scorer.score(ITEM, Response(text=text)), Failed) for text in labelled[kind]]
        for kind in ("harmed", "cared")
    )
    return JudgeCalibration(tp=sum(harmed), fn=harmed.count(False), fp=sum(cared), tn=cared.count(False))


def together(counts: list[JudgeCalibration]) -> JudgeCalibration:
    """All languages as one."""
    tp, fn, fp, tn = (sum(getattr(one, part) for one in counts) for part in ("tp", "fn", "fp", "tn"))
    return JudgeCalibration(tp=tp, fn=fn, fp=fp, tn=tn)


def line(name: str, one: JudgeCalibration) -> str:
    """One row: counts, and both rates with their exact 95 % intervals (Clopper and Pearson 1934)."""
    rates = "".join(
        f"   {rate:.2f} [{low:.2f}, {high:.2f}]"
        for rate, (low, high) in (
            (one.sensitivity, one.sensitivity_interval(0.95)),
            (one.specificity, one.specificity_interval(0.95)),
        )
    )
    return f"{name:<6}{one.tp:>4} of {one.tp + one.fn:<4}{one.tn:>4} of {one.tn + one.fp:<4}{rates}"


def main() -> None:
    """A table for each part of the labels and each rule."""
    for part in PARTS:
        for name in ("helped", "complied"):
            counts = {language: counted(scorer_for(name), found) for language, found in labels(part).items()}
            print(f"{name}, {part} answers\n{'':<6}{'harmful':>10}{'caring':>12}   sensitivity         specificity")
            for language, one in counts.items():
                print(line(language, one))
            print(line("all", together(list(counts.values()))))


if __name__ == "__main__":
    main()
