"""How many questions about tables a program answers, by the data set's own rules, and whether for good reasons."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch

from augrnn.batches import moved
from augrnn.cells.unroll import Unrolled
from augrnn.measures.measure import Measure, Measured
from augrnn.measures.wiki_table_questions.fixed import fixed_programs
from augrnn.programs.neural_programmer import COUNT, OPERATIONS, PRINT
from augrnn.systems.transducer import Transducer
from augrnn.tables.batch import LIKELY, TableBatch
from augrnn.tables.denotations import Value, right, value, values
from augrnn.tables.encoding import QuestionSet
from augrnn.tables.perturbations import PERTURBATIONS, asks_for_order
from augrnn.tables.preparing import fitting, prepare_with, printed
from augrnn.tasks.wiki_table_questions import WikiTableQuestions


class Answer(NamedTuple):
    """What a program gives for a question.

    Attributes:
      number: which question of the split it is.
      operations: what it did at each step.
      columns: the column that it did that with.
      predictions: its answer.
    """

    number: int
    operations: list[str]
    columns: list[int]
    predictions: list[Value]


def answers(batch: TableBatch, given: Unrolled, cells: "list[list[tuple[str, ...]]]") -> Iterator[Answer]:
    """What programs answered.

    Args:
      batch: the questions.
      given: what the programs did, with whole records.
      cells: for each question the rows of its table.
    """
    number_B, log_printed_BCR = batch.answered(given.y_TBO)
    operation_TB, column_TB = given.trace.operations_BO.argmax(-1), given.trace.columns_BC.argmax(-1)
    for b, rows in enumerate(cells):
        operations = [OPERATIONS[number] for number in operation_TB[:, b].tolist()]
        predictions: list[Value] = []
        if operations[-1] == OPERATIONS[COUNT]:
            predictions = [value(f"{number_B[b].item():g}")]
        elif operations[-1] == OPERATIONS[PRINT]:
            places = (log_printed_BCR[b] > LIKELY).nonzero().tolist()
            once = {cell.identity: cell for column, row in places for cell in [printed(rows[row][column])]}
            predictions = list(once.values())
        yield Answer(int(batch.index_B[b]), operations, column_TB[:, b].tolist(), predictions)


def answered(system: Transducer, questions: QuestionSet, size: int) -> Iterator[Answer]:
    """What a system's programs answer to all questions on tables within the limits, so many at a time."""
    for start in range(0, len(questions.fitting), size):
        batch = questions.batch(questions.fitting[start : start + size])
        asked = [questions.data.questions[number] for number in batch.index_B.tolist()]
        rows = [list(questions.data.tables[question.table].rows) for question in asked]
        found = system(moved(batch, system.device), keep=True)
        found = Unrolled(*(torch.utils._pytree.tree_map(lambda leaf: leaf.cpu(), part) for part in found))
        yield from answers(batch, found, rows)


def is_right(questions: QuestionSet, answer: Answer) -> bool:
    """Whether an answer is that of the question, by the rules of the data set's evaluator."""
    question = questions.data.questions[answer.number]
    return right(values(question.answer, question.canon), answer.predictions)


class WikiTableQuestionsMeasure(Measure):
    """Answers to all questions of each test split, those counted as wrong that no program can answer.

    Numbers, each by the split's name:

    - `right`, the share of right answers by the rules of the data set's evaluator;
    - `right_by_kind`, the same for each kind of answer (`augrnn.tables.preparing.KINDS`) among questions on tables
      within the limits; `kinds`, how many questions each kind has of these;
    - `operations`, the share of programs that end in each operation;
    - `fitting`, the share of questions on tables within the limits;
    - `perturbed`, the share of right answers where questions or tables are changed in a way that leaves the answers as
      they are (`augrnn.tables.perturbations.PERTURBATIONS`): of several changes all of them must leave a right answer
      right. Shuffled words may leave none;
    - `order_alone`, of the right answers to questions that have no word that asks for order the share that is wrong
      where the rows are shuffled;
    - `fixed`, the share that programs get right which do the same whatever is asked, see `fixed_programs`.
    """

    def measure(self, system: Transducer, task: WikiTableQuestions) -> Measured:
        numbers: dict[str, Any] = {}
        for name in task.test_names:
            for measure, found in self._split(system, task, name).items():
                numbers.setdefault(measure, {})[name] = found
        return Measured(numbers, {})

    def _split(self, system: Transducer, task: WikiTableQuestions, name: str) -> dict[str, Any]:
        questions, size = task.questions(name), task.evaluation_batch_size
        total, training = len(questions), task.corpus.read(task.train_split).questions
        found = list(answered(system, questions, size))
        correct = {answer.number for answer in found if is_right(questions, answer)}
        kinds = Counter(questions[number].kind for number in questions.fitting)
        by_kind = Counter(questions[number].kind for number in correct)
        last = Counter(answer.operations[-1] for answer in found)
        remaining = self._perturbed(system, questions, correct, size)
        unordered = {number for number in correct if not asks_for_order(questions.data.questions[number])}
        return {
            "right": len(correct) / total,
            "right_by_kind": {kind: by_kind[kind] / count for kind, count in kinds.items()},
            "kinds": dict(kinds),
            "operations": {each: count / last.total() for each, count in last.items()},
            "fitting": len(questions.fitting) / total,
            "perturbed": {kind: len(numbers) / total for kind, numbers in remaining.items()},
            "order_alone": len(unordered - remaining["shuffled rows"]) / max(len(unordered), 1),
            "fixed": fixed_programs(questions.data, training),
        }

    def _perturbed(
        self, system: Transducer, questions: QuestionSet, correct: set[int], size: int
    ) -> Mapping[str, set[int]]:
        """The questions that are answered right under each perturbation."""
        tables, remaining = fitting(questions.data), {}
        for kind, changes in PERTURBATIONS.items():
            each = [correct] if len(changes) > 1 else []
            for change in changes:
                data = change(questions.data)
                fit = tables if data.tables is questions.data.tables else fitting(data)
                changed = QuestionSet(data, prepare_with(fit, data), questions.vocabulary)
                found = answered(system, changed, size)
                each.append({answer.number for answer in found if is_right(changed, answer)})
            remaining[kind] = set.intersection(*each)
        return remaining
