"""Words, numbers, money and dates in the reader's language."""

import html as markup
import re
import string
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from tierbook.show.catalogue import translations

NONE = "–"
LONGEST = 300  # characters of one value on a page; files have the whole
# NUL and its like, line separators, bidirectional embeddings, overrides and isolates, lone surrogates, no characters
CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ufffe\uffff"
_CONTROL = re.compile(f"[{CONTROLS}\ud800-\udfff]")
_RIGHT_TO_LEFT = re.compile("[\u200f\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
MINUS = "−"
TEN_THOUSAND = 10_000
MILLION = 1_000_000


def N_(message: str) -> str:
    """Mark `message` for translation where it is written, to be looked up later by ``Words.text``."""
    return message


def on_page(text: str) -> str:
    """Text from data as a page may hold it, in an element or an attribute: escaped, cut to `LONGEST` with ``…``, and every
    sign that would rule the text instead of standing in it (`CONTROLS`) shown as ``�``."""
    kept = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return markup.escape(_CONTROL.sub("\ufffd", kept))


def _in_sentence(text: str) -> str:
    # names in Hebrew or Arabic would else turn the numbers beside them round
    shown = on_page(text)
    return f"<bdi>{shown}</bdi>" if _RIGHT_TO_LEFT.search(shown) else shown


class Words:
    """One language's way of saying things.

    Every formatter takes a plain Python, numpy or pandas scalar and gives text; a null or infinite value gives ``–``.
    Results are plain text, not HTML: ``Words.html`` and ``tables.html`` escape them.

    Parameters
    ----------
    language : str
        ``en`` or ``zh``: a language of ``show/locale``.
    currency : str
        ISO code of the run's one currency.
    terms : mapping, optional
        Further terms as group → code → language → text, such as the names of a user's own tier scheme.
    """

    def __init__(self, language: str, currency: str = "CNY", terms: Mapping | None = None):
        self.language = language
        self.currency = currency
        self.terms = terms or {}
        self._catalogue = translations(language)

    def gettext(self, message: str | Mapping[str, str]) -> str:
        """The message in this language, its placeholders untouched; ``{"en": …, "zh": …}`` brings its own translation."""
        if isinstance(message, Mapping):
            return message.get(self.language) or next(iter(message.values()), "")
        return self._catalogue.gettext(message) if message else ""

    def text(self, message: str, /, **values: Any) -> str:
        """The message in this language with `values` filled in, as plain text.

        A placeholder names a value and a format of :meth:`format`: ``{sales:money}``, ``{share:percent.1}``,
        ``{tier:term.tier}``, ``{n:number|customer|customers}`` (one, many). A value may be a function of the words.
        """
        return _Sentence(self, escape=str).vformat(self.gettext(message), (), values)

    def html(self, message: str, /, **values: Any) -> str:
        """Like :meth:`text`, for a page: the message may hold markup, every value is made harmless (`on_page`)."""
        return _Sentence(self, escape=_in_sentence).vformat(self.gettext(message), (), values)

    def format(self, value: Any, spec: str = "") -> str:
        """One value by a format: number, percent, money, chance (of p), change, points, date, month, span, list, term or text.

        ``.digits`` follows the name (``percent.1``), a leading ``+`` shows the sign of a gain, ``span.percent`` takes a
        pair, ``term.tier`` and ``list.tier`` a group of terms, ``date.short`` gives the ISO form.
        """
        if spec in ("", "text"):
            return NONE if _is_null(value) else str(value)
        counted, _, forms = spec.partition("|")
        kind, _, argument = counted.removeprefix("+").partition(".")
        if kind not in _FORMATS:
            raise ValueError(f"unknown format {spec!r}: use one of {', '.join(_FORMATS)}")
        shown = _FORMATS[kind](self, value, argument)
        if forms:
            one, _, many = forms.partition("|")
            return f"{shown} {one if value == 1 else many}"
        return f"+{shown}" if spec.startswith("+") and not _is_null(value) and value > 0 else shown

    def number(self, x: Any, digits: int = 0) -> str:
        """A number with thousands separated, halves rounded away from zero."""
        return NONE if (exact := _exact(x)) is None else self._decimal(exact, digits)

    def percent(self, x: Any, digits: int = 0) -> str:
        """A share (1 is the whole) as a percentage."""
        return NONE if (exact := _exact(x)) is None else f"{self._decimal(exact * 100, digits)}%"

    def chance(self, x: Any) -> str:
        """A p value: three decimals, and ``< 0.001`` for a smaller one."""
        shown = self.number(x, 3)
        return f"< {self.number(0.001, 3)}" if shown == self.number(0, 3) and x >= 0 else shown

    def change(self, x: Any, digits: int = 1) -> str:
        """A relative change (0.064 is 6.4 % more) with its sign."""
        return self._signed(x, self.percent(x, digits))

    def points(self, x: Any, digits: int = 1) -> str:
        """A difference of two shares, in percentage points, with its sign."""
        if (exact := _exact(x)) is None:
            return NONE
        unit = "个百分点" if self.language == "zh" else " pp"
        return self._signed(x, self._decimal(exact * 100, digits)) + unit

    def money(self, x: Any, digits: int | None = None) -> str:
        """An amount of the run's currency, short enough for a sentence.

        Chinese counts in 万 from 10,000 upward, with one decimal; English in millions from there, with two. Without
        `digits`, amounts under 100 carry two decimals and larger ones none.
        """
        exact = _exact(x)
        if exact is None:
            return NONE
        places = (2 if abs(exact) < 100 else 0) if digits is None else digits
        unit, step, decimals = ("万", TEN_THOUSAND, 1) if self.language == "zh" else ("M", MILLION, 2)
        if abs(_rounded(exact, places)) >= step:
            exact, places = exact / step, decimals
        else:
            unit = ""
        amount = self._decimal(exact, places) + unit
        if self.language == "zh" and self.currency == "CNY":
            return f"{amount}元"
        return f"{MINUS * amount.startswith(MINUS)}{self._symbol()}{amount.removeprefix(MINUS)}"

    def money_unit(self, largest: Any) -> tuple[int, int, str]:
        """Divisor, decimals and unit for a whole column of amounts, chosen by its largest, so that rows compare."""
        size = abs(_exact(largest) or 0)
        unit = "元" if self.language == "zh" and self.currency == "CNY" else self._symbol().strip()
        if self.language == "zh" and size >= 10 * TEN_THOUSAND:
            return TEN_THOUSAND, 1, "万元" if unit == "元" else f"万 {unit}"
        return 1, 2 if size < 100 else 0, unit

    def date(self, d: Any, style: str = "long") -> str:
        """A day: ``October 31, 2026`` or 2026年10月31日; `style` ``short`` gives 2026-10-31."""
        if _is_null(d):
            return NONE
        from babel.dates import format_date

        return _day(d).isoformat() if style == "short" else format_date(_day(d), "long", locale=self.language)

    def month(self, d: Any) -> str:
        """The month of a day: ``October 2026`` or 2026年10月."""
        if _is_null(d):
            return NONE
        from babel.dates import format_skeleton

        return format_skeleton("yMMMM", _day(d), locale=self.language)

    def span(self, low: Any, high: Any, kind: str = "number") -> str:
        """Both ends of an interval with an en dash; a shared unit is written once, spaces part negative ends."""
        if _is_null(low) or _is_null(high):
            return NONE
        first, last = self.format(low, kind), self.format(high, kind)
        if _unit(first) == _unit(last):
            first = first.removesuffix(_unit(first))
        return f"{first} – {last}" if MINUS in first + last else f"{first}–{last}"

    def list(self, items: Any, group: str = "") -> str:
        """Names one after another (``A, B and C`` or A、B和C), looked up as terms where a group is given."""
        from babel.lists import format_list

        return format_list([self.term(group, item) if group else str(item) for item in items], locale=self.language)

    def term(self, group: str, code: Any) -> str:
        """The name of a code; a code without a name stands for itself, null is ``–``."""
        if _is_null(code):
            return NONE
        for terms in (self.terms, _terms()):
            name = terms.get(group, {}).get(code, {}).get(self.language)
            if name is not None:
                return name
        return str(code)

    def term_rank(self, group: str, code: Any) -> int | None:
        """Place of a code in its group's own order, best or earliest first; null where the order is unknown."""
        codes = list({**self.terms.get(group, {}), **_terms().get(group, {})})
        return codes.index(code) if code in codes else None

    def _decimal(self, exact: Decimal, digits: int) -> str:
        return _written(_rounded(exact, digits), digits, self.language)

    def _signed(self, x: Any, shown: str) -> str:
        positive = not _is_null(x) and x > 0 and any(digit in "123456789" for digit in shown)
        return f"+{shown}" if positive else shown

    def _symbol(self) -> str:
        from babel.numbers import get_currency_symbol

        symbol = get_currency_symbol(self.currency, locale=self.language)
        return f"{symbol}\u00a0" if symbol[-1].isalpha() else symbol


class _Sentence(string.Formatter):
    def __init__(self, words: Words, escape):
        self.words = words
        self.escape = escape

    def format_field(self, value: Any, format_spec: str) -> str:
        return self.escape(self.words.format(value(self.words) if callable(value) else value, format_spec))


def _digits(argument: str) -> dict[str, int]:
    return {"digits": int(argument)} if argument else {}


_FORMATS = {
    "number": lambda words, x, arg: words.number(x, **_digits(arg)),
    "percent": lambda words, x, arg: words.percent(x, **_digits(arg)),
    "money": lambda words, x, arg: words.money(x, **_digits(arg)),
    "chance": lambda words, x, arg: words.chance(x),
    "change": lambda words, x, arg: words.change(x, **_digits(arg)),
    "points": lambda words, x, arg: words.points(x, **_digits(arg)),
    "date": lambda words, x, arg: words.date(x, arg or "long"),
    "month": lambda words, x, arg: words.month(x),
    "span": lambda words, x, arg: words.span(*x, kind=arg or "number"),
    "list": lambda words, x, arg: words.list(x, arg),
    "term": lambda words, x, arg: words.term(arg, x),
}


@cache
def _terms() -> dict:
    path = Path(__file__).with_name("terms.yaml")
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _is_null(x: Any) -> bool:
    if x is None:
        return True
    try:
        return bool(x != x)
    except (TypeError, ValueError):
        # pandas.NA has no truth value; a sequence is no null
        return not hasattr(x, "__len__")


def _exact(x: Any) -> Decimal | None:
    if _is_null(x):
        return None
    # through text, so that 0.285 is 28.5 % and not 28.4999…
    exact = Decimal(str(x))
    return exact if exact.is_finite() else None


def _rounded(exact: Decimal, digits: int) -> Decimal:
    # adding zero turns a negative zero into a plain one
    return exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP) + 0


@lru_cache(maxsize=10_000)
def _written(exact: Decimal, digits: int, language: str) -> str:
    # kept, for the ticks of an axis are asked for again and again while it is laid out
    from babel.numbers import format_decimal

    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(exact, format=pattern, locale=language).replace("-", MINUS)


def _unit(shown: str) -> str:
    return shown[len(shown.rstrip("%万元")) :]


def _day(d: Any) -> date:
    if isinstance(d, str):
        return date.fromisoformat(d[:10] if len(d) > 7 else f"{d}-01")
    d = d.item() if hasattr(d, "astype") else d
    return date(d.year, d.month, d.day)
