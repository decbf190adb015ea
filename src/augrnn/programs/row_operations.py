"""The operations of the Neural Programmer of 2016, which choose rows of tables (Neelakantan et al. 2016, table 1).

Each is a function of how far rows are selected, of a table and of which column is meant. All are soft: a selection is a
number in [0, 1] for each row, a column a distribution. At selections of 0 and 1 and at one column they are the discrete
operations. No function loops over rows, columns or operations.
"""

# B = batch, C = columns, R = rows, A = numbers of a question

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from augrnn import kernels

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
    return _first(selected, None, None, backwards=False)


def last(selected: Tensor) -> Tensor:
    """The last selected row of any (..., R)."""
    return _first(selected, None, None, backwards=True)


def largest(selected_BR: Tensor, order_BCR: Tensor, comparable_BCR: Tensor) -> Tensor:
    """The selected row with the largest value of each column, (B, C, R); of equal ones the first.

    Args:
      selected_BR: the selection.
      order_BCR: the rows of each column from the largest to the smallest value.
      comparable_BCR: True where a cell has a value; others are never chosen.
    """
    return _first(selected_BR, order_BCR, comparable_BCR, backwards=False)


def smallest(selected_BR: Tensor, order_BCR: Tensor, comparable_BCR: Tensor) -> Tensor:
    """The selected row with the smallest value of each column, (B, C, R); of equal ones the last. See `largest`."""
    return _first(selected_BR, order_BCR, comparable_BCR, backwards=True)


def _first(selected: Tensor, order_BCR: Tensor | None, comparable_BCR: Tensor | None, backwards: bool) -> Tensor:
    """The first selected row in an order, or in that of the table."""
    if kernels.fit(selected):
        found: Tensor = _First.apply(selected, order_BCR, comparable_BCR, backwards)
        return found
    if order_BCR is None or comparable_BCR is None:
        return _softly_first(selected, backwards)
    in_order_BCR = (selected.unsqueeze(1) * comparable_BCR).gather(-1, order_BCR)
    return torch.zeros_like(in_order_BCR).scatter(-1, order_BCR, _softly_first(in_order_BCR, backwards))


def _softly_first(selected: Tensor, backwards: bool) -> Tensor:
    if backwards:
        return _softly_first(selected.flip(-1), backwards=False).flip(-1)
    return selected * F.pad((1 - selected[..., :-1]).cumprod(-1), (1, 0), value=1.0)


class _First(torch.autograd.Function):
    """Selection, order, which rows have a value, and whether the last of the order is meant; see `_first`."""

    @staticmethod
    def forward(
        ctx: Any, selected: Tensor, order_BCR: Tensor | None, comparable_BCR: Tensor | None, backwards: bool
    ) -> Tensor:
        selected = selected.contiguous()
        shape = selected.shape if order_BCR is None else order_BCR.shape
        ctx.arrays = [None if each is None else each.contiguous() for each in (order_BCR, comparable_BCR)]
        ctx.save_for_backward(selected)
        rows = shape[-1]
        ctx.sizes = selected.numel() // max(rows, 1), 1 if order_BCR is None else shape[1], rows, int(backwards)
        made = selected.new_zeros(shape)
        kernels.call("first_forward", *ctx.sizes, selected, *ctx.arrays, made)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (selected,) = ctx.saved_tensors
        g_selected = torch.zeros_like(selected)
        kernels.call("first_backward", *ctx.sizes, selected, *ctx.arrays, gradient.contiguous(), g_selected)
        return g_selected, None, None, None


def compared(compare: Compare, cells_BCR: Tensor, comparable_BCR: Tensor, numbers_BA: Tensor) -> Tensor:
    """The rows whose cells are larger, say, than each number of the question, in each column, boolean (B, C, A, R).

    Args:
      compare: which comparison.
      cells_BCR: the values of cells.
      comparable_BCR: True where a cell has one; others never hold.
      numbers_BA: the numbers of the question.
    """
    return compare(cells_BCR.unsqueeze(2), numbers_BA[:, None, :, None]) & comparable_BCR.unsqueeze(2)
