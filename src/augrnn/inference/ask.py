"""A trained programmer on a user's own table and question: the answer, and the program that found it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import torch

from augrnn.batches import moved
from augrnn.errors import UserError
from augrnn.files import replacing
from augrnn.inference.load import Model
from augrnn.programs.neural_programmer import COUNT, OPERATIONS, PRINT, WITH_COLUMN
from augrnn.tables.batch import LIKELY
from augrnn.tables.corpus import Question, TableQuestions
from augrnn.tables.encoding import QuestionSet
from augrnn.tables.preparing import Limits, prepare
from augrnn.tables.table import Table
from augrnn.tasks.wiki_table_questions import WikiTableQuestions
from augrnn.text.corpus_files import checked_text

LIMITS = Limits(rows=10_000, number_columns=100, word_columns=100)
"""A model can work on larger tables than those it was trained on; these bound what a question costs."""

SHOWN = 60
"""Rows of a page around those that a program selected."""


@dataclass(frozen=True)
class Step:
    """A step of a program.

    Attributes:
      operation, column: what was done; the column is "" where the operation needs none.
      operations: how likely each of `OPERATIONS` was.
      columns: how likely each column was.
      selected: how far each row is selected after it; 0 or 1 where choices are hard.
    """

    operation: str
    column: str
    operations: tuple[float, ...]
    columns: tuple[float, ...]
    selected: tuple[float, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """The numbers, from 0, of the rows that are selected after it."""
        return tuple(row for row, share in enumerate(self.selected) if share > 0.5)

    def __str__(self) -> str:
        column = f" of {self.column!r} ({max(self.columns):.2f})" if self.column else ""
        done = f"{self.operation} ({max(self.operations):.2f}){column}"
        if self.operation in (OPERATIONS[COUNT], OPERATIONS[PRINT]):
            return done
        rows = "no row" if not self.rows else f"{len(self.rows)} row{'s' * (len(self.rows) != 1)}"
        return f"{done}: {rows} selected"


@dataclass(frozen=True)
class Answered:
    """An answer. A notebook shows it with the table.

    Attributes:
      question: the question.
      table: the table.
      answer: its items: a number, printed cells in the order of rows, or nothing.
      steps: the program.
      cells: row and column of each cell that was printed.
      unknown: the words of the question that the model has never seen often enough.
    """

    question: str
    table: Table
    answer: tuple[str, ...]
    steps: tuple[Step, ...]
    cells: tuple[tuple[int, int], ...]
    unknown: tuple[str, ...]

    @property
    def text(self) -> str:
        """The answer in a line."""
        return ", ".join(item or "(empty cell)" for item in self.answer) or "(no answer)"

    def __str__(self) -> str:
        lines = [f"answer    {self.text}"]
        lines += [f"step {number}    {step}" for number, step in enumerate(self.steps, start=1)]
        if self.unknown:
            lines.append(f"unknown   {', '.join(self.unknown)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        steps = "".join(f"<li>{escape(str(step))}</li>" for step in self.steps)
        unknown = f"<p>Unknown words: {escape(', '.join(self.unknown))}</p>" if self.unknown else ""
        return (
            f'{STYLE}<div class="augrnn"><p class="question">{escape(self.question)}</p>'
            f'<p class="answer">{escape(self.text)}</p><ol>{steps}</ol>{unknown}{self._table()}</div>'
        )

    def _table(self) -> str:
        before = self.steps[-2].rows if len(self.steps) > 1 else tuple(range(len(self.table.rows)))
        selected, printed = set(before), set(self.cells)
        shown = sorted({*before[:SHOWN], *range(min(SHOWN, len(self.table.rows)))})
        head = "".join(f"<th>{escape(name)}</th>" for name in self.table.header)
        lines = []
        for row in shown:
            cells = "".join(
                f"<td class={'printed' if (row, column) in printed else 'other'}>{escape(text)}</td>"
                for column, text in enumerate(self.table.rows[row])
            )
            lines.append(f"<tr class={'selected' if row in selected else 'other'}>{cells}</tr>")
        left_out = len(self.table.rows) - len(shown)
        note = f"<p>{left_out} more rows are not shown.</p>" if left_out else ""
        return (
            "<table><caption>Grey: rows that were selected before the last step. Framed: printed cells.</caption>"
            f"<tr>{head}</tr>{''.join(lines)}</table>{note}"
        )


STYLE = """<style>
.augrnn { font-family: sans-serif; }
.augrnn table { border-collapse: collapse; }
.augrnn caption { text-align: left; color: #666; }
.augrnn th, .augrnn td { border: 1px solid #ccc; padding: 2px 8px; text-align: left; }
.augrnn .selected { background: #e8e8e8; color: #000; }
.augrnn .printed { outline: 3px solid #0072b2; outline-offset: -3px; font-weight: bold; }
.augrnn .answer { font-size: 1.5em; }
</style>
"""


class Asker:
    """A trained model that answers questions about tables.

    Args:
      model: of the task WikiTableQuestions.

    Raises:
      UserError: it is of another task.
    """

    def __init__(self, model: Model) -> None:
        if not isinstance(model.task, WikiTableQuestions):
            raise UserError(
                f"{model.origin} is a run of {type(model.task).__name__}: ask needs one of WikiTableQuestions"
            )
        self.system, self.words = model.system, model.task.words

    @torch.inference_mode()
    def ask(self, table: Table, question: str) -> Answered:
        """The answer to a question.

        Raises:
          UserError: the question is blank or not UTF-8 text, or the table is larger than `LIMITS`.
        """
        checked_text(question, "the question")
        if not question.strip():
            raise UserError("the question is blank")
        data = TableQuestions([Question("", question, table.name, (), ())], {table.name: table})
        questions = QuestionSet(data, prepare(data, LIMITS), self.words)
        if not questions.fitting:
            rows, columns = table.shape
            raise UserError(
                f"{table.name} has {rows} rows and {columns} columns: a question is about at most {LIMITS.rows} rows, "
                f"{LIMITS.number_columns} columns of numbers and {LIMITS.word_columns} of words"
            )
        batch = questions.batch([0])
        found = self.system.answer(moved(batch, self.system.device), keep=True)
        number_B, log_printed_BCR = batch.answered(found.y_TBO.cpu())
        steps = [
            _step(table, operations_BO[0], columns_BC[0], selected_BR[0])
            for operations_BO, columns_BC, selected_BR in zip(*found.trace, strict=True)
        ]
        cells: Sequence[tuple[int, int]] = []
        answer: tuple[str, ...] = ()
        if steps[-1].operation == OPERATIONS[COUNT]:
            answer = (f"{number_B[0].item():g}",)
        elif steps[-1].operation == OPERATIONS[PRINT]:
            cells = sorted((row, column) for column, row in (log_printed_BCR[0] > LIKELY).nonzero().tolist())
            answer = tuple(table.rows[row][column] for row, column in cells)
        known = [word for word in questions[0].words if word is not None]
        unknown = tuple(dict.fromkeys(word for word in known if not self.words.knows(word)))
        return Answered(question, table, answer, tuple(steps), tuple(cells), unknown)


def _step(table: Table, operations_O: torch.Tensor, columns_C: torch.Tensor, selected_R: torch.Tensor) -> Step:
    operation, column = int(operations_O.argmax()), int(columns_C.argmax())
    name = OPERATIONS[operation]
    return Step(
        name,
        (table.header[column] or f"column {column + 1}") if name in WITH_COLUMN else "",
        tuple(operations_O.tolist()),
        tuple(columns_C.tolist()),
        tuple(selected_R.tolist()),
    )


def write_page(found: Answered, path: Path) -> None:
    """Write an answer as one HTML page.

    Raises:
      UserError: it cannot be written.
    """
    text = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(found.question)}</title>\n</head>\n<body>\n{found._repr_html_()}\n</body>\n</html>\n"
    )
    with replacing(path) as file:
        file.write(text.encode())
