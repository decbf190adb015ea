"""Numbers, dates and lists in cells and answers, read as the tagger of WikiTableQuestions read them.

Pasupat and Liang 2015 gave out what a tagger (CoreNLP) made of every cell and every answer, and their evaluator judges
by it. The rules here were written from these readings; `tests/tables/test_values.py` holds them to answers and cells.
"""

import re
from typing import NamedTuple

MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]

MULTIPLES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
"""Words that multiply the number before them."""

LARGEST = 1e100
"""Digits beyond are no number, so that none is infinite."""

DASHES = "‐‑‒–—−"
"""What is written for a hyphen or a minus."""


class Date(NamedTuple):
    """A day, or what is said of one; None for the rest."""

    year: int | None
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        """As yyyy-mm-dd, with x for every digit that is not said."""
        year = "xxxx" if self.year is None else f"{self.year:04d}"
        return "-".join([year, *("xx" if part is None else f"{part:02d}" for part in (self.month, self.day))])

    @property
    def digits(self) -> float:
        """Its digits as one number, which is how the paper's code compares dates: 20110304, and 304 without a year."""
        return float(str(self).replace("x", "").replace("-", ""))


# Numbers -------------------------------------------------------------------------------------------------------------


def _digits(between: str) -> str:
    """Digits with what may stand between thousands, and decimals."""
    return rf"(?:[0-9]{{1,3}}(?:[{between}][0-9]{{3}})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"


_DECIMALS = r"\.[0-9]+"
_ALL = re.compile(rf"(?<![\w.,)])[-+]?[$€£]?(?:{_digits(', ')}|{_DECIMALS})|{_digits(', ')}")
_WHOLE = re.compile(
    rf"""(?P<sign>[-+]?) [$€£\#]? (?P<digits>{_digits(",")}|{_DECIMALS})
    (?: \ ?% | st | nd | rd | th | \ (?P<multiple>{"|".join(MULTIPLES)})(?:\ [a-z]+)?
      | \ (?:[a-z]+|[A-Z]) | \ ?\([^()]*\) )?
    """,
    re.VERBOSE,
)
_SIMPLE = str.maketrans(dict.fromkeys(DASHES, "-") | dict.fromkeys("\xa0\u2009\u202f", " ") | {"\ufeff": None})


def plain(text: str) -> str:
    """One kind of dash and of space, none at the ends."""
    return " ".join(text.translate(_SIMPLE).split(" ")).strip()


def numbers(text: str) -> list[float]:
    """All numbers in a cell, in their order: 24 and 6 of "W 24-6".

    Commas and spaces may stand between thousands. A hyphen is a minus only where nothing is before it.
    """
    amounts = (float(re.sub("[$€£, ]", "", found)) for found in _ALL.findall(plain(text)))
    return [amount for amount in amounts if abs(amount) < LARGEST]


def number(text: str) -> float | None:
    """The number that a whole text is: "1,234.5", "−3", "12%", "1st", "$5", "#4", "4.0 million", "10 years".

    One word may come after it as its unit, if a small one, or a remark in brackets. None for anything else: "2–1",
    "1990s", "2012 Olympics", "four".
    """
    found = _WHOLE.fullmatch(plain(text))
    if found is None:
        return None
    amount = float(found["digits"].replace(",", "")) * MULTIPLES.get(found["multiple"], 1.0)
    if amount >= LARGEST:
        return None
    return -amount if found["sign"] == "-" else amount


# Dates ---------------------------------------------------------------------------------------------------------------

MONTH = rf"(?P<name>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|sept)\.?"
_DAY, _YEAR = r"(?P<day>[0-9]{1,2})", r"(?P<year>[0-9]{4})"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?,? )?"
DATES = (
    rf"{_WEEKDAY}{MONTH} {_DAY}(?:st|nd|rd|th)?,? {_YEAR}",
    rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th)? (?:of )?{MONTH},? {_YEAR}",
    rf"{_YEAR},? {MONTH} {_DAY}",
    rf"{_WEEKDAY}{MONTH} {_DAY}(?:st|nd|rd|th)?",
    rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th)? (?:of )?{MONTH}",
    rf"{MONTH},? {_YEAR}",
    rf"{_YEAR},? {MONTH}",
    rf"{_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})",
    rf"(?P<month>[0-9]{{1,2}})[/-]{_DAY}[/-]{_YEAR}",
    rf"{_DAY}\.(?P<month>[0-9]{{1,2}})\.{_YEAR}",
    rf"(?P<month>[0-9]{{1,2}})/{_DAY}/[0-9]{{2}}",
    rf"{_YEAR}-(?P<season>(?P<month>[0-9]{{2}}))",
)
"""The forms of a date in lower case, of which an earlier one goes before a later. Months of digits come before days,
but for dots, as in the tagger; and the tagger leaves out a year of two digits. "2005-06" is a season and no month."""

_DATES = tuple(re.compile(form) for form in (*DATES, MONTH, r"(?P<year>[12][0-9]{3})"))
_HOLIDAYS = {
    "new year's day": Date(None, 1, 1),
    "halloween": Date(None, 10, 31),
    "christmas": Date(None, 12, 25),
    "christmas day": Date(None, 12, 25),
}
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def date(text: str) -> Date | None:
    """The date that a whole text is: see `DATES`, a month alone, a year of four digits from 1000 to 2999, a holiday."""
    cut = plain(text).lower()
    if holiday := _HOLIDAYS.get(cut):
        return holiday
    for form in _DATES:
        if found := form.fullmatch(cut):
            return found_date(found)
    return None


def found_date(found: re.Match[str]) -> Date | None:
    """The date of a form that was found; None where there is no such day."""
    parts = found.groupdict()
    name = parts.get("name")
    month = next(number for number, each in enumerate(MONTHS, start=1) if each[:3] == name[:3]) if name else None
    month = int(parts["month"]) if parts.get("month") else month
    day, year = (int(parts[part]) if parts.get(part) else None for part in ("day", "year"))
    possible = month is None or (1 <= month <= 12 and (day is None or 1 <= day <= _DAYS[month - 1]))
    season = bool(parts.get("season")) and year is not None and month == (year + 1) % 100
    return Date(year, month, day) if possible and not season else None


# Whole texts ---------------------------------------------------------------------------------------------------------


def parts(text: str) -> list[str]:
    """The parts of a list: what lines, commas with a space and slashes divide."""
    return [part.strip() for part in re.split(r",?\n|,[ \xa0]|/", text) if part.strip()]


def canonical(text: str) -> str:
    """An answer as the evaluator wants it beside its text: a number as "10.0", a date as yyyy-mm-dd, or the text.

    "May" alone is a word.
    """
    if (day := date(text)) and (day.month or day.day) and text != "May":
        return str(day)
    amount = number(text)
    return text if amount is None else str(amount)
