"""Questions about tables as tensors: what a model of tables is given, whatever the tables come from."""

# B = batch, L = words of a question, A = 2 numbers of a question, C = columns, R = rows

from typing import NamedTuple

import torch
from torch import Tensor

PAD, UNK, ENTRY_MATCH, COLUMN_MATCH = 0, 1, 2, 3
"""Word ids with a fixed meaning: padding; unknown, and anonymised; appended where a cell matches, where a name does."""

SPECIAL = 4
"""How many there are of these."""

LIKELY, EQUAL = -0.5, 1e-3
"""A printed cell has a larger logarithm of its likelihood; numbers that differ by less are equal."""

STEPS = 4
"""How many operations a program does one after the other."""

ARGUMENTS = 2
"""How many numbers of a question a comparison chooses from (A)."""


class TableBatch(NamedTuple):
    """Questions, each with its table and answer.

    Columns and rows are in the table's own order, so that cell (c, r) of the batch is `table.rows[r][c]`. All is padded
    to the largest question and table of the batch: L, C and R differ from batch to batch. Padding is 0 or False.

    Numbers are float64 because a day is one number of eight digits, which float32 cannot hold; what is made of them
    (True where a comparison holds, an order) is as well held in float32.

    Attributes:
      words_BL: int64, word ids, padded on the LEFT. Numbers and dates have been taken out of the question; what matched
        a cell of a word column is UNK; the last words are ENTRY_MATCH if any cell matches, then COLUMN_MATCH if any
        name does. At least one word is real.
      word_mask_BL: bool, True at real words.
      arguments_BA: float64, the first two numbers of the question, in order (a date as its digits, see
        `compared_BCR`); 0 where there is none.
      argument_mask_BA: bool, True where there is one. The second is there only if the first is.
      argument_places_BA: int64, where in L the word to the left of each number is, the first real word where there is
        none to the left; 0 where there is no number.
      row_mask_BR: bool, True at real rows, which come first. At least one row is real.
      column_mask_BC: bool, True at real columns, which come first. At least one column is real.
      numeric_BC: bool, True for columns of which every cell is one number; others are word columns.
      names_BC: int64, the word id of the first word of a column's name, UNK where that is unknown, a number or missing;
        PAD at padding.
      name_match_BC: bool, the name, or if no name does as a whole, a word of it, stands in the question.
      entry_match_BCR: bool, the cell, or if no cell of the table does as a whole, a word of it, stands in the question.
        How many rows of a column match is `entry_match_BCR.sum(-1)`.
      most_frequent_BCR: bool, the cell has the value that is most frequent in its column, if one occurs twice at all;
        of several equally frequent ones that which comes first.
      compared_BCR: float64, what comparisons, argmax and argmin see of a cell: the digits of its date, year first
        (20110304; 1115 for an 11-15 without a year), else its first number; 0 where `compared_mask_BCR` is False.
      compared_mask_BCR: bool, True where the cell has a number or a date. The paper's code has two sentinels instead.
      order_BCR: int64, a permutation of R for each column: rows with a value from the largest to the smallest, equal
        ones in the table's order, then rows without one, then padding. Argmax takes the first selected one from the
        front, argmin from the back (among those with `compared_mask_BCR`).
      scalar_B: float64, the answer as a number; 0 where `has_scalar_B` is False.
      has_scalar_B: bool, the answer is one number. (The number may be 0, which the paper's code never trains.)
      answer_BCR: int64, k where the cell matches the k-th item of the answer, from 1; 0 where it matches none, and
        everywhere if `has_lookup_B` is False. Several cells may match one item; none matches two.
      has_lookup_B: bool, every item of the answer matches some cell. Both kinds: ambiguous; neither: unanswerable.
      index_B: int64, the number of each question in its split.
    """

    words_BL: Tensor
    word_mask_BL: Tensor
    arguments_BA: Tensor
    argument_mask_BA: Tensor
    argument_places_BA: Tensor
    row_mask_BR: Tensor
    column_mask_BC: Tensor
    numeric_BC: Tensor
    names_BC: Tensor
    name_match_BC: Tensor
    entry_match_BCR: Tensor
    most_frequent_BCR: Tensor
    compared_BCR: Tensor
    compared_mask_BCR: Tensor
    order_BCR: Tensor
    scalar_B: Tensor
    has_scalar_B: Tensor
    answer_BCR: Tensor
    has_lookup_B: Tensor
    index_B: Tensor

    @property
    def size(self) -> int:
        """Questions in the batch."""
        return len(self.index_B)

    @property
    def cell_mask(self) -> Tensor:
        """True at real cells (B, C, R)."""
        return self.column_mask_BC[:, :, None] & self.row_mask_BR[:, None]

    @property
    def inputs(self) -> int:
        """The steps of a program."""
        return STEPS

    def answered(self, outputs_TBX: Tensor) -> tuple[Tensor, Tensor]:
        """The number, (B,), and the logarithm of how likely each cell is printed, (B, C, R), of the last step.

        Args:
          outputs_TBX: of each step the number, and after it the cells, column by column.
        """
        last_BX = outputs_TBX[-1]
        return last_BX[:, 0], last_BX[:, 1:].view(self.entry_match_BCR.shape)

    def right(self, outputs_TBX: Tensor) -> Tensor:
        """Whether what a program did is the answer, (B,): its number, or cells of all items and of nothing else.

        Texts are not looked at: the data set's own rules (`augrnn.tables.denotations`) are a little more lenient. No 0
        is right: whether a program counted no rows or did something else cannot be told from its outputs.
        """
        number_B, log_printed_BCR = self.answered(outputs_TBX)
        printed_BX = (log_printed_BCR > LIKELY).flatten(1)
        item_BX = self.answer_BCR.flatten(1)
        found_BK = torch.zeros(self.size, int(item_BX.max()) + 1, dtype=torch.int64, device=item_BX.device)
        found_BK = found_BK.scatter_reduce(1, item_BX, printed_BX.long(), "amax")
        items_B = item_BX.amax(1)
        cells_B = self.has_lookup_B & (found_BK[:, 1:].sum(1) == items_B) & ~(printed_BX & (item_BX == 0)).any(1)
        equal_B = (number_B - self.scalar_B).abs() < EQUAL
        return torch.where(printed_BX.any(1), cells_B, self.has_scalar_B & equal_B & (number_B > 0))

    def scores(self, outputs_TBX: Tensor) -> dict[str, Tensor]:
        """`right` of each question, (B,)."""
        return {"right": self.right(outputs_TBX).to(outputs_TBX.dtype)}
