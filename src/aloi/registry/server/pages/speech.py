"""Sentences, figures and times as the reader's language writes them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from babel import Locale
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from aloi.translation import catalogue, translate, written

NARROW = "\u202f"

Title = Callable[[str, str], str]  # a hazard in a language, by its slug


class Speech:
    """Writes in one language ('en' or 'fr'). What is not `Markup` is escaped."""

    def __init__(self, language: str, hazard: Title) -> None:
        self.language = language
        self._hazard = hazard
        self._locale = Locale.parse(language)

    def say(self, message: str, /, **facts: object) -> Markup:
        """A sentence of the catalogue."""
        return Markup(escape(translate(message, self.language))).format(**facts)  # noqa: S704 - escaped

    def ngettext(self, one: str, many: str, n: int, /, **facts: object) -> Markup:
        """A sentence that depends on a count, `{n}` in it."""
        text = catalogue(self.language).ngettext(one, many, n)
        return Markup(escape(text)).format(n=self.whole(n), **facts)  # noqa: S704 - escaped

    def word(self, words: Mapping[str, str], code: str) -> str:
        """What a code means; one that nobody knows here is shown as it is."""
        return translate(words[code], self.language) if code in words else code

    def hazard(self, slug: str) -> str:
        """What a hazard is called."""
        return self._hazard(slug, self.language)

    def whole(self, value: int) -> str:
        """A count."""
        return str(format_decimal(value, "#,##0", locale=self._locale)).replace("\u00a0", NARROW)

    def percent(self, value: Decimal) -> str:
        """A proportion, with at most two decimals."""
        pattern = str(self._locale.percent_formats[None].pattern).replace("#0", "#0.##")
        return str(format_percent(value, pattern, locale=self._locale)).replace("\u00a0", NARROW)

    def moment(self, second: int) -> str:
        """A POSIX second in UTC, written out."""
        when = datetime.fromtimestamp(second, UTC)
        return f"{written(when, self.language)}, {when:%H:%M} UTC"
