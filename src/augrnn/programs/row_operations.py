"""The operations of the Neural Programmer of 2016, which choose rows of tables (Neelakantan et al. 2016, table 1).

Each is a function of how far rows are selected, of a table and of which column is meant. All are soft: a selection is a
number in [0, 1] for each row, a column a distribution. At selections of 0 and 1 and at one column they are the discrete
operations. No function loops over rows, columns or operations.
"""

# B = batch, C = columns, R = rows, A = numbers of a question

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.soft import mix

Compare = Callable[[Tensor, Tensor], Tensor]
"""From cells and a number to where the comparison holds: torch.gt, torch.lt, torch.ge or torch.le."""


def previous(selected_BR: Tensor) -> Tensor:
    """The row before each selected row."""
    return F.pad(selected_BR[:, 1:], (0, 1))


def following(selected_BR: Tensor) -> Tensor:
    """The row after each selected row."""
    return F.pad(selected_BR[:, :-1], (1, 0))


def first(selected: Tensor) -> Tensor:
    """The first selected row of any (..., R): it counts so far as it is selected and none before it is."""
    before = F.pad((1 - selected[..., :-1]).cumprod(-1), (1, 0), value=1.0)
    return selected * before


def last(selected: Tensor) -> Tensor:
    """The last selected row of any (..., R)."""
    return first(selected.flip(-1)).flip(-1)


def largest(selected_BR: Tensor, order_BCR: Tensor, comparable_BCR: Tensor) -> Tensor:
    """The selected row with the largest value of each column, (B, C, R); of equal ones the first.

    Args:
      selected_BR: the selection.
      order_BCR: the rows of each column from the largest to the smallest value.
      comparable_BCR: True where a cell has a value; others are never chosen.
    """
    return _first_in_order(selected_BR, order_BCR, comparable_BCR, first)


def smallest(selected_BR: Tensor, order_BCR: Tensor, comparable_BCR: Tensor) -> Tensor:
    """The selected row with the smallest value of each column, (B, C, R); of equal ones the last. See `largest`."""
    return _first_in_order(selected_BR, order_BCR, comparable_BCR, last)


def _first_in_order(
    selected_BR: Tensor, order_BCR: Tensor, comparable_BCR: Tensor, chosen: Callable[[Tensor], Tensor]
) -> Tensor:
    in_order_BCR = (selected_BR.unsqueeze(1) * comparable_BCR).gather(-1, order_BCR)
    return torch.zeros_like(in_order_BCR).scatter(-1, order_BCR, chosen(in_order_BCR))


def compared(
    compare: Compare, cells_BCR: Tensor, comparable_BCR: Tensor, numbers_BA: Tensor, choice_BA: Tensor
) -> Tensor:
    """The rows whose cells are larger, say, than a number of the question, in each column, (B, C, R).

    The paper's code compares with the mean of the numbers, weighted by the choice, which tells the choice nothing in
    training; here what each number gives is weighted. At a choice of one number the two are the same.

    Args:
      compare: which comparison.
      cells_BCR: the values of cells.
      comparable_BCR: True where a cell has one; others never hold.
      numbers_BA: the numbers of the question.
      choice_BA: how likely each is meant; zeros where there is none.
    """
    holds_BACR = compare(cells_BCR.unsqueeze(1), numbers_BA[:, :, None, None]) & comparable_BCR.unsqueeze(1)
    return mix(choice_BA, holds_BACR.to(choice_BA.dtype).flatten(2)).view(comparable_BCR.shape)
