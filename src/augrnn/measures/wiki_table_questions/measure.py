"""How many questions about tables a program answers, by the data set's own rules, and with which operations."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from augrnn.batches import moved
from augrnn.cells.unroll import Unrolled
from augrnn.measures.measure import Measure, Measured
from augrnn.programs.neural_programmer import COUNT, OPERATIONS, PRINT
from augrnn.systems.transducer import Transducer
from augrnn.tables.batch import LIKELY, TableBatch
from augrnn.tables.denotations import Value, right, value, values
from augrnn.tables.preparing import printed
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


class WikiTableQuestionsMeasure(Measure):
    """Answers to all questions of each test split, those counted as wrong that no program can answer.

    Numbers, each by the split's name: `right`, the share of right answers by the rules of the data set's evaluator;
    `right_by_kind`, the same for each kind of answer (`augrnn.tables.preparing.KINDS`) among questions on tables within
    the limits; `operations`, the share of programs that end in each operation; `fitting`, the share of questions on
    tables within the limits.
    """

    def measure(self, system: Transducer, task: WikiTableQuestions) -> Measured:
        numbers: dict[str, Any] = {"right": {}, "right_by_kind": {}, "operations": {}, "fitting": {}}
        for name in task.test_names:
            questions = task.questions(name)
            correct, kinds, last = Counter[str](), Counter[str](), Counter[str]()
            for batch in task.evaluation(name):
                asked = [questions.data.questions[number] for number in batch.index_B.tolist()]
                rows = [list(questions.data.tables[question.table].rows) for question in asked]
                for question, answer in zip(asked, answers(batch, self._run(system, batch), rows), strict=True):
                    kind = questions[answer.number].kind
                    kinds[kind] += 1
                    last[answer.operations[-1]] += 1
                    correct[kind] += right(values(question.answer, question.canon), answer.predictions)
            numbers["right"][name] = correct.total() / len(questions)
            numbers["right_by_kind"][name] = {kind: correct[kind] / count for kind, count in kinds.items()}
            numbers["operations"][name] = {each: count / last.total() for each, count in last.items()}
            numbers["fitting"][name] = len(questions.fitting) / len(questions)
        return Measured(numbers, {})

    def _run(self, system: Transducer, batch: TableBatch) -> Unrolled:
        found = system(moved(batch, system.device), keep=True)
        return Unrolled(*(torch.utils._pytree.tree_map(lambda leaf: leaf.cpu(), part) for part in found))
