"""The Neural Programmer on tables (Neelakantan, Le and Sutskever 2015, arXiv 1511.04834)."""

# B = batch, L = words of the question, N = numbers of the question, W = entries named in the question, R = rows,
# C = columns, P = comparisons, V = operations, D = size of vectors, E = 1, 2, 3 steps ago

from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from augrnn.batches import Batch
from augrnn.cells.cell import Cell, require_sizes
from augrnn.cells.lstm import LSTM
from augrnn.cells.rnn import RNN
from augrnn.cells.unroll import unroll
from augrnn.programs import operations
from augrnn.programs.choices import Chooser
from augrnn.soft import mix

OPERATIONS = ("sum", "count", "difference", "greater", "lesser", "and", "or", "assign", "reset", "match")
"""What each operation is called, in the order of their weights; the last is for tables with words."""

SCALARS = slice(0, 3)
"""Those of the OPERATIONS that give a number."""

ROWS = (3, 4, 9, 5, 6, 8)
"""Those that select rows, comparisons first."""

ASSIGN = OPERATIONS.index("assign")


class Table(NamedTuple):
    """Tables of a batch, padded with rows.

    Attributes:
      numbers_BRC: the cells that are numbers; 0 in columns of words and in padding.
      numeric_BC: which columns are of numbers.
      words_BRC: the cells that are words, by their ids; -1 in columns of numbers and in padding.
      real_BR: which rows are no padding.
      names_BC: the names of the columns, as ids of question words.
    """

    numbers_BRC: Tensor
    numeric_BC: Tensor
    words_BRC: Tensor
    real_BR: Tensor
    names_BC: Tensor


class Question(NamedTuple):
    """Questions of a batch, padded on the left; numbers are taken out of them.

    Attributes:
      words_BL: ids of words; 0 is padding.
      numbers_BN: the numbers, any value where there are fewer.
      left_BN: the position of the word left of each number; -1 where there is no number.
      entries_BW: words that are cells of the table, by their ids there; -1 where there are fewer.
      places_BW: the position of each of them; -1 where there are fewer.
    """

    words_BL: Tensor
    numbers_BN: Tensor
    left_BN: Tensor
    entries_BW: Tensor
    places_BW: Tensor


class TableBatch(Batch, Protocol):
    """What a programmer needs of a batch."""

    @property
    def table(self) -> Table:
        """The tables."""

    @property
    def question(self) -> Question:
        """The questions."""


class ProgrammerState(NamedTuple):
    """What a program has done, and what does not change while it runs.

    Attributes:
      history_BD: h, of the choices so far.
      chosen_B2D: vectors of the last operation and the last column, each a weighted sum.
      operation_BV, columns_BC: weights of the last step's choices.
      rows_BR: rows that the last step selected; all of them before the first.
      before_BR: rows that the step before it selected.
      scalars_BE: numbers that the last three steps gave, the newest first.
      table: what the program runs on.
      compared_BCX: by column which rows each comparison selects, X = P R.
      question_BD: q, the question.
      names_BCD: vectors of the columns' names.
    """

    history_BD: Tensor
    chosen_B2D: Tensor
    operation_BV: Tensor
    columns_BC: Tensor
    rows_BR: Tensor
    before_BR: Tensor
    scalars_BE: Tensor
    table: Table
    compared_BCX: Tensor
    question_BD: Tensor
    names_BCD: Tensor


class ProgramRecord(NamedTuple):
    """What a trace keeps of a step: what was chosen, and what came of it (see `ProgrammerState`)."""

    operation_BV: Tensor
    columns_BC: Tensor
    rows_BR: Tensor
    scalar_B: Tensor


class Programmer(Cell, Chooser):
    """Reads a question about a table, and answers it by a program of one operation and one column a step.

    It takes no input and is unrolled over a number of steps, four in the paper. With U the vectors of the operations, V
    those of the columns' names, a the weights of operations and columns:

        h_t = tanh(W_history [a_op(t-1) U; a_col(t-1) V; h_(t-1)])
        a_op(t) = softmax(U tanh(W_op [q; h_t])),  a_col(t) = softmax(V tanh(W_col [q; h_t]))

    All operations run on all columns, and their outputs are weighted. The output of a step is the number that it gives,
    and after it how much it gives each cell of the table, row by row: (B, 1 + R C).

    The paper compares cells with the weighted sum of the question's numbers, which has no gradient. Here cells are
    compared with each number, and what comes of it is weighted.

    Args:
      vocabulary: ids of question words and names of columns, 0 for padding among them.
      size: D.
      text: whether there are columns of words, and the operation `match`.
      reader: what reads the question: "lstm", or the paper's layer of tanh units, "rnn".
    """

    input_size = 0
    output_size = 1
    """The number; a step gives a channel more for each cell of its table."""

    def __init__(self, vocabulary: int, size: int = 64, text: bool = False, reader: str = "lstm") -> None:
        super().__init__()
        require_sizes("a programmer", vocabulary=vocabulary, size=size)
        readers = {"lstm": LSTM, "rnn": RNN}
        if reader not in readers:
            raise ValueError(f"a programmer reads questions with one of {', '.join(readers)}, not {reader}")
        self.word_ids = vocabulary
        self.words = nn.Embedding(vocabulary, size)
        self.reader = readers[reader](size, size)
        self.operations = OPERATIONS if text else OPERATIONS[:-1]
        self.selecting = [index for index in ROWS if index < len(self.operations)]
        self.comparisons = len(self.selecting) - 3
        self.vectors = nn.Parameter(torch.randn(len(self.operations), size) * size**-0.5)
        self.history = nn.Linear(3 * size, size)
        self.control = nn.Linear(2 * size, 2 * size)
        nn.init.normal_(self.words.weight, std=size**-0.5)

    def begin(self, batch: TableBatch) -> ProgrammerState:  # type: ignore[override]
        table, question = batch.table, batch.question
        hidden_BLD, question_BD = self._read(question.words_BL)
        size, dtype = self.vectors.shape[1], question_BD.dtype
        real_BR = table.real_BR.to(dtype)

        def first(values: Tensor) -> Tensor:
            """A part of the state with a gradient, as after a step: the step is compiled once for both."""
            return values.requires_grad_(question_BD.requires_grad)

        return ProgrammerState(
            history_BD=first(question_BD.new_zeros(batch.size, size)),
            chosen_B2D=first(question_BD.new_zeros(batch.size, 2, size)),
            operation_BV=first(question_BD.new_zeros(batch.size, len(self.operations))),
            columns_BC=first(question_BD.new_zeros(table.names_BC.shape)),
            rows_BR=first(real_BR),
            before_BR=first(real_BR.detach().clone()),
            scalars_BE=first(question_BD.new_zeros(batch.size, 3)),
            table=table,
            compared_BCX=self._compared(table, question, hidden_BLD),
            question_BD=question_BD,
            names_BCD=self.words(table.names_BC),
        )

    def _read(self, words_BL: Tensor) -> tuple[Tensor, Tensor]:
        """The reader's output at each word, (B, L, D), and at the last one, (B, D).

        Questions begin at their first word, so that the length of the questions beside them does not matter. Where
        there is padding, outputs are of no use.
        """
        place_L = torch.arange(words_BL.shape[1], device=words_BL.device)
        padding_B1 = (words_BL == 0).sum(1, keepdim=True)
        first_to_last_BL = words_BL.gather(1, (place_L + padding_B1) % len(place_L))
        hidden_LBD = unroll(self.reader, self.words(first_to_last_BL.t())).y_TBO
        places_BL1 = (place_L - padding_B1).clamp_min(0).unsqueeze(-1)
        hidden_BLD = hidden_LBD.transpose(0, 1).gather(1, places_BL1.expand(-1, -1, hidden_LBD.shape[-1]))
        return hidden_BLD, hidden_BLD[:, -1]

    def _compared(self, table: Table, question: Question, hidden_BLD: Tensor) -> Tensor:
        """What each comparison gives on every cell, with its number or word of the question chosen, (B, C, P R)."""
        real_BRC = table.real_BR.unsqueeze(-1) & table.numeric_BC.unsqueeze(1)
        each = {
            "greater": (operations.greater(table.numbers_BRC, question.numbers_BN), question.left_BN),
            "lesser": (operations.lesser(table.numbers_BRC, question.numbers_BN), question.left_BN),
        }
        found = {}
        for name, (cells_BNRC, places_BN) in each.items():
            found[name] = operations.pivoted(self._pivots(name, places_BN, hidden_BLD), cells_BNRC) * real_BRC
        if "match" in self.operations:
            weights_BW = self._pivots("match", question.places_BW, hidden_BLD)
            found["match"] = operations.pivoted(weights_BW, operations.match(table.words_BRC, question.entries_BW))
        return torch.stack(list(found.values()), dim=1).permute(0, 3, 1, 2).flatten(2)

    def _pivots(self, operation: str, places_BN: Tensor, hidden_BLD: Tensor) -> Tensor:
        """How much an operation chooses each number or entry of the question, by the word at its place, (B, N)."""
        places_BND = places_BN.clamp_min(0).unsqueeze(-1).expand(-1, -1, hidden_BLD.shape[-1])
        scores_BN = hidden_BLD.gather(1, places_BND) @ self.vectors[OPERATIONS.index(operation)]
        return self.weights(scores_BN, places_BN >= 0)

    def step(self, p_BP: Tensor | None, state: ProgrammerState) -> tuple[Tensor, ProgrammerState]:
        table, rows_BR = state.table, state.rows_BR
        history_BD = self.history(torch.cat([state.chosen_B2D.flatten(1), state.history_BD], dim=-1)).tanh()
        control_B2D = self.control(torch.cat([state.question_BD, history_BD], dim=-1)).tanh().unflatten(-1, (2, -1))
        operation_BV = self.weights(control_B2D[:, 0] @ self.vectors.t())
        columns_BC = self.weights(mix(control_B2D[:, 1], state.names_BCD.transpose(1, 2)))

        totals_BC = operations.total(table.numbers_BRC, rows_BR)
        numbers_B3 = torch.stack(
            [
                mix(columns_BC, totals_BC.unsqueeze(-1)).squeeze(-1),
                operations.count(rows_BR),
                operations.difference(state.scalars_BE[:, 2], state.scalars_BE[:, 0]),
            ],
            dim=-1,
        )
        scalar_B1 = mix(operation_BV[:, SCALARS], numbers_B3.unsqueeze(-1))

        selections = [
            *mix(columns_BC, state.compared_BCX).unflatten(-1, (self.comparisons, -1)).unbind(1),
            operations.both(rows_BR, state.before_BR),
            operations.either(rows_BR, state.before_BR),
            operations.reset(table.real_BR, rows_BR),
        ]
        selected_BR = mix(operation_BV[:, self.selecting], torch.stack(selections, dim=1))
        after = state._replace(
            history_BD=history_BD,
            chosen_B2D=torch.stack(
                [mix(operation_BV, self.vectors.expand(len(rows_BR), -1, -1)), mix(columns_BC, state.names_BCD)], dim=1
            ),
            operation_BV=operation_BV,
            columns_BC=columns_BC,
            rows_BR=selected_BR,
            before_BR=rows_BR,
            scalars_BE=torch.cat([scalar_B1, state.scalars_BE[:, :-1]], dim=-1),
        )
        lookup_BRC = operations.assign(operation_BV[:, ASSIGN, None] * rows_BR, columns_BC)
        return torch.cat([scalar_B1, lookup_BRC.flatten(1)], dim=-1), after

    def record(self, state: ProgrammerState) -> ProgramRecord:
        return ProgramRecord(state.operation_BV, state.columns_BC, state.rows_BR, state.scalars_BE[:, 0])
