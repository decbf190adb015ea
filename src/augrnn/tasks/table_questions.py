"""Questions about made-up tables (Neelakantan, Le and Sutskever 2015, section 3)."""

# B = batch, L = words of the question, N = numbers of the question, W = entries named in it, R = rows, C = columns,
# S = slots of a question, K = templates, X = 1 + R C, an answer's number and cells

import itertools
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.batch_stream import generator
from augrnn.errors import UserError
from augrnn.programs.programmer import Question, Table
from augrnn.tasks.task import Task, require_sizes, require_whole

Wording = Literal["single", "many"]
Value = TypeVar("Value")

CONDITIONS = ("none", "greater", "lesser", "match")
LOGIC = ("none", "and", "or")
ENDINGS = ("sum", "count", "print", "sum less count", "count less sum")

PHRASES: dict[str, tuple[str, ...]] = {
    "greater": ("greater", "greater than", "bigger", "bigger than", "larger", "larger than"),
    "lesser": ("lesser", "lesser than", "smaller", "smaller than", "under"),
    "match": ("is", "equals", "same as"),
    "and": ("and",),
    "or": ("or",),
    "sum": ("sum", "sum of", "total", "total of"),
    "count": ("count", "count of", "how many"),
    "print": ("print", "display", "show"),
    "less": ("difference", "difference between"),
}
"""How each thing is said; with a single wording by the first of them."""

ENTRY = "<entry>"
"""What stands in a question for a word that is a cell of the table."""

TOLERANCE = 1e-3
"""How far a right number may be off, as a share of the true one, or of 1 where that is smaller."""


class Template(NamedTuple):
    """A question without its numbers, words of cells, and wording: whole numbers, or tensors of them for a batch, (B,).

    Columns are counted from 0.

    Attributes:
      first, second: of CONDITIONS, "none" where there are fewer.
      first_column, second_column: what they are about.
      logic: of LOGIC.
      ending: of ENDINGS.
      column: what is summed or printed; 0 where rows are counted.
    """

    first: Any
    first_column: Any
    logic: Any
    second: Any
    second_column: Any
    ending: Any
    column: Any


def templates(numbers: int, words: int) -> list[Template]:
    """All templates for tables of so many columns of numbers, followed by so many of words.

    Without words there are 23 for a single column, 307 for three and 1,231 for five, as in the paper. Two conditions
    are a greater and a lesser, or of different kinds where one is a match.
    """
    compared = [(kind, column) for kind in (1, 2) for column in range(numbers)]
    compared += [(3, column) for column in range(numbers, numbers + words)]
    endings = [(0, column) for column in range(numbers)] + [(1, 0)] + [(2, column) for column in range(numbers + words)]
    found = [Template(0, 0, 0, 0, 0, *ending) for ending in endings]
    found += [Template(0, 0, 0, 0, 0, ending, column) for ending in (3, 4) for column in range(numbers)]
    found += [Template(*one, 0, 0, 0, *ending) for one in compared for ending in endings]
    found += [
        Template(*one, logic, *other, *ending)
        for one, other, logic, ending in itertools.product(compared, compared, (1, 2), endings)
        if one[0] != other[0]
    ]
    return found


class TableBatch(NamedTuple):
    """Questions about tables, with their answers.

    Attributes:
      table, question: what is asked.
      number_B: the answer where it is a number, else 0.
      cells_BRC: 1.0 for the cells that are the answer where it is no number.
      number_asked_B: where it is a number.
      template_BS: each question's Template, in which columns are counted in the whole table.
    """

    table: Table
    question: Question
    number_B: Tensor
    cells_BRC: Tensor
    number_asked_B: Tensor
    template_BS: Tensor

    @property
    def size(self) -> int:
        """Questions in the batch."""
        return len(self.number_B)

    @property
    def inputs(self) -> int:
        """The steps of a program."""
        return STEPS

    def answered(self, outputs_TBX: Tensor) -> tuple[Tensor, Tensor]:
        """The number (B,) and the cells (B, R, C) that the last step gives."""
        last_BX = outputs_TBX[-1]
        return last_BX[:, 0], last_BX[:, 1:].unflatten(-1, self.cells_BRC.shape[1:])

    def right(self, outputs_TBX: Tensor) -> Tensor:
        """Which questions, (B,), are answered right: the number up to TOLERANCE, or all cells and no other."""
        number_B, given_BRC = self.answered(outputs_TBX)
        near_B = (number_B - self.number_B).abs() <= TOLERANCE * self.number_B.abs().clamp_min(1)
        same_B = ((given_BRC > 0.5) == (self.cells_BRC > 0.5)).flatten(1).all(1)
        return torch.where(self.number_asked_B, near_B, same_B)

    def scores(self, outputs_TBX: Tensor) -> dict[str, Tensor]:
        """Whether an answer is `wrong`, (B,)."""
        return {"wrong": (~self.right(outputs_TBX)).to(self.number_B.dtype)}


STEPS = 4
"""Of a program: two conditions, their conjunction, and an ending."""


class TableTask(Task):
    """Questions about tables of random numbers and words, and their answers: a number, or cells.

    With two columns of numbers and one of words:

        A      B      C        greater 2.5 A and is ruby C sum B      -7.5
        3.0    -7.5   ruby     greater 2.5 A or lesser -8 B print C   ruby, opal
        1.5    2.25   ruby     difference sum A count                 5.5
        4.0    1.25   opal

    A question is one of `templates`. Of two conditions on one column, "and" asks for what is between the numbers, and
    "or" for what is not, so that neither selects nothing by itself. The program that answers it is no part of a batch.

    Args:
      number_columns, word_columns: columns of each kind.
      wording: whether each thing is said in one way, or in one of its PHRASES at random.
      numbers_only: whether only numbers are asked for, and no cells.
      held_out: the share of questions, as templates with their wording, that are in the test sets and nowhere else,
        other ones for each seed; with 0 the test sets have all of them.
      min_rows, max_rows: of training and validation tables, a number for each batch.
      largest: bound of the size of a training table's numbers.
      test_rows: of the test sets' tables.
      test_largest: bounds of the test sets' numbers, an evaluation set for each, named "200".
      entries: different words in a column of words.
      examples: how many training questions there are; None for a new one each time.
      differences: the probability that a training question asks for a difference; in evaluation sets, and where it is
        None, all templates are as likely.
      lessons: from which training batch on the numbers of training tables have which bound instead of `largest`.
      column_lessons: from which training batch on tables have how many columns. A question is then about these alone;
        those that it is not about are kept at random. Before the first lesson tables have all columns.
      test_questions: questions in each test set.
      batch_size: questions a training batch.
      epoch_batches: training batches between two validations.
      validation_questions: questions to validate on, of those that are not held out.
      seed: names the training stream, and what is held out; training never meets the streams of validation and tests.
    """

    evaluation_batch_size = 100
    word_ids: int | None = None

    def __init__(
        self,
        number_columns: int = 1,
        word_columns: int = 0,
        wording: Wording = "single",
        numbers_only: bool = False,
        held_out: float = 0.0,
        min_rows: int = 30,
        max_rows: int = 100,
        largest: float = 100.0,
        test_rows: int = 120,
        test_largest: tuple[float, ...] = (100.0, 200.0),
        entries: int = 10,
        examples: int | None = None,
        differences: float | None = None,
        lessons: tuple[tuple[int, float], ...] = (),
        column_lessons: tuple[tuple[int, int], ...] = (),
        test_questions: int = 1000,
        batch_size: int = 50,
        epoch_batches: int = 500,
        validation_questions: int = 500,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if wording not in get_args(Wording):
            raise UserError(f"the wording of questions is {' or '.join(get_args(Wording))}, not {wording}")
        if not 0 <= held_out < 1:
            raise UserError(f"Tables needs a share held_out from 0 to below 1, not {held_out}")
        if differences is not None and not 0 <= differences < 1:
            raise UserError(f"Tables needs a share of differences from 0 to below 1, not {differences}")
        require_sizes(
            "Tables",
            number_columns=number_columns,
            min_rows=min_rows,
            test_rows=test_rows,
            entries=entries,
            test_questions=test_questions,
            batch_size=batch_size,
            epoch_batches=epoch_batches,
            validation_questions=validation_questions,
        )
        require_whole("Tables", word_columns=word_columns)
        for start, width in column_lessons:
            require_whole("Tables", column_lessons=start)
            require_whole("Tables", column_lessons=width)
        if word_columns < 0:
            raise UserError(f"Tables needs word_columns of at least 0, not {word_columns}")
        if max_rows < min_rows:
            raise UserError(f"Tables needs min_rows of at most max_rows, not {min_rows} and {max_rows}")
        bounds = [largest, *test_largest, *(bound for _, bound in lessons)]
        if not test_largest or any(not 0.1 <= bound < float("inf") for bound in bounds):
            raise UserError(f"Tables needs largest, test_largest and bounds of lessons of at least .1, not {bounds}")
        for name, starts in {
            "lessons": [start for start, _ in lessons],
            "column_lessons": [start for start, _ in column_lessons],
        }.items():
            if starts != sorted({start for start in starts if start >= 0}):
                raise UserError(f"Tables needs {name} that begin one after the other, from batch 0 on, not at {starts}")
        if any(not 1 <= width <= number_columns + word_columns for _, width in column_lessons):
            counts = [width for _, width in column_lessons]
            raise UserError(
                f"Tables needs column_lessons of 1 to all {number_columns + word_columns} columns, not of {counts}"
            )
        if examples is not None and examples < batch_size:
            raise UserError(f"Tables needs examples for a batch of {batch_size} at least, not {examples}")
        self.number_columns, self.word_columns, self.wording = number_columns, word_columns, wording
        self.numbers_only = numbers_only
        self.held_out, self.min_rows, self.max_rows, self.largest = held_out, min_rows, max_rows, float(largest)
        self.test_rows, self.test_largest, self.entries = test_rows, tuple(map(float, test_largest)), entries
        self.examples, self.differences, self.lessons, self.seed = examples, differences, tuple(lessons), seed
        self.column_lessons = tuple((start, width) for start, width in column_lessons)
        self.batch_size, self.epoch_batches = batch_size, epoch_batches
        self.word_ids = len(self.vocabulary)
        self._require_both_kinds()
        self.validation_batches = -(-validation_questions // self.evaluation_batch_size)
        self.test_batches = -(-test_questions // self.evaluation_batch_size)

    def _require_both_kinds(self) -> None:
        """Refuse a share of held out questions with which there are none, or none else, or nearly none to be taught."""
        chosen_B = torch.arange(len(self._templates)).repeat(1 if self.wording == "single" else 10)
        wording_B4 = torch.randint(60, (len(chosen_B), 4), generator=generator(4))
        out_B = self._is_held_out(chosen_B, wording_B4)
        out = float(out_B.float().mean())
        if self.held_out and not 0 < out < 1:
            raise UserError(
                f"of {len(self._templates)} templates a share of {self.held_out} holds out "
                f"{'none' if out == 0 else 'all'} with seed {self.seed}: set held_out to another one, or to 0 for "
                "tests with all of them"
            )
        asked_B = self._differences[chosen_B]
        kinds = {"questions": torch.ones_like(asked_B)}
        if self.differences is not None:
            kinds = {"differences": asked_B, "questions without a difference": ~asked_B}
        for width in {len(self.columns), *(width for _, width in self.column_lessons)}:
            share_K = self._shares(self.differences, width)
            for name, of_kind_B in kinds.items():
                wanted_B = of_kind_B if share_K is None else of_kind_B & (share_K[chosen_B] > 0)
                if wanted_B.any() and not (wanted_B & ~out_B).any():
                    which = name if width == len(self.columns) else f"{name} about at most {width} columns"
                    raise UserError(
                        f"nearly all {which} are held out by a share of {self.held_out}: set held_out to a smaller one"
                    )

    @cached_property
    def columns(self) -> list[str]:
        """The columns' names."""
        return [f"column{number}" for number in range(self.number_columns + self.word_columns)]

    @cached_property
    def vocabulary(self) -> list[str]:
        """The words of questions by their ids; the first is padding."""
        said = [word for phrases in PHRASES.values() for phrase in phrases for word in phrase.split()]
        return ["", ENTRY, *dict.fromkeys(said), *self.columns]

    @cached_property
    def _templates(self) -> Tensor:
        found = templates(self.number_columns, self.word_columns)
        shown = ENDINGS.index("print")
        return torch.tensor([each for each in found if not (self.numbers_only and each.ending == shown)])

    @cached_property
    def _differences(self) -> Tensor:
        """Which templates ask for a difference, (K,)."""
        return Template(*self._templates.unbind(1)).ending >= ENDINGS.index("sum less count")

    @cached_property
    def _said(self) -> dict[str, Tensor]:
        """For each thing the ids of its phrases' words, two a phrase, padded on the left."""
        ids = {word: number for number, word in enumerate(self.vocabulary)}
        return {
            name: torch.tensor(
                [[0] * (2 - len(phrase.split())) + [ids[word] for word in phrase.split()] for phrase in phrases]
            )
            for name, phrases in PHRASES.items()
        }

    def _drawn(
        self, count: int, held_out: bool | None, share_K: Tensor | None, source: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Templates (B, S) with numbers (B, 4) that choose phrases; held out ones, others, or any."""
        chosen_B = self._chosen(count, share_K, source)
        wording_B4 = torch.randint(60, (count, 4), generator=source)
        while held_out is not None and self.held_out:
            unfit_B = self._is_held_out(chosen_B, wording_B4) != held_out
            again = int(unfit_B.sum())
            if not again:
                break
            chosen_B[unfit_B] = self._chosen(again, share_K, source)
            wording_B4[unfit_B] = torch.randint(60, (again, 4), generator=source)
        return self._templates[chosen_B], wording_B4

    def _chosen(self, count: int, share_K: Tensor | None, source: torch.Generator) -> Tensor:
        """The numbers of templates, (B,), each with its share, or all as likely."""
        if share_K is None:
            return torch.randint(len(self._templates), (count,), generator=source)
        return torch.multinomial(share_K, count, replacement=True, generator=source)

    def _shares(self, differences: float | None, width: int) -> Tensor | None:
        """How likely each template is in tables with so many columns, (K,); None where all are alike."""
        among = (self._asked_about <= width).float()
        if differences is None:
            return None if among.all() else among
        asked = self._differences
        return torch.where(asked, differences / among[asked].sum(), (1 - differences) / among[~asked].sum()) * among

    @cached_property
    def _asked_about(self) -> Tensor:
        """How many columns each template is about, (K,)."""
        return _which_columns(Template(*self._templates.unbind(1)), len(self.columns)).sum(1)

    def _is_held_out(self, chosen_B: Tensor, wording_B4: Tensor) -> Tensor:
        """Whether a template in its wording is held out, (B,): a function of these and the seed alone."""
        template_BS = self._templates[chosen_B]
        code_B = chosen_B
        for part, words_B2 in enumerate(self._phrases(template_BS, wording_B4)):
            code_B = code_B * 1009 + words_B2[:, 0] * 101 + words_B2[:, 1] + part
        mixed_B = ((code_B + 7919 * self.seed) * 2654435761 + 40503) % 4294967291
        mixed_B = (mixed_B ^ (mixed_B >> 15)) * 2246822519 % 4294967291
        return mixed_B % 10_000 < 10_000 * self.held_out

    def _phrases(self, template_BS: Tensor, wording_B4: Tensor) -> list[Tensor]:
        """The words of a question's conditions, logic and ending in their order, (B, 2) each, 0 for no word."""
        template = Template(*template_BS.unbind(1))
        less_B = template.ending >= 3
        summed_B = (template.ending == 0) | less_B
        parts = [
            (CONDITIONS, template.first, 0),
            (LOGIC, template.logic, 0),
            (CONDITIONS, template.second, 1),
            (("none", "less"), less_B.long(), 2),
            (("none", "sum"), (summed_B & (template.ending != 4)).long(), 3),
            (("none", "count"), ((template.ending == 1) | less_B).long(), 3),
            (("none", "sum"), (template.ending == 4).long(), 3),
            (("none", "print"), (template.ending == 2).long(), 3),
        ]
        return [self._words(names, kind_B, wording_B4[:, place]) for names, kind_B, place in parts]

    def _words(self, names: tuple[str, ...], kind_B: Tensor, wording_B: Tensor) -> Tensor:
        found_B2 = torch.zeros(len(kind_B), 2, dtype=torch.long)
        for number, name in enumerate(names):
            if name != "none":
                said = self._said[name] if self.wording == "many" else self._said[name][:1]
                found_B2 = torch.where((kind_B == number).unsqueeze(1), said[wording_B % len(said)], found_B2)
        return found_B2

    def sample(
        self,
        count: int,
        rows: int,
        largest: float,
        *seed: int,
        held_out: bool | None = None,
        differences: float | None = None,
        width: int | None = None,
    ) -> TableBatch:
        """Questions about tables of one size; the same ones for the same seed.

        Args:
          count: questions.
          rows: R.
          largest: bound of the numbers' size.
          seed: names the draw.
          held_out: True for questions that are held out, False for others, None for any.
          differences: the share of differences; None where all templates are as likely.
          width: how many columns tables have, and questions are about; None for all.
        """
        source = generator(*seed)
        width = len(self.columns) if width is None else width
        template_BS, wording_B4 = self._drawn(count, held_out, self._shares(differences, width), source)
        table = self._table(count, rows, largest, source)
        tenths = round(10 * largest)
        pivots_B2 = torch.randint(-tenths, tenths + 1, (count, 2), generator=source) / 10
        template = Template(*template_BS.unbind(1))
        pivots_B2 = _apart(template, pivots_B2)
        picked_B2 = torch.randint(rows, (count, 2), generator=source)
        each = torch.arange(count)
        columns_B2 = torch.stack([template.first_column, template.second_column], dim=1)
        entries_B2 = table.words_BRC[each.unsqueeze(1), picked_B2, columns_B2]
        question = self._question(template_BS, wording_B4, pivots_B2, entries_B2)
        number_B, cells_BRC, number_asked_B = answers(template, table, pivots_B2, entries_B2)
        batch = TableBatch(table, question, number_B, cells_BRC, number_asked_B, template_BS)
        if width == len(self.columns):
            return batch
        return _narrowed(batch, torch.rand(count, len(self.columns), generator=source), width)

    def _table(self, count: int, rows: int, largest: float, source: torch.Generator) -> Table:
        tenths, columns = round(10 * largest), len(self.columns)
        numeric_C = torch.arange(columns) < self.number_columns
        numbers_BRC = torch.randint(-tenths, tenths + 1, (count, rows, columns), generator=source) / 10
        words_BRC = torch.randint(self.entries, (count, rows, columns), generator=source)
        names_C = torch.arange(len(self.vocabulary) - columns, len(self.vocabulary))
        return Table(
            numbers_BRC * numeric_C,
            numeric_C.expand(count, -1),
            words_BRC.masked_fill(numeric_C, -1),
            torch.ones(count, rows, dtype=torch.bool),
            names_C.expand(count, -1),
        )

    def _question(self, template_BS: Tensor, wording_B4: Tensor, pivots_B2: Tensor, entries_B2: Tensor) -> Question:
        template = Template(*template_BS.unbind(1))
        first_B2, logic_B2, second_B2, less_B2, *endings = self._phrases(template_BS, wording_B4)
        names = len(self.vocabulary) - len(self.columns)
        kinds_B2 = torch.stack([template.first, template.second], dim=1)
        matched_B2 = kinds_B2 == CONDITIONS.index("match")
        compared_B2 = (kinds_B2 > 0) & ~matched_B2

        def named(here_B: Tensor, column_B: Tensor) -> Tensor:
            return torch.where(here_B, names + column_B, 0).unsqueeze(1)

        summed_B = template.ending != ENDINGS.index("count")
        shown_B = template.ending == ENDINGS.index("print")
        count_first_B = template.ending == 4
        slots_BS = torch.cat(
            [
                first_B2,
                matched_B2[:, :1].long(),  # the id of ENTRY is 1
                named(template.first > 0, template.first_column),
                logic_B2,
                second_B2,
                matched_B2[:, 1:].long(),
                named(template.second > 0, template.second_column),
                less_B2,
                endings[0],
                named(summed_B & ~shown_B & ~count_first_B, template.column),
                endings[1],
                endings[2],
                named(count_first_B, template.column),
                endings[3],
                named(shown_B, template.column),
            ],
            dim=1,
        )
        # padding goes to the left, and nothing else changes its order
        order_BS = (slots_BS != 0).long().argsort(dim=1, stable=True)
        longest = int((slots_BS != 0).sum(1).max())
        words_BL = slots_BS.gather(1, order_BS)[:, -longest:]
        moved_BS = order_BS.argsort(dim=1) - (slots_BS.shape[1] - longest)
        left_B2, places_B2 = moved_BS[:, [1, 7]], moved_BS[:, [2, 8]]
        return Question(
            words_BL,
            torch.where(compared_B2, pivots_B2, 0.0),
            torch.where(compared_B2, left_B2, -1),
            torch.where(matched_B2, entries_B2, -1),
            torch.where(matched_B2, places_B2, -1),
        )

    def texts(self, batch: TableBatch) -> list[str]:
        """The questions as they are written; words of cells as w0, w1, ..."""
        found = []
        for b in range(batch.size):
            words, numbers, left, entries, places = (part[b].tolist() for part in batch.question)
            said = [self.vocabulary[word] for word in words]
            for place, number in zip(left, numbers, strict=True):
                if place >= 0:
                    said[place] += f" {number:.6g}"
            for place, entry in zip(places, entries, strict=True):
                if place >= 0:
                    said[place] = f"w{entry}"
            found.append(" ".join(filter(None, said)))
        return found

    def epoch_length(self) -> int:
        return self.epoch_batches

    def training_questions(self, number: int) -> TableBatch:
        """Batch `number` of the training stream."""
        largest = _begun(self.lessons, number, self.largest)
        width = _begun(self.column_lessons, number, len(self.columns))
        if self.examples is not None:
            number %= self.examples // self.batch_size
        return self._random(self.batch_size, largest, 0, self.seed, number, differences=self.differences, width=width)

    def validation_questions(self, number: int) -> TableBatch:
        """Batch `number` of the validation set."""
        return self._random(self.evaluation_batch_size, self.largest, 1, number)

    def test_questions(self, name: str, number: int) -> TableBatch:
        """Batch `number` of an evaluation set, of held out questions about longer tables."""
        largest = self.bounds[name]
        seed = (2, round(10 * largest), number)
        return self.sample(self.evaluation_batch_size, self.test_rows, largest, *seed, held_out=True)

    def questions_of_all_templates(self, name: str, number: int) -> TableBatch:
        """A batch as of an evaluation set, in which all templates are as likely, whether they are held out or not."""
        largest = self.bounds[name]
        return self.sample(self.evaluation_batch_size, self.test_rows, largest, 3, round(10 * largest), number)

    @cached_property
    def bounds(self) -> dict[str, float]:
        """The bound of the numbers of each evaluation set, by its name, "200"."""
        return {f"{largest:g}": largest for largest in self.test_largest}

    def _random(
        self, count: int, largest: float, *seed: int, differences: float | None = None, width: int | None = None
    ) -> TableBatch:
        rows = int(torch.randint(self.min_rows, self.max_rows + 1, (), generator=generator(*seed, 0)))
        return self.sample(count, rows, largest, *seed, 1, held_out=False, differences=differences, width=width)


def _begun(lessons: Sequence[tuple[int, Value]], number: int, otherwise: Value) -> Value:
    """What the last lesson says that has begun at a batch; something else before the first."""
    return next((value for start, value in reversed(lessons) if number >= start), otherwise)


def _which_columns(template: Template, columns: int) -> Tensor:
    """Which columns conditions and ending are about, (B, C)."""
    named = (
        (template.first > 0, template.first_column),
        (template.logic > 0, template.second_column),
        (template.ending != ENDINGS.index("count"), template.column),
    )
    return torch.stack([F.one_hot(column_B, columns) * here_B.unsqueeze(1) for here_B, column_B in named]).amax(0)


def _narrowed(batch: TableBatch, order_BC: Tensor, width: int) -> TableBatch:
    """The same questions about tables with fewer columns: those that are asked about, and the last in an order."""
    table = batch.table
    asked_BC = _which_columns(Template(*batch.template_BS.unbind(1)), order_BC.shape[1])
    kept_BW = (order_BC + asked_BC).topk(width).indices.sort(dim=1).values

    def narrow(of_columns: Tensor) -> Tensor:
        """The columns that are kept, along the last dimension."""
        places = kept_BW.view(len(kept_BW), *[1] * (of_columns.dim() - 2), width)
        return of_columns.gather(-1, places.expand(*of_columns.shape[:-1], width))

    kept = Table(
        narrow(table.numbers_BRC),
        narrow(table.numeric_BC),
        narrow(table.words_BRC),
        table.real_BR,
        narrow(table.names_BC),
    )
    return batch._replace(table=kept, cells_BRC=narrow(batch.cells_BRC))


def _apart(template: Template, pivots_B2: Tensor) -> Tensor:
    """The two numbers in the order in which conditions on one column select some of it."""
    low_B2, _ = pivots_B2.sort(dim=1)
    greater_first_B = template.first == CONDITIONS.index("greater")
    rising_B = greater_first_B == (template.logic == LOGIC.index("and"))
    one_B = (template.first_column == template.second_column) & (template.logic > 0)
    ordered_B2 = torch.where(rising_B.unsqueeze(1), low_B2, low_B2.flip(1))
    return torch.where(one_B.unsqueeze(1), ordered_B2, pivots_B2)


def answers(template: Template, table: Table, pivots_B2: Tensor, entries_B2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The answers: a number (B,), cells (B, R, C), and whether it is the number that is asked for, (B,).

    Args:
      template: of each question, each field (B,).
      table: what they are about.
      pivots_B2: the number of each condition.
      entries_B2: the word of each condition.
    """

    def column(cells_BRC: Tensor, column_B: Tensor) -> Tensor:
        return cells_BRC.gather(2, column_B.view(-1, 1, 1).expand(-1, cells_BRC.shape[1], 1)).squeeze(2)

    def condition(kind_B: Tensor, column_B: Tensor, place: int) -> Tensor:
        numbers_BR, words_BR = column(table.numbers_BRC, column_B), column(table.words_BRC, column_B)
        choices = [
            torch.ones_like(table.real_BR),
            numbers_BR > pivots_B2[:, place, None],
            numbers_BR < pivots_B2[:, place, None],
            words_BR == entries_B2[:, place, None],
        ]
        return torch.stack(choices, dim=1)[torch.arange(len(kind_B)), kind_B]

    one_BR = condition(template.first, template.first_column, 0)
    other_BR = condition(template.second, template.second_column, 1)
    either_B = (template.logic == LOGIC.index("or")).unsqueeze(1)
    rows_BR = torch.where(either_B, one_BR | other_BR, one_BR & other_BR) & table.real_BR
    count_B = rows_BR.sum(1).double()
    sum_B = (column(table.numbers_BRC, template.column).double() * rows_BR).sum(1)
    nothing_B = torch.zeros_like(sum_B)
    each = torch.stack([sum_B, count_B, nothing_B, sum_B - count_B, count_B - sum_B], dim=1)
    number_B = each[torch.arange(len(sum_B)), template.ending].float()
    shown_B = template.ending == ENDINGS.index("print")
    chosen_BC = F.one_hot(template.column, table.numbers_BRC.shape[2])
    cells_BRC = rows_BR.unsqueeze(2) * chosen_BC.unsqueeze(1) * shown_B.view(-1, 1, 1)
    return number_B, cells_BRC.float(), ~shown_B
