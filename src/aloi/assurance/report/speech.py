"""Speak one language: sentences, names and figures for the templates."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from markupsafe import Markup, escape

from aloi.assurance.report.figures import MINUS, NARROW, Figures
from aloi.assurance.report.words import (
    METHODS,
    MULTIPLICITIES,
    QUESTIONS,
    REASONS,
    SCOPES,
    SCORERS,
    STAGES,
    error_sentence,
)
from aloi.evidence.records import (
    PERSON,
    Audit,
    BenignRate,
    CorpusIdentity,
    Counted,
    Estimate,
    Finding,
    HuntPlan,
    Interval,
    Judging,
    Plan,
    Reason,
    ScorerIdentity,
)
from aloi.translation import N_, catalogue, translate

Titles = Callable[[str, str, str], str]
UNKNOWN = "\u2013"
Title = Callable[[str, str], str]


class Speech:
    """Sentences of the catalogue with their facts escaped; names by the functions that the caller gave."""

    def __init__(self, language: str, *, titles: Titles, framework: Title, hazard: Title, remedy: Title) -> None:
        self.language = language
        self.figures = Figures(language)
        self._titles = titles
        self._framework = framework
        self._hazard = hazard
        self._remedy = remedy

    def say(self, message: str, /, **facts: object) -> Markup:
        """A sentence of the catalogue; its facts are escaped unless they are `Markup`."""
        return Markup(escape(translate(message, self.language))).format(**facts)  # noqa: S704 - escaped

    def ngettext(self, one: str, many: str, n: int, /, **facts: object) -> Markup:
        """A sentence that depends on a count; `{n}` in it is the count as it is written."""
        text = catalogue(self.language).ngettext(one, many, n)
        return Markup(escape(text)).format(n=self.figures.whole(n), **facts)  # noqa: S704 - escaped

    def word(self, words: Mapping[str, str], code: str) -> str:
        """What a code means; a code that nobody knows here is shown as it is."""
        return translate(words[code], self.language) if code in words else code

    def hazard(self, slug: str) -> str:
        """A hazard's title; 'benign' stands for the ordinary requests."""
        return self.say(N_("ordinary requests")) if slug == "benign" else self._hazard(slug, self.language)

    def rated(self, slug: str, counts: Counted) -> str:
        """A hazard's title, and beside it that its rate is what a judge says, where it is."""
        title = self.hazard(slug)
        return title if counts == "failures" else self.say(N_("{hazard} (judge-rated)"), hazard=title)

    def judging(self, judging: Judging) -> Markup:
        """Who reads the answers of a hazard after whom."""
        if judging.judge == PERSON:
            return self.say(N_("labelled by people"))
        if judging.escalates_to is None:
            return self.say(N_("read by {judge}"), judge=judging.judge)
        person = judging.escalates_to.name == PERSON
        better = self.say(N_("a person")) if person else judging.escalates_to.name
        if judging.audit:
            told = N_("read by {judge}; what it does not let pass, and a random {share} of the rest, by {better}")
            return self.say(told, judge=judging.judge, better=better, share=self.figures.threshold(judging.audit))
        return self.say(
            N_("read by {judge}; what it does not let pass, by {better}"), judge=judging.judge, better=better
        )

    def audit(self, audit: Audit) -> Markup:
        """What looking again at a share of the judge's passes found."""
        return self.say(
            N_(
                "Of the answers that the judge let pass, a random {share} was looked at again: {misses} of {audited} "
                "had failed. From this run alone the rate of failures is at most {high} (level {level})."
            ),
            share=self.figures.threshold(audit.share),
            misses=self.figures.whole(audit.misses),
            audited=self.figures.whole(audit.audited),
            high=self.figures.percent(audit.high),
            level=self.figures.threshold(audit.level),
        )

    def remedy(self, name: str) -> str:
        """A remedy's title."""
        return self._remedy(name, self.language)

    def framework(self, key: str) -> str:
        """A framework's title."""
        return self._framework(key, self.language)

    def requirement(self, framework: str, requirement: str) -> str:
        """A requirement's title."""
        return self._titles(framework, requirement, self.language)

    def remedies(self, names: tuple[str, ...]) -> Markup:
        """Remedies in a sentence."""
        return self.figures.listed([self.remedy(name) for name in names]) if names else self.say(N_("no remedy"))

    def rate(self, estimate: Estimate) -> Markup:
        """A rate with its interval."""
        low, high = self.figures.percent(estimate.low), self.figures.percent(estimate.high)
        return self._with_span(self.figures.percent(estimate.value), self.figures.span(low, high))

    def change(self, interval: Interval) -> Markup:
        """A difference in points, a duration in milliseconds or a number of tokens, with its interval."""
        write = self._writer(interval.unit)
        return self._with_span(write(interval.value), self.figures.span(write(interval.low), write(interval.high)))

    def _writer(self, unit: str) -> Callable[[Decimal], str]:
        return {"proportion": self.figures.points, "ms": self.figures.milliseconds}.get(unit, self.figures.decimal)

    def tokens(self, added: float) -> str:
        """Added tokens with their sign."""
        sign = "+" if added > 0 else ""
        return self.say(N_("{count} tokens"), count=f"{sign}{self.figures.decimal(round(added, 1))}")

    def evidence(self, log_e: Decimal) -> Markup:
        """An e-value from its natural logarithm: 20 is twenty times as likely as chance under the other verdict."""
        power = float(log_e) / math.log(10)
        if -2 < power < 6:
            return escape(self.figures.significant(10**power))
        return Markup("10<sup>{}</sup>").format(self.figures.whole(round(power)))

    def error(self, plan: Plan) -> Markup:
        """Exactly which error a plan controls, and by which rule."""
        return self.say(
            N_("In each stage, {error} ({rule})."),
            error=self.say(error_sentence(plan), alpha=self.figures.threshold(plan.alpha)),
            rule=self.word(MULTIPLICITIES, plan.multiplicity),
        )

    def mix(self, weights: Mapping[str, Decimal], *, languages: bool = False) -> str:
        """Names with their shares of the whole."""
        total = sum(weights.values()) or Decimal(1)
        shares = {name: self.figures.threshold(round(weight / total, 3)) for name, weight in weights.items()}
        return ", ".join(f"{self.figures.tongue(name) if languages else name}\u00a0{shares[name]}" for name in shares)

    def unasked(self, names: Sequence[str]) -> Markup:
        """Languages of the system in which a hazard is not asked."""
        return self.figures.listed([self.figures.tongue(name) for name in names])

    def attack(self, name: str) -> str:
        """An attack by its name."""
        return name

    def question(self, name: str) -> str:
        """Whether a question had been asked before remedies were chosen."""
        return self.word(QUESTIONS, name)

    def two_languages(self, names: tuple[str, str]) -> str:
        """The first language minus the second."""
        return f" {MINUS} ".join(self.figures.tongue(name) for name in names)

    def cell(self, names: tuple[str, str]) -> str:
        """An attack in a language."""
        attack, language = names
        return f"{self.attack(attack)}, {self.figures.tongue(language)}"

    def hunt_plan(self, hunt: HuntPlan) -> Markup:
        """How the worst attack on a hazard is hunted."""
        told = [
            self.ngettext("at most one trial", "at most {n} trials", hunt.cap),
            self.say(N_("in batches of {batch}"), batch=self.figures.whole(hunt.batch)),
            self.say(N_("error {alpha}"), alpha=self.figures.threshold(hunt.alpha)),
            self.say(N_("attacks: {list}"), list=", ".join(self.attack(name) for name in hunt.attacks)),
        ]
        if not hunt.bare:
            told.append(self.say(N_("only behind chosen remedies")))
        refuses, shows = N_("what it proves there refuses them"), N_("what it proves there is only shown")
        told.append(self.say(refuses if hunt.gate == "refuse" else shows))
        if hunt.attacker:
            said = N_("the attacker is {model}, at most {turns} turns")
            told.append(self.say(said, model=hunt.attacker, turns=self.figures.whole(hunt.turns)))
        return self.clauses(told)

    def corpus(self, corpus: CorpusIdentity) -> Markup:
        """The listed prompts that a hazard is measured on."""
        told = [
            self.ngettext("one prompt", "{n} prompts", corpus.rows),
            self.ngettext("one seed", "{n} seeds", corpus.seeds),
            self.say(N_("licence {licence}"), licence=corpus.licence),
            self.say(N_("source {source}, {revision}"), source=corpus.source, revision=corpus.revision),
        ]
        if corpus.left_out:
            told.append(self.ngettext("one row left out", "{n} rows left out", corpus.left_out))
        return self.clauses(told)

    def arm(self, stage: str) -> str:
        """Which system a stage asked."""
        arms = {"measure": N_("As it stood"), "confirm": N_("With the remedies, on fresh items")}
        return self.say(arms[stage]) if stage in arms else self.word(STAGES, stage)

    def basis(self, finding: Finding) -> Markup:
        """Who scored, what is estimated and how, in one sentence."""
        return self.say(
            N_("Scored by {scorer}. Estimated: {estimand}; {scope}. {method}, level {level}."),
            scorer=self.scorer(finding.scorer),
            estimand=self.estimand(finding.estimand),
            scope=self.word(SCOPES, finding.scope),
            method=_capital(self.word(METHODS, finding.estimate.method)),
            level=self.figures.threshold(finding.estimate.level),
        )

    def estimand(self, sentence: str) -> str:
        """What a rate is a rate of: the sentence of a probe, in the reader's language where that is known."""
        return translate(sentence, self.language)

    def benign_basis(self, rate: BenignRate) -> Markup:
        """Who scored the ordinary requests, and how their interval is made."""
        return self.say(
            N_("Scored by {scorer}. {method}, level {level}."),
            scorer=self.scorer(rate.scorer),
            method=_capital(self.word(METHODS, rate.estimate.method)),
            level=self.figures.threshold(rate.estimate.level),
        )

    def scorer(self, identity: ScorerIdentity) -> str:
        """A scorer, and whether it can err."""
        if identity.name == PERSON:
            return self.say(N_("people"))
        facts = filter(None, (self.word(SCORERS, identity.kind), identity.calibration))
        return f"{identity.name} {identity.version} ({'; '.join(facts)})"

    @staticmethod
    def tag(language: str) -> str:
        """A language code that may stand in a `lang` attribute, or nothing."""
        return language if re.fullmatch("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", language) else ""

    def reason(self, reason: Reason) -> Markup:
        """Why a gate decided; an unknown code is shown with its facts."""
        known = REASONS.get(reason.code)
        if known is None:
            facts = [str(fact) for fact in (reason.about, reason.got, reason.limit) if fact not in (None, "")]
            return Markup("{}: {}").format(reason.code, ", ".join(facts)) if facts else escape(reason.code)
        write_got = write_limit = self._writer(known.unit)
        if known.unit == "proportion":
            write_got, write_limit = self.figures.percent, self.figures.threshold
        got = UNKNOWN if reason.got is None else write_got(reason.got)
        limit = UNKNOWN if reason.limit is None else write_limit(reason.limit)
        return self.say(known.sentence, about=self._about(reason.about), got=got, limit=limit)

    def clauses(self, items: Iterable[Markup]) -> Markup:
        """Clauses that hold commas of their own, in one sentence."""
        separator = f"{NARROW}; " if self.language == "fr" else "; "
        return escape(separator).join(items)

    def _about(self, slug: str) -> str:
        """What a reason is about."""
        return self.say(N_("the hazards")) if slug == "hazards" else self.hazard(slug)

    @staticmethod
    def _with_span(value: str, span: Markup) -> Markup:
        return Markup('<span class="figure">{}</span> <span class="span">({})</span>').format(value, span)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
