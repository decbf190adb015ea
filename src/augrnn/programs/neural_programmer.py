"""The Neural Programmer that answers questions about tables (Neelakantan, Le, Abadi, McCallum and Amodei 2016)."""

# B = batch, L = words of a question, D = size of vectors, C = columns, R = rows, A = numbers of a question,
# O = operations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.cells.cell import Cell, require_sizes
from augrnn.cells.unroll import unroll
from augrnn.errors import UserError
from augrnn.linear import Linear
from augrnn.programs import row_operations as rows
from augrnn.programs.choices import Chooser, hardest
from augrnn.programs.operations import count
from augrnn.soft import masked_softmax, mix
from augrnn.tables.batch import ENTRY_MATCH, TableBatch

COMPARISONS: tuple[rows.Compare, ...] = (torch.gt, torch.lt, torch.ge, torch.le)

OPERATIONS = (
    "count", "previous", "next", "first", "last", "most frequent", "greater", "less", "greater or equal",
    "less or equal", "max", "min", "select", "reset", "print",
)  # fmt: skip
"""In the order of the paper's code. The first gives a number, the last prints cells, the others select rows."""

COUNT, COMPARING, PRINT = 0, 6, len(OPERATIONS) - 1
"""The places of counting, of the first of four comparisons, and of printing."""

WITH_COLUMN = frozenset(OPERATIONS[5:13]) | {OPERATIONS[-1]}
"""Those whose result depends on the column."""

LEAST = 1e-20
"""A selection below this is as improbable as this: its logarithm would else be infinite."""


class QuestionState(NamedTuple):
    """Attributes: output_BD, of the encoder; cell_BD, its memory cells; kept_BD, what dropout keeps of the output."""

    output_BD: Tensor
    cell_BD: Tensor
    kept_BD: Tensor


class QuestionEncoder(Cell):
    """The paper's LSTM: the output is o c, without a tanh, and forget gates start about open.

    Before the first real word its state stays zero, so that it does not matter how long other questions are.

    Args:
      size: D.
      dropout: of the output, with one mask for all words of a question.
    """

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        self.size, self.dropout = size, dropout
        self.input_size, self.output_size = size + 1, size
        self.from_input, self.from_output = Linear(size, 4 * size), Linear(size, 4 * size, bias=False)

    def initial_state(self, batch_size: int) -> QuestionState:
        zeros_BD = self.from_output.weight.new_zeros(batch_size, self.size)
        return QuestionState(zeros_BD, zeros_BD, F.dropout(torch.ones_like(zeros_BD), self.dropout, self.training))

    def project(self, x: Tensor) -> Tensor:
        """(..., D + 1), of which the last is 1 at real words, to the gates' (..., 4 D + 1)."""
        return torch.cat([self.from_input(x[..., :-1]), x[..., -1:]], dim=-1)

    def step(self, p_BP: Tensor, state: QuestionState) -> tuple[Tensor, QuestionState]:
        gates_BG = p_BP[:, :-1] + self.from_output(state.output_BD)
        enter_BD, forget_BD, candidate_BD, leave_BD = gates_BG.chunk(4, dim=-1)
        cell_BD = forget_BD.sigmoid() * state.cell_BD + enter_BD.sigmoid() * candidate_BD.tanh()
        cell_BD = cell_BD * p_BP[:, -1:]
        output_BD = leave_BD.sigmoid() * cell_BD * state.kept_BD
        return output_BD, QuestionState(output_BD, cell_BD, state.kept_BD)


class Given(NamedTuple):
    """What of a question and its table stays the same at all steps of a program.

    Attributes:
      question_BD: the encoder's last output.
      words_BLD, word_mask_BL: its outputs, and which are of real words.
      operations_BOD: the operations' vectors; their dropout is the same at all steps.
      columns_BCD: the columns' vectors, of a name and of how many cells match.
      column_mask_BC, row_mask_BR: what is real.
      name_match_BC: 1 where a name stands in the question.
      matches_BCR: 1 where a cell does.
      most_frequent_BCR: 1 where a cell has the most frequent value of its column.
      comparisons_B4CR: the rows that each comparison selects by each column.
      order_BCR, comparable_BCR: for the largest and the smallest value, see `row_operations.largest`.
      kept_BD: what dropout keeps of the history.
    """

    question_BD: Tensor
    words_BLD: Tensor
    word_mask_BL: Tensor
    operations_BOD: Tensor
    columns_BCD: Tensor
    column_mask_BC: Tensor
    row_mask_BR: Tensor
    name_match_BC: Tensor
    matches_BCR: Tensor
    most_frequent_BCR: Tensor
    comparisons_B4CR: Tensor
    order_BCR: Tensor
    comparable_BCR: Tensor
    kept_BD: Tensor


class ProgramRecord(NamedTuple):
    """A step of a program.

    Attributes:
      operations_BO, columns_BC: how likely each operation and column is, soft in evaluation too.
      selected_BR: how far each row is selected after the step.
    """

    operations_BO: Tensor
    columns_BC: Tensor
    selected_BR: Tensor


class ProgramState(NamedTuple):
    """A program in work, and what its last step gave.

    Attributes:
      history_BD: of the operations and columns chosen so far.
      record: the last step.
      number_B: what it counted, times how likely it counted.
      log_printed_BCR: the logarithm of how likely it printed each cell.
      given: question and table.
    """

    history_BD: Tensor
    record: ProgramRecord
    number_B: Tensor
    log_printed_BCR: Tensor
    given: Given


class Choice(NamedTuple):
    """What a program would do next.

    Attributes:
      log_operations_BO, log_columns_BC: logarithms of how likely each operation and column is.
      columns_BCD: the columns' vectors as they were looked at.
    """

    log_operations_BO: Tensor
    log_columns_BC: Tensor
    columns_BCD: Tensor


class NeuralProgrammer(Cell, Chooser):
    """At each step an operation and a column are chosen softly, and applied to the rows selected so far (section 2).

    In training what each operation would do with each column is weighted by how likely it is; in evaluation the
    likeliest is done. It takes no input: it is unrolled over a number of steps from `begin`. A step emits what it
    counted, and after it the logarithm of how likely it prints each cell, column by column: (B, 1 + C R). The answer is
    what the last step emits.

    Args:
      vocabulary_size: words of questions and columns' names.
      size: D.
      dropout: of vectors and states that choose, elementwise (the paper keeps .8).
      recurrent_dropout: of the question encoder and the history, with one mask for all steps (.9).
    """

    one_program = False
    input_size, output_size = 0, 1
    """The number; a step emits a channel more for each cell of its table."""

    def __init__(
        self, vocabulary_size: int, size: int = 256, dropout: float = 0.2, recurrent_dropout: float = 0.1
    ) -> None:
        super().__init__()
        require_sizes("a Neural Programmer", vocabulary_size=vocabulary_size, size=size)
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"a Neural Programmer needs {name} of at least 0 and less than 1, not {rate}")
        self.size, self.dropout, self.recurrent_dropout = size, dropout, recurrent_dropout
        self.words = nn.Embedding(vocabulary_size, size)
        self.operations = nn.Parameter(torch.empty(len(OPERATIONS), size))
        self.question = QuestionEncoder(size, recurrent_dropout)
        self.to_operation = Linear(3 * size, size, bias=False)
        self.to_column = Linear(3 * size, size, bias=False)
        self.with_operation = Linear(2 * size, size, bias=False)
        self.name_match = nn.Parameter(torch.empty(1))
        self.history = Linear(3 * size, size, bias=False)
        self.history_bias = nn.Parameter(torch.empty(size))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1)
        nn.init.uniform_(self.question.from_input.bias[size : 2 * size], 1.0, 1.1)

    def dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)

    def begin(self, batch: Any) -> ProgramState:
        """Before the first step, from an `augrnn.tables.batch.TableBatch`: all rows are selected."""
        given = self.read(batch)
        selected_BR = batch.row_mask_BR.to(given.question_BD)
        zeros_BD = torch.zeros_like(given.question_BD)
        none_B = zeros_BD[:, 0]
        record = ProgramRecord(
            zeros_BD.new_zeros(batch.size, len(OPERATIONS)), torch.zeros_like(given.name_match_BC), selected_BR
        )
        return ProgramState(zeros_BD, record, none_B, torch.zeros_like(given.matches_BCR), given)

    def read(self, batch: TableBatch) -> Given:
        """Encode the question, and work out what does not depend on the step."""
        needed = 1 + max(int(batch.words_BL.max()), int(batch.names_BC.max()))
        if needed > self.words.num_embeddings:
            raise UserError(
                f"questions have {needed} words or more, but the {type(self).__name__} is made for "
                f"{self.words.num_embeddings}: set its vocabulary_size to {needed} or more"
            )
        words_LBD = self.dropped(self.words(batch.words_BL.t()))
        real_LB1 = batch.word_mask_BL.t().unsqueeze(-1).to(words_LBD)
        outputs_LBD = unroll(self.question, torch.cat([words_LBD, real_LB1], dim=-1)).y_TBO
        outputs_BLD = outputs_LBD.transpose(0, 1)
        operations_OD = self.dropped(self.operations)
        matches_BCR = batch.entry_match_BCR.to(words_LBD)
        columns_BCD = self.words(batch.names_BC) + matches_BCR.sum(-1, keepdim=True) * self.words.weight[ENTRY_MATCH]
        return Given(
            outputs_BLD[:, -1],
            outputs_BLD,
            batch.word_mask_BL,
            operations_OD.expand(batch.size, -1, -1),
            columns_BCD,
            batch.column_mask_BC,
            batch.row_mask_BR,
            batch.name_match_BC.to(words_LBD),
            matches_BCR,
            batch.most_frequent_BCR.to(words_LBD),
            self.comparisons(batch, outputs_BLD, operations_OD),
            batch.order_BCR,
            batch.compared_mask_BCR,
            F.dropout(torch.ones_like(outputs_BLD[:, 0]), self.recurrent_dropout, self.training),
        )

    def comparisons(self, batch: TableBatch, outputs_BLD: Tensor, operations_OD: Tensor) -> Tensor:
        """The rows that each comparison selects in each column, (B, 4, C, R).

        Which number of the question is meant is chosen by the comparison's vector and the word left of the number.
        """
        places_BAD = batch.argument_places_BA.unsqueeze(-1).expand(-1, -1, self.size)
        left_BAD = outputs_BLD.gather(1, places_BAD)
        scores_B4A = operations_OD[COMPARING : COMPARING + len(COMPARISONS)] @ left_BAD.transpose(1, 2)
        choice_B4A = self.weights(scores_B4A, batch.argument_mask_BA.unsqueeze(1))
        return torch.stack(
            [
                rows.compared(
                    compare, batch.compared_BCR, batch.compared_mask_BCR, batch.arguments_BA, choice_B4A[:, number]
                )
                for number, compare in enumerate(COMPARISONS)
            ],
            dim=1,
        )

    def choose(self, state: ProgramState) -> Choice:
        """How likely each operation and each column is next."""
        given, history_BD = state.given, state.history_BD
        scores_BL = (given.words_BLD @ history_BD.unsqueeze(-1)).squeeze(-1)
        attended_BD = mix(masked_softmax(scores_BL, given.word_mask_BL), given.words_BLD)
        seen_BX = torch.cat([history_BD, given.question_BD, attended_BD], dim=-1)
        operation_BD = self.dropped(self.to_operation(seen_BX).relu())
        log_operations_BO = (given.operations_BOD @ operation_BD.unsqueeze(-1)).squeeze(-1).log_softmax(-1)
        meant_BD = mix(log_operations_BO.exp(), given.operations_BOD)
        column_BD = self.with_operation(torch.cat([self.to_column(seen_BX).relu(), meant_BD], dim=-1)).relu()
        columns_BCD = self.dropped(given.columns_BCD)
        looked_for_BCD = self.dropped(column_BD.unsqueeze(1).expand_as(columns_BCD))
        scores_BC = (looked_for_BCD * columns_BCD).sum(-1) + self.name_match * given.name_match_BC
        log_columns_BC = scores_BC.masked_fill(~given.column_mask_BC, -torch.inf).log_softmax(-1)
        return Choice(log_operations_BO, log_columns_BC, columns_BCD)

    def take(self, state: ProgramState, choice: Choice) -> ProgramState:
        """Do what was chosen, softly in training; the history remembers how likely all was."""
        given, before_BR = state.given, state.record.selected_BR
        operations_BO, columns_BC = choice.log_operations_BO.exp(), choice.log_columns_BC.exp()
        log_print_B, log_columns_BC = choice.log_operations_BO[:, PRINT], choice.log_columns_BC
        done_BO, column_BC = operations_BO, columns_BC
        if self.is_hard:
            done_BO, column_BC = hardest(operations_BO), hardest(columns_BC)
            log_print_B, log_columns_BC = done_BO[:, PRINT].log(), column_BC.log()
        log_selected_BR = before_BR.clamp(min=0 if self.is_hard else LEAST).log()
        log_printed_BCR = log_print_B[:, None, None] + log_columns_BC.unsqueeze(-1) + log_selected_BR.unsqueeze(1)
        selected_BR = mix(done_BO[:, COUNT + 1 : PRINT], self.selections(before_BR, column_BC, given))
        input_BX = torch.cat(
            [state.history_BD, self.dropped(mix(operations_BO, given.operations_BOD)),
             self.dropped(mix(columns_BC, choice.columns_BCD))], dim=-1,
        )  # fmt: skip
        history_BD = (self.history(input_BX).tanh() + self.history_bias) * given.kept_BD
        return ProgramState(
            history_BD,
            ProgramRecord(operations_BO, columns_BC, selected_BR * given.row_mask_BR),
            done_BO[:, COUNT] * count(before_BR),
            log_printed_BCR,
            given,
        )

    def selections(self, selected_BR: Tensor, column_BC: Tensor, given: Given) -> Tensor:
        """What each operation that selects rows would give, (B, O - 2, R), in the order of `OPERATIONS`."""
        of_columns_BXCR = torch.cat(
            [
                given.most_frequent_BCR.unsqueeze(1),
                given.comparisons_B4CR,
                rows.largest(selected_BR, given.order_BCR, given.comparable_BCR).unsqueeze(1),
                rows.smallest(selected_BR, given.order_BCR, given.comparable_BCR).unsqueeze(1),
                given.matches_BCR.unsqueeze(1),
            ],
            dim=1,
        )
        moved = rows.previous(selected_BR), rows.following(selected_BR), rows.first(selected_BR), rows.last(selected_BR)
        in_column_BXR = mix(column_BC.unsqueeze(1), of_columns_BXCR)
        return torch.cat([torch.stack(moved, 1), in_column_BXR, given.row_mask_BR.to(column_BC).unsqueeze(1)], dim=1)

    def step(self, p_BP: Tensor | None, state: ProgramState) -> tuple[Tensor, ProgramState]:
        state = self.take(state, self.choose(state))
        return torch.cat([state.number_B.unsqueeze(-1), state.log_printed_BCR.flatten(1)], dim=-1), state

    def record(self, state: ProgramState) -> ProgramRecord:
        return state.record
