"""Words of questions, names and cells, with numbers and dates among them (Neelakantan et al. 2016, section 3.2).

The paper's code has a tagger (CoreNLP) do this. Here it is done by rules: amounts, of money and percentages too, are
numbers, and so are number words ("three", "2.5 million"); days, with a year or without, and months of a year are dates;
ordinals, ranges, scores and times are words.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from augrnn.tables.values import DASHES, DATES, MONTH, MULTIPLES, Date, found_date, number, numbers

Word = str | float | Date
"""A word in lower case, a number, or a date."""

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()  # noqa: SIM905
_UNITS += ["seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBERS = (
    {word: float(value) for value, word in enumerate(_UNITS)}
    | {word: 10.0 * value for value, word in enumerate(_TENS, start=2)}
    | {f"{ten} {_UNITS[one]}": 10.0 * value + one for value, ten in enumerate(_TENS, start=2) for one in range(1, 10)}
    | {"dozen": 12.0}
)
"""What number words say."""

_SIMPLE = str.maketrans(dict.fromkeys(DASHES, "-") | dict.fromkeys("‘’´`", "'") | dict.fromkeys("“”", '"'))
_NOTES = re.compile(r"\[(?:(?:nb|note) ?)?[0-9a-z]{1,3}\]")
_ENDS = r"(?<![\w/.-]){}(?![\w/-]|\.[0-9])"
_DATES = [re.compile(_ENDS.format(form)) for form in DATES]
_PERHAPS_DATE = re.compile(rf"{MONTH}|[0-9][/.-][0-9]")
_BETWEEN = re.compile(r"[\s\"()\[\]{}<>;|…]+|,(?![0-9])|(?<![0-9]),|(?<=[^\W\d])'(?=s\b)")
_INSIDE = re.compile(r"[-/\\:,]+")
_LEFT_OUT = re.compile(r"['*?\ufeff]")


@lru_cache(maxsize=1 << 16)
def words(text: str) -> tuple[Word, ...]:
    """The words of a text in their order; none of an empty one, or one of signs alone."""
    return tuple(_joined(list(_cut(_plain(text)))))


def compared(text: str) -> float | None:
    """What comparisons see of a cell: the digits of its first date, else its first number; None if it has neither."""
    found = words(text)
    if day := next((word for word in found if isinstance(word, Date)), None):
        return day.digits
    if len(found) == 1 and isinstance(found[0], float):
        return found[0]
    return next(iter(numbers(text)), None)


def _plain(text: str) -> str:
    """Lower case, without marks on letters, fractions, powers and citations."""
    if not text.isascii():
        text = "".join(" " if unicodedata.category(each) == "No" else each for each in text)
        text = unicodedata.normalize("NFKD", text)
        text = "".join(each for each in text if unicodedata.category(each) != "Mn").translate(_SIMPLE)
    return _NOTES.sub("", text.lower())


def _cut(text: str) -> Iterator[Word]:
    start = 0
    for first, last, day in _dates(text):
        yield from _pieces(text[start:first])
        yield day
        start = last
    yield from _pieces(text[start:])


def _dates(text: str) -> list[tuple[int, int, Date]]:
    """Where dates are, in their order; of those that overlap the form that goes before."""
    found: list[tuple[int, int, Date]] = []
    for form in _DATES if _PERHAPS_DATE.search(text) else ():
        for match in form.finditer(text):
            first, last = match.span()
            free = all(last <= start or end <= first for start, end, _ in found)
            if free and (day := found_date(match)):
                found.append((first, last, day))
    return sorted(found)


def _pieces(text: str) -> Iterator[Word]:
    for piece in _BETWEEN.split(text):
        amount = _amount(piece.rstrip(".:!?'"))
        if amount is not None:
            yield amount
            continue
        word = " ".join(_INSIDE.sub(" ", _LEFT_OUT.sub("", piece)).strip(" .!~=+&_").split())
        if any(each.isalnum() for each in word):
            yield word


def _amount(piece: str) -> float | None:
    """The number that a piece without a space is: no ordinal."""
    return number(piece) if piece[-1:].isdecimal() or piece[-1:] == "%" else None


def _joined(found: list[Word]) -> Iterator[Word]:
    """Number words as numbers, with the word that multiplies them."""
    place = 0
    while place < len(found):
        word, place = found[place], place + 1
        if isinstance(word, str) and word in NUMBERS:
            after = found[place] if place < len(found) else None
            pair = f"{word} {after}"
            word, place = (NUMBERS[pair], place + 1) if pair in NUMBERS else (NUMBERS[word], place)
        while isinstance(word, float) and place < len(found) and found[place] in MULTIPLES:
            word, place = word * MULTIPLES[str(found[place])], place + 1
        yield word
