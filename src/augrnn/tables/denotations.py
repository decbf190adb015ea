"""The official evaluator of WikiTableQuestions, version 1.0.2: when an answer is right (Pasupat and Liang 2015).

Its rules, and what is odd in them, are kept: numbers are what Python 2 takes for some, and a date of which only the
year is said is a number.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from augrnn.tables.values import DASHES, Date

TOLERANCE = 1e-6
"""Numbers that differ by less are equal."""

_QUOTES = str.maketrans(dict.fromkeys("‘’´`", "'") | dict.fromkeys("“”", '"') | dict.fromkeys(DASHES, "-"))
_CITATIONS = re.compile(r"(?:(?<!^)\[[^\]]*\]|\[[0-9]+\]|[•♦†‡*#+])*$")
_REMARKS = re.compile(r"(?<!^)(?: \([^)]*\))*$")
_QUOTED = re.compile(r'^"([^"]*)"$')

_INTEGER = re.compile(r"\s*[-+]?\d{1,300}\s*")
_FLOAT = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class Value:
    """What an item of an answer is: a text, and a number or a date if it is one too.

    Attributes:
      text: normalised.
      amount: the number; one within `TOLERANCE` of a whole number is that.
      date: the day, if it is a date of more than a year.
    """

    text: str
    amount: int | float | None = None
    date: Date | None = None

    @property
    def identity(self) -> object:
        """What makes two values one: the number, the date, or the text."""
        return self.date or (self.text if self.amount is None else self.amount)

    def matches(self, other: "Value") -> bool:
        """Whether the texts are the same, or both are numbers or dates and equal."""
        if self.text == other.text:
            return True
        if self.amount is not None and other.amount is not None:
            return abs(self.amount - other.amount) < TOLERANCE
        return self.date is not None and self.date == other.date


def normalised(text: str) -> str:
    """What texts are compared by.

    Without marks on letters, with plain quotes and dashes; without citations ("[1]", "†") and remarks in brackets at
    the end, quotes around all of it, and one full stop; in lower case.
    """
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFKD", text) if unicodedata.category(each) != "Mn")
        text = text.translate(_QUOTES)
    else:
        text = text.replace("`", "'")
    before = None
    while text != before:
        before = text
        text = _CITATIONS.sub("", text.strip())
        text = _REMARKS.sub("", text.strip())
        text = _QUOTED.sub(r"\1", text.strip())
    text = text.removesuffix(".")
    # Letter by letter, because Python 2 knows one small sigma.
    return "".join(each.lower() for each in re.sub(r"\s+", " ", text)).strip()


def value(text: str, canon: str = "") -> Value:
    """An item of an answer; a prediction has no canon.

    Args:
      text: as it stands in the data or the prediction.
      canon: the number or date in it, as "10.0" or "yyyy-mm-dd"; what the text itself can be read as when empty.
    """
    read = canon or text
    amount = _amount(read)
    day = _date(read) if amount is None else None
    if day is not None and day.month is day.day is None:
        amount, day = day.year, None
    if amount is not None:
        amount = int(amount) if abs(amount - round(amount)) < TOLERANCE else float(amount)
        return Value(normalised(text) if text else str(amount), amount)
    if day is not None:
        return Value(normalised(text) if text else _spelled(day), date=day)
    return Value(normalised(text))


def values(texts: Iterable[str], canons: Iterable[str] | None = None) -> list[Value]:
    """The items of an answer, each once.

    Args:
      texts: see `value`.
      canons: as many, or none.
    """
    made = map(value, texts) if canons is None else (value(*pair) for pair in zip(texts, canons, strict=True))
    once: dict[object, Value] = {}
    for each in made:
        once.setdefault(each.identity, each)
    return list(once.values())


def right(targets: Sequence[Value], predictions: Sequence[Value]) -> bool:
    """Whether predicted items are the answer: as many, and each item of the answer matches one of them."""
    return len(targets) == len(predictions) and all(
        any(target.matches(each) for each in predictions) for target in targets
    )


def items(field: str) -> list[str]:
    r"""The items of an answer as the data has it: bars between them, and escapes replaced one kind after the other.

    So an escaped backslash before an n becomes a backslash and a new line.
    """
    return [item.replace(r"\n", "\n").replace(r"\p", "|").replace(r"\\", "\\") for item in field.split("|")]


def _amount(text: str) -> int | float | None:
    """A number in Python 2's grammar, which has no underscores; neither infinity nor nan."""
    if _INTEGER.fullmatch(text):
        return int(text)
    amount = float(text) if _FLOAT.fullmatch(text) else float("inf")
    return None if amount == float("inf") or amount == -float("inf") else amount


def _date(text: str) -> Date | None:
    """yyyy-mm-dd, with xx (a year also xxxx) for what is not said; days up to 31 in any month."""
    cut = text.lower().split("-")
    if len(cut) != 3:
        return None
    fields: list[int | None] = []
    for number, part in enumerate(cut):
        unsaid = part == "xx" or (number == 0 and part == "xxxx")
        if not unsaid and not _INTEGER.fullmatch(part):
            return None
        fields.append(None if unsaid else int(part))
    year, month, day = fields
    if year is month is day is None:
        return None
    possible = (month is None or 1 <= month <= 12) and (day is None or 1 <= day <= 31)
    return Date(year, month, day) if possible else None


def _spelled(day: Date) -> str:
    """A date without a text of its own; the evaluator prints -1 for a day that is not said."""
    year, month = ("xx" if part is None else part for part in day[:2])
    return f"{year}-{month}-{-1 if day.day is None else day.day}"
