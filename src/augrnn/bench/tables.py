"""The benchmark's row of questions about tables: training of the Neural Programmer, beside torch's reader alone."""

# B = batch, L = words of a question, O = operations

import random
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.batches import moved
from augrnn.bench.rows import Row, named, rate, updater
from augrnn.objectives.answer_loss import AnswerLoss
from augrnn.programs.neural_programmer import OPERATIONS, NeuralProgrammer
from augrnn.systems.transducer import Transducer
from augrnn.tables.batch import TableBatch
from augrnn.tables.corpus import Question, TableQuestions
from augrnn.tables.encoding import QuestionSet, learnt_vocabulary
from augrnn.tables.preparing import prepare
from augrnn.tables.table import made_table

VOCABULARY, SIZE, BATCH = 2500, 256, 20
"""The sizes of configs/wiki-table-questions/neural-programmer.yaml."""

ROWS, NUMBERS, NAMES, WORDS = (5, 60), 2, 4, (6, 18)
"""Rows of made-up tables, their columns of numbers and of words, and words of questions, about as in the data set."""


class TorchReader(nn.Module):
    """torch.nn.LSTM on the questions alone, and a layer to operations."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.lstm = nn.Embedding(VOCABULARY, SIZE), nn.LSTM(SIZE, SIZE, batch_first=True)
        self.output = nn.Linear(SIZE, len(OPERATIONS))

    def forward(self, batch: TableBatch) -> Tensor:
        return self.output(self.lstm(self.words(batch.words_BL))[0][:, -1])


def questions(count: int) -> QuestionSet:
    """Made-up questions, each on a table of its own."""
    source = random.Random(0)
    asked, tables = [], {}
    for number in range(count):
        rows = [
            [str(source.randint(0, 99)) for _ in range(NUMBERS)]
            + [f"name{source.randint(0, 99)}" for _ in range(NAMES)]
            for _ in range(source.randint(*ROWS))
        ]
        name = str(number)
        tables[name] = made_table(name, [f"column{c}" for c in range(NUMBERS + NAMES)], enumerate(rows))
        words = [f"word{source.randint(0, 999)}" for _ in range(source.randint(*WORDS))]
        text = " ".join([*words, rows[0][-1], rows[-1][0]])
        asked.append(Question(name, text, name, (rows[0][number % len(rows[0])],), ("",)))
    data = TableQuestions(asked, tables)
    return QuestionSet(data, prepare(data), learnt_vocabulary(data, 1))


def programmer_speed(device: torch.device, seconds: float) -> Row:
    """Training of the Neural Programmer of 2016."""
    torch.manual_seed(0)
    found = questions(8 * BATCH)
    batches = [moved(found.batch(range(start, start + BATCH)), device) for start in range(0, len(found), BATCH)]
    ours, torchs = Transducer(NeuralProgrammer(VOCABULARY, SIZE), AnswerLoss()).to(device), TorchReader().to(device)

    def our_cost(number: int) -> tuple[Tensor, int]:
        batch = batches[number % len(batches)]
        return ours.objective(batch, ours.answer(batch)).value, batch.size

    def their_cost(number: int) -> tuple[Tensor, int]:
        batch = batches[number % len(batches)]
        return F.cross_entropy(torchs(batch), batch.index_B % len(OPERATIONS)), batch.size

    mine, reference = (rate(updater(*pair), device, seconds) for pair in ((ours, our_cost), (torchs, their_cost)))
    return Row("questions about tables, Neural Programmer", named(device), BATCH, mine, "questions/s", reference)


def speeds(seconds: float) -> Iterator[Row]:
    """The row, on the CPU and on a GPU where there is one.

    Args:
      seconds: how long each figure is measured.
    """
    for device in [torch.device("cpu")] + [torch.device("cuda")] * torch.cuda.is_available():
        yield programmer_speed(device, seconds)
