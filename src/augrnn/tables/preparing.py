"""Questions and tables as the model of 2016 sees them, but for word ids (Neelakantan et al. 2016, section 3 and code).

What is computed here is the same for any vocabulary, and is kept in the cache.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from augrnn.tables.batch import ARGUMENTS
from augrnn.tables.corpus import Question, TableQuestions
from augrnn.tables.denotations import TOLERANCE, Value, value, values
from augrnn.tables.table import Table
from augrnn.tables.values import canonical
from augrnn.tables.words import Word, compared, words
from augrnn.text.cache import cached

RULES = 1
"""The version of what is done here and in the modules that it uses; a new one makes the cache's entries anew."""


class Limits(NamedTuple):
    """The largest table that is worked on; the paper's code has these. Questions on larger ones count as wrong.

    Attributes:
      rows: below the header.
      number_columns: columns of which every cell is one number.
      word_columns: all others.
    """

    rows: int = 100
    number_columns: int = 15
    word_columns: int = 25


LIMITS = Limits()

KINDS = ("look-up", "number in the table", "number not in the table", "neither")
"""What answers are: cells alone, one number that some cell has or that none has, or nothing that could be printed."""


class PreparedTable(NamedTuple):
    """What of a table does not depend on the question. Cell (c, r) has the number c R + r (R = rows).

    Attributes:
      rows: how many there are.
      numeric: for each column whether every cell is one number.
      names: the first word of each column's name; nothing where it has none, or a number.
      most_frequent: the cells of the most frequent value of each column, if one occurs twice.
      compared: for each cell what comparisons see of it, see `augrnn.tables.words.compared`.
    """

    rows: int
    numeric: list[bool]
    names: list[str]
    most_frequent: list[int]
    compared: list[float | None]


class PreparedQuestion(NamedTuple):
    """A question, and how it and its answer lie in its table. On a table beyond the limits there is none.

    Attributes:
      words: without numbers; None where a phrase is anonymised. At least one.
      arguments: its first two numbers, a date as its digits.
      places: where in `words` the word to the left of each of them is; the first where there is none.
      names: the columns whose name matches.
      entries: the cells that match.
      scalar: the answer, if it is one number.
      answer: the cells that match an item of the answer, each with the item's number from 1; none unless all items do.
    """

    words: list[str | None]
    arguments: list[float]
    places: list[int]
    names: list[int]
    entries: list[int]
    scalar: float | None
    answer: list[tuple[int, int]]

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        look_up, found, computed, neither = KINDS
        if self.scalar is None:
            return look_up if self.answer else neither
        return found if self.answer else computed


class Prepared(NamedTuple):
    """The questions of a split in its order, None on tables beyond the limits, and the tables by name."""

    questions: list[PreparedQuestion | None]
    tables: dict[str, PreparedTable]


def prepare(data: TableQuestions, limits: Limits = LIMITS) -> Prepared:
    """All questions and tables of a split."""
    return prepare_with(fitting(data, limits), data)


def fitting(data: TableQuestions, limits: Limits = LIMITS) -> dict[str, "Lookup"]:
    """The tables of a split that are within the limits, by name."""
    lookups = {name: Lookup(table) for name, table in data.tables.items()}
    return {name: lookup for name, lookup in lookups.items() if lookup.within(limits)}


def prepare_with(fit: Mapping[str, "Lookup"], data: TableQuestions) -> Prepared:
    """All questions of a split on the tables that fit, and these."""
    return Prepared(
        [prepare_question(each, fit[each.table]) if each.table in fit else None for each in data.questions],
        {name: lookup.prepare() for name, lookup in fit.items()},
    )


def cached_prepare(data: TableQuestions, limits: Limits = LIMITS, cache: Path | None = None) -> Prepared:
    """`prepare`, kept in the cache.

    Args:
      data: the split.
      limits: see `Limits`.
      cache: another directory than `augrnn.cache_directory.cache_directory`.

    Raises:
      UserError: the cache cannot be written.
    """
    content = (repr(part) for part in (*data.questions, *data.tables.values()))
    text = cached(f"tables {RULES} {tuple(limits)}", content, lambda: json.dumps(prepare(data, limits)), cache)
    questions, tables = json.loads(text)
    return Prepared(
        [None if each is None else _question(*each) for each in questions],
        {name: PreparedTable(*each) for name, each in tables.items()},
    )


def _question(*fields: Any) -> PreparedQuestion:
    """A question that was JSON, which has no tuples."""
    made = PreparedQuestion(*fields)
    return made._replace(answer=[(cell, item) for cell, item in made.answer])


class Lookup:
    """A table, cut into words, that tells where a question and an answer match it.

    Args:
      table: the table.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows, self.columns = table.shape
        self.cells = [words(row[column]) for column in range(self.columns) for row in table.rows]
        columns = [self.cells[start : start + self.rows] for start in range(0, len(self.cells), self.rows)]
        self.numeric = [all(len(cell) == 1 and isinstance(cell[0], float) for cell in column) for column in columns]
        self.names = [words(name) for name in table.header]
        self._numbers: dict[Word, list[int]] = {}
        self._phrases: dict[tuple[Word, ...], list[int]] = {}
        self._words: dict[Word, list[int]] = {}
        for number, cell in enumerate(self.cells):
            if self.numeric[number // self.rows]:
                self._numbers.setdefault(cell[0], []).append(number)
            elif cell:
                self._phrases.setdefault(cell, []).append(number)
                for word in set(cell):
                    self._words.setdefault(word, []).append(number)
        self._longest = max(map(len, self._phrases), default=0)
        texts = (row[column] for column in range(self.columns) for row in table.rows)
        self._values = [cell_value(text) for text in texts]
        self._texts: dict[str, list[int]] = {}
        for number, each in enumerate(self._values):
            self._texts.setdefault(each.text, []).append(number)

    def within(self, limits: Limits) -> bool:
        """Whether the table has no more rows and columns than these."""
        numeric = sum(self.numeric)
        most = self.rows, numeric, self.columns - numeric
        return all(number <= limit for number, limit in zip(most, limits, strict=True))

    def prepare(self) -> PreparedTable:
        """What does not depend on a question."""
        frequent = [number for column in range(self.columns) for number in self._most_frequent(column)]
        names = [name[0] if name and isinstance(name[0], str) else "" for name in self.names]
        seen = [compared(row[column]) for column in range(self.columns) for row in self.table.rows]
        return PreparedTable(self.rows, self.numeric, names, frequent, seen)

    def _most_frequent(self, column: int) -> list[int]:
        cells = self.cells[column * self.rows : (column + 1) * self.rows]
        counts = Counter(cell for cell in cells if cell)
        most, times = max(counts.items(), key=lambda item: item[1], default=((), 0))  # the first of equals
        return [column * self.rows + row for row, cell in enumerate(cells) if cell == most] if times > 1 else []

    def entries(self, question: Sequence[Word]) -> tuple[list[int], list[tuple[int, int]]]:
        """The cells that stand in a question as a whole, and where those of word columns stand, from and to.

        If there are none, the cells of word columns of which any word stands there.
        """
        found: list[int] = []
        spans: list[tuple[int, int]] = []
        for start, word in enumerate(question):
            found += self._numbers.get(word, [])
            for end in range(start + 1, min(len(question), start + self._longest) + 1):
                if cells := self._phrases.get(tuple(question[start:end])):
                    found += cells
                    spans.append((start, end))
        if not found:
            found = [number for word in question for number in self._words.get(word, [])]
        return sorted(set(found)), spans

    def named(self, question: Sequence[Word]) -> list[int]:
        """The columns whose names stand in a question as a whole; if there are none, those of which any word does."""
        phrases = {tuple(question[start : start + len(name)]) for name in self.names for start in range(len(question))}
        whole = [column for column, name in enumerate(self.names) if name and name in phrases]
        return whole or [column for column, name in enumerate(self.names) if set(name) & set(question)]

    def answers(self, targets: Sequence[Value]) -> list[tuple[int, int]]:
        """The cells that match an item, each with the number of the first such, from 1; none unless all items do."""
        found: dict[int, int] = {}
        for item, target in enumerate(targets, start=1):
            cells = [*self._texts.get(target.text, []), *self._same(target)]
            if not cells:
                return []
            for cell in cells:
                found.setdefault(cell, item)
        return sorted(found.items()) if len(set(found.values())) == len(targets) else []

    def _same(self, target: Value) -> list[int]:
        """Cells of the same number or date."""
        if target.date is not None:
            return [number for number, each in enumerate(self._values) if each.date == target.date]
        if target.amount is None:
            return []
        amounts = ((number, each.amount) for number, each in enumerate(self._values))
        return [number for number, amount in amounts if amount is not None and abs(amount - target.amount) < TOLERANCE]


@lru_cache(maxsize=1 << 16)
def cell_value(text: str) -> Value:
    """A cell as an answer is seen by the evaluator: its text, with the number or date that it is read as."""
    return value(text, canonical(text))


def printed(text: str) -> Value:
    """A cell as a prediction: its number or date if it is read as one, else its text.

    A prediction is one text, of which the evaluator reads no more than plain numbers and yyyy-mm-dd. So "4th" and
    "10 years" are printed as 4.0 and 10.0, and are right where the answer is "4" or "10 years".
    """
    return value(canonical(text))


def prepare_question(question: Question, lookup: Lookup) -> PreparedQuestion:
    """A question on a table.

    Args:
      question: with its answer; none where it is asked of a trained model.
      lookup: its table.
    """
    asked = words(question.text)
    entries, spans = lookup.entries(asked)
    names = lookup.named(asked)
    hidden = {place for start, end in spans for place in range(start, end)}
    kept: list[str | None] = []
    arguments: list[float] = []
    places: list[int] = []
    for place, word in enumerate(asked):
        if place in hidden or isinstance(word, str):
            kept.append(None if place in hidden else str(word))
        elif len(arguments) < ARGUMENTS:
            arguments.append(word if isinstance(word, float) else word.digits)
            places.append(max(len(kept) - 1, 0))
    targets = values(question.answer, question.canon)
    scalar = targets[0].amount if len(targets) == 1 else None
    answer = lookup.answers(targets) if targets else []
    return PreparedQuestion(
        kept or [None], arguments, places, names, entries, None if scalar is None else float(scalar), answer
    )
