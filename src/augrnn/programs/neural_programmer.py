"""The Neural Programmer that answers questions about tables (Neelakantan, Le, Abadi, McCallum and Amodei 2016)."""

# B = batch, L = words of a question, D = size of vectors, C = columns, R = rows, A = numbers of a question,
# O = operations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells import recurrent_sequence
from augrnn.cells.cell import Cell, require_sizes
from augrnn.cells.unroll import unroll
from augrnn.cells.whole_sequences import possible
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


def dropped(x: Tensor, rate: float, training: bool) -> Tensor:
    """F.dropout on numbers that a CPU draws in a third of the time."""
    if not training or not rate:
        return x
    return x * ((torch.rand_like(x) >= rate) * (1 / (1 - rate)))


class QuestionState(NamedTuple):
    """Attributes: output_BD, of the encoder; cell_BD, its memory cells; kept_BD, what dropout keeps of the output."""

    output_BD: Tensor
    cell_BD: Tensor
    kept_BD: Tensor


class QuestionEncoder(Cell):
    """The paper's LSTM: the output is o c, without a tanh, and forget gates start about open.

    Padding stands before the words. There its state stays zero, so that the length of other questions does not matter.

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
        return QuestionState(zeros_BD, zeros_BD, dropped(torch.ones_like(zeros_BD), self.dropout, self.training))

    def project(self, x: Tensor) -> Tensor:
        """(..., D + 1), of which the last is 1 at real words, to the gates' (..., 4 D).

        Padding gets zeros, from which nothing enters a cell: its candidate is their tanh.
        """
        return self.from_input(x[..., :-1]) * x[..., -1:]

    def step(self, p_BP: Tensor, state: QuestionState) -> tuple[Tensor, QuestionState]:
        gates_BG = p_BP + self.from_output(state.output_BD)
        enter_BD, forget_BD, candidate_BD, leave_BD = gates_BG.chunk(4, dim=-1)
        cell_BD = forget_BD.sigmoid() * state.cell_BD + enter_BD.sigmoid() * candidate_BD.tanh()
        output_BD = leave_BD.sigmoid() * cell_BD * state.kept_BD
        return output_BD, QuestionState(output_BD, cell_BD, state.kept_BD)

    def recorded_sequence(
        self, p_TBP: Tensor, state: QuestionState
    ) -> tuple[Tensor, QuestionState, QuestionState] | None:
        here = recurrent_sequence.available()
        if not (here and possible(self, QuestionEncoder.step, [self.from_output], (p_TBP, state))):
            return None
        weight_GD, (output_BD, cell_BD, kept_BD) = self.from_output.weight, state
        layer = weight_GD, weight_GD.new_zeros(len(weight_GD))
        if not recurrent_sequence.fits(p_TBP, layer, output_BD, cell_BD):
            return None
        found = recurrent_sequence.layer_sequence(p_TBP, layer, output_BD, cell_BD, kept_BD, squashes=False)
        states = QuestionState(*found, kept_BD.expand_as(found[0]))
        return states.output_BD, QuestionState(found[0][-1], found[1][-1], kept_BD), states


class Given(NamedTuple):
    """What of a question and its table stays the same at all steps of a program.

    Attributes:
      question_BD: the encoder's last output.
      words_BLD, word_mask_BL: its outputs, and which are of real words.
      operations_OD: the operations' vectors; their dropout is the same for all questions and steps.
      columns_BCD: the columns' vectors, of a name and of how many cells match.
      column_mask_BC, row_mask_BR: what is real.
      name_match_BC: 1 where a name stands in the question.
      held_BCX: for each column the rows whose cell has its most frequent value, those whose cell matches, and those
        that each comparison with each number of the question selects, one after the other: X = (2 + 4 A) R.
      numbers_B4A: which number of the question each comparison means.
      order_BCR, comparable_BCR: for the largest and the smallest value, see `row_operations.largest`.
      kept_BD: what dropout keeps of the history.
    """

    question_BD: Tensor
    words_BLD: Tensor
    word_mask_BL: Tensor
    operations_OD: Tensor
    columns_BCD: Tensor
    column_mask_BC: Tensor
    row_mask_BR: Tensor
    name_match_BC: Tensor
    held_BCX: Tensor
    numbers_B4A: Tensor
    order_BCR: Tensor
    comparable_BCR: Tensor
    kept_BD: Tensor


def turned(mask_BL: Tensor) -> Tensor:
    """The places of a question's words from the last to the first, behind the same padding, (B, L)."""
    length, place_BL = mask_BL.shape[1], torch.arange(mask_BL.shape[1], device=mask_BL.device).expand_as(mask_BL)
    return torch.where(mask_BL, 2 * length - 1 - mask_BL.sum(1, keepdim=True) - place_BL, place_BL)


def held(batch: TableBatch) -> Tensor:
    """Rows of each column that do not depend on a program, (B, C, X), see `Given.held_BCX`."""
    compared = [
        rows.compared(compare, batch.compared_BCR, batch.compared_mask_BCR, batch.arguments_BA)
        for compare in COMPARISONS
    ]
    others = [batch.most_frequent_BCR.unsqueeze(2), batch.entry_match_BCR.unsqueeze(2)]
    return torch.cat([*others, *compared], dim=2).flatten(2)


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
      backwards: whether questions are read from their last word to the first.
    """

    one_program = False
    input_size, output_size = 0, 1
    """The number; a step emits a channel more for each cell of its table."""

    def __init__(
        self,
        vocabulary_size: int,
        size: int = 256,
        dropout: float = 0.2,
        recurrent_dropout: float = 0.1,
        backwards: bool = False,
    ) -> None:
        super().__init__()
        require_sizes("a Neural Programmer", vocabulary_size=vocabulary_size, size=size)
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"a Neural Programmer needs {name} of at least 0 and less than 1, not {rate}")
        self.size, self.dropout, self.recurrent_dropout = size, dropout, recurrent_dropout
        self.backwards = backwards
        self.word_ids = vocabulary_size
        self.words = nn.Embedding(vocabulary_size, size)
        self.operations = nn.Parameter(torch.empty(len(OPERATIONS), size))
        self.question = QuestionEncoder(size, recurrent_dropout)
        self.to_operation = nn.Linear(3 * size, size, bias=False)
        self.to_column = nn.Linear(3 * size, size, bias=False)
        self.with_operation = nn.Linear(2 * size, size, bias=False)
        self.name_match = nn.Parameter(torch.empty(1))
        self.history = nn.Linear(3 * size, size, bias=False)
        self.history_bias = nn.Parameter(torch.empty(size))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1)
        nn.init.uniform_(self.question.from_input.bias[size : 2 * size], 1.0, 1.1)

    def dropped(self, x: Tensor) -> Tensor:
        return dropped(x, self.dropout, self.training)

    def begin(self, batch: Any) -> ProgramState:
        """Before the first step, from an `augrnn.tables.batch.TableBatch`: all rows are selected."""
        given = self.read(batch)
        selected_BR = batch.row_mask_BR.to(given.question_BD)
        zeros_BD = torch.zeros_like(given.question_BD)
        none_B = zeros_BD[:, 0]
        record = ProgramRecord(
            zeros_BD.new_zeros(batch.size, len(OPERATIONS)), torch.zeros_like(given.name_match_BC), selected_BR
        )
        return ProgramState(zeros_BD, record, none_B, zeros_BD.new_zeros(given.order_BCR.shape), given)

    def read(self, batch: TableBatch) -> Given:
        """Encode the question, and work out what does not depend on the step."""
        entry = batch.names_BC.new_full((1,), ENTRY_MATCH)
        order_BL = turned(batch.word_mask_BL) if self.backwards else None
        words_LB = (batch.words_BL if order_BL is None else batch.words_BL.gather(1, order_BL)).t()
        # looked up at once, because each lookup has a gradient as large as the vocabulary
        vectors = self.words(torch.cat([words_LB.flatten(), batch.names_BC.flatten(), entry]))
        words_LBD = self.dropped(vectors[: words_LB.numel()].view(*words_LB.shape, self.size))
        names_BCD = vectors[words_LB.numel() : -1].view(*batch.names_BC.shape, self.size)
        real_LB1 = batch.word_mask_BL.t().unsqueeze(-1).to(words_LBD)
        outputs_LBD = unroll(self.question, torch.cat([words_LBD, real_LB1], dim=-1)).y_TBO
        question_BD, outputs_BLD = outputs_LBD[-1], outputs_LBD.transpose(0, 1)
        if order_BL is not None:
            outputs_BLD = outputs_BLD.gather(1, order_BL.unsqueeze(-1).expand_as(outputs_BLD))
        operations_OD = self.dropped(self.operations)
        columns_BCD = names_BCD + batch.entry_match_BCR.sum(-1, keepdim=True) * vectors[-1]
        return Given(
            question_BD,
            outputs_BLD,
            batch.word_mask_BL,
            operations_OD,
            columns_BCD,
            batch.column_mask_BC,
            batch.row_mask_BR,
            batch.name_match_BC.to(words_LBD),
            held(batch).to(words_LBD),
            self.numbers_meant(batch, outputs_BLD, operations_OD),
            batch.order_BCR,
            batch.compared_mask_BCR,
            dropped(torch.ones_like(question_BD), self.recurrent_dropout, self.training),
        )

    def numbers_meant(self, batch: TableBatch, outputs_BLD: Tensor, operations_OD: Tensor) -> Tensor:
        """Which number of the question each comparison means, by its vector and the word to its left, (B, 4, A)."""
        places_BAD = batch.argument_places_BA.unsqueeze(-1).expand(-1, -1, self.size)
        left_BAD = outputs_BLD.gather(1, places_BAD)
        scores_B4A = operations_OD[COMPARING : COMPARING + len(COMPARISONS)] @ left_BAD.transpose(1, 2)
        return self.weights(scores_B4A, batch.argument_mask_BA.unsqueeze(1))

    def choose(self, state: ProgramState) -> Choice:
        """How likely each operation and each column is next."""
        given, history_BD = state.given, state.history_BD
        scores_BL = (given.words_BLD * history_BD.unsqueeze(1)).sum(-1)  # a product with a vector each takes longer
        attended_BD = mix(masked_softmax(scores_BL, given.word_mask_BL), given.words_BLD)
        seen_BX = torch.cat([history_BD, given.question_BD, attended_BD], dim=-1)
        operation_BD = self.dropped(self.to_operation(seen_BX).relu())
        log_operations_BO = (operation_BD @ given.operations_OD.t()).log_softmax(-1)
        meant_BD = mix(log_operations_BO.exp(), given.operations_OD)
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
            [state.history_BD, self.dropped(mix(operations_BO, given.operations_OD)),
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
        """What each operation that selects rows would give, (B, O - 2, R), in the order of `OPERATIONS`.

        The paper's code compares with the mean of the question's numbers, weighted by which is meant, which tells that
        choice nothing in training; here what each number gives is weighted. At a choice of one the two are the same.
        """
        held_BXR = mix(column_BC, given.held_BCX).unflatten(1, (-1, selected_BR.shape[1]))
        compared_B4R = mix(given.numbers_B4A, held_BXR[:, 2:].unflatten(1, given.numbers_B4A.shape[1:]))
        selects = [
            rows.previous(selected_BR),
            rows.following(selected_BR),
            rows.first(selected_BR),
            rows.last(selected_BR),
            held_BXR[:, 0],
            *compared_B4R.unbind(1),
            mix(column_BC, rows.largest(selected_BR, given.order_BCR, given.comparable_BCR)),
            mix(column_BC, rows.smallest(selected_BR, given.order_BCR, given.comparable_BCR)),
            held_BXR[:, 1],
            given.row_mask_BR.to(column_BC),
        ]
        return torch.stack(selects, dim=1)

    def step(self, p_BP: Tensor | None, state: ProgramState) -> tuple[Tensor, ProgramState]:
        state = self.take(state, self.choose(state))
        return emitted(state), state

    def record(self, state: ProgramState) -> ProgramRecord:
        return state.record


def emitted(state: ProgramState) -> Tensor:
    """What a step emits: the number and the logarithms for cells, (B, 1 + C R)."""
    return torch.cat([state.number_B.unsqueeze(-1), state.log_printed_BCR.flatten(1)], dim=-1)
