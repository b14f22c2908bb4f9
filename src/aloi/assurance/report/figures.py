"""Figures as the reader's language writes them: 12.3% in English, 12,3 % in French."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from aloi.translation import N_, translate, written

NARROW = "\u202f"
MINUS = "\u2212"
Number = Decimal | float


class Figures:
    """Writes numbers, durations and dates in one language ('en' or 'fr')."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = Locale.parse(language)

    def _set(self, number: str) -> str:
        """Typeset a number: a true minus, and narrow spaces where Babel puts wide ones."""
        return number.replace("-", MINUS).replace("\u00a0", NARROW)

    @cached_property
    def _percent_pattern(self) -> str:
        return str(self._locale.percent_formats[None].pattern)

    def percent(self, value: Number) -> str:
        """A proportion as a percentage: one decimal, two below 1 %."""
        decimals = ".00" if 0 < abs(float(value)) < 0.00995 else ".0"
        pattern = self._percent_pattern.replace("#0", f"#0{decimals}")
        return self._set(format_percent(Decimal(str(value)), pattern, locale=self._locale))

    def threshold(self, value: Number) -> str:
        """A proportion that someone chose, as it was chosen: 5 %, 0.25 %."""
        pattern = self._percent_pattern.replace("#0", "#0.####")
        return self._set(format_percent(Decimal(str(value)), pattern, locale=self._locale))

    def points(self, value: Number) -> str:
        """A difference of two proportions in percentage points, signed."""
        sign = "+" if float(value) > 0 else ""
        return sign + self._set(format_decimal(Decimal(str(value)) * 100, "#,##0.0", locale=self._locale))

    def whole(self, value: Number) -> str:
        """A count."""
        return self._set(format_decimal(value, "#,##0", locale=self._locale))

    def decimal(self, value: Number) -> str:
        """A figure with at most two decimals."""
        return self._set(format_decimal(Decimal(str(value)), "#,##0.##", locale=self._locale))

    def significant(self, value: float) -> str:
        """A figure with two significant digits, or whole from 100."""
        if value >= 100:
            return self.whole(round(value))
        return self._set(format_decimal(Decimal(f"{value:.2g}"), "#,##0.####", locale=self._locale))

    def times(self, value: float) -> str:
        """A multiple with the sign of multiplication."""
        space = NARROW if self.language == "fr" else ""
        return f"{self.decimal(round(value, 2 if value < 1 else 1))}{space}\N{MULTIPLICATION SIGN}"

    def tongue(self, code: str) -> str:
        """A language by its name in the reader's language; an unknown code as it is."""
        return str(self._locale.languages.get(code, code))

    def milliseconds(self, value: Number) -> str:
        """A duration in milliseconds, with a decimal below 10."""
        pattern = "#,##0.0" if abs(float(value)) < 10 else "#,##0"
        return self._set(format_decimal(Decimal(str(value)), pattern, locale=self._locale)) + f"{NARROW}ms"

    def duration(self, seconds: float) -> str:
        """A duration to the second: 3 min 12 s."""
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
        shown = [f"{self.whole(count)}{NARROW}{unit}" for count, unit in parts if count]
        return " ".join(shown) or f"{self.decimal(round(seconds, 2))}{NARROW}s"

    def moment(self, rfc3339: str) -> str:
        """A time in UTC, written out; a text that is no time there is left as it is."""
        try:
            when = datetime.fromisoformat(rfc3339)
            when = when.astimezone(UTC) if when.tzinfo else when
        except (ValueError, OverflowError):  # the first and the last hours of the calendar
            return rfc3339
        return f"{written(when, self.language)}, {when:%H:%M} UTC"

    def day(self, iso: str) -> str:
        """A day, written out; a text that is no day is left as it is."""
        try:
            return written(datetime.fromisoformat(iso), self.language)
        except ValueError:
            return iso

    def span(self, low: str, high: str) -> Markup:
        """Two bounds that are written already, as one range."""
        return Markup(escape(translate(N_("{low} to {high}"), self.language))).format(low=low, high=high)  # noqa: S704 - escaped

    def listed(self, items: Iterable[str]) -> Markup:
        """Items in a sentence: a, b and c. What is not `Markup` yet is escaped."""
        items = list(items)
        holders = [f"{{{place}}}" for place in range(len(items))]
        pattern = format_list(holders, locale=self._locale) if holders else ""
        return Markup(pattern).format(*items)  # noqa: S704 - the pattern is Babel's own, the items are escaped by format
