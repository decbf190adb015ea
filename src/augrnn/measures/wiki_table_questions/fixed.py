"""Programs that do the same whatever is asked: what accuracy says nothing about a question's words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from augrnn.tables.corpus import Question, TableQuestions
from augrnn.tables.denotations import Value, right, value, values
from augrnn.tables.preparing import printed
from augrnn.tables.table import Table

COLUMNS = 6
"""Columns of which a fixed program may print; few tables have more that help."""


def fixed_programs(data: TableQuestions, training: Sequence[Question]) -> dict[str, float]:
    """The share of questions that each fixed program answers right.

    "count" counts all rows. "column" prints all of a column, "first row" and "last row" the cell of one row in it: of
    the same column for all questions, the best of the first `COLUMNS`, which is chosen on these questions themselves.
    "answer" gives the most frequent answer of the training questions.

    Args:
      data: the questions.
      training: those of the training split.
    """
    correct: Counter[tuple[str, int]] = Counter()
    often, _ = Counter(question.answer for question in training).most_common(1)[0]
    constant = [value(item) for item in often]
    answers = {name: list(_answers(table)) for name, table in data.tables.items()}
    for question in data.questions:
        targets = values(question.answer, question.canon)
        correct["answer", 0] += right(targets, constant)
        for program, predictions in answers[question.table]:
            correct[program] += right(targets, predictions)
    names = ("count", "column", "first row", "last row", "answer")
    best = {name: max([count for (each, _), count in correct.items() if each == name], default=0) for name in names}
    return {name: count / len(data.questions) for name, count in best.items()}


def _answers(table: Table) -> Iterator[tuple[tuple[str, int], list[Value]]]:
    """What each fixed program on a table answers, by its name and column."""
    yield ("count", 0), [value(str(len(table.rows)))]
    for column in range(min(COLUMNS, len(table.header))):
        cells = [_printed(row[column]) for row in table.rows]
        once: Mapping[object, Value] = {cell.identity: cell for cell in cells}
        yield ("column", column), list(once.values())
        yield ("first row", column), cells[:1]
        yield ("last row", column), cells[-1:]


_printed = cache(printed)
