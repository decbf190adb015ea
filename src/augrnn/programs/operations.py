"""The operations of the Neural Programmer on tables (Neelakantan, Le and Sutskever 2015, table 1).

Each is a pure function of table arrays, rows that earlier steps selected, and earlier outputs. Selections are weights
from 0 to 1, so that a mean of several is one too; with weights of 0 and 1 each is what its name says.
"""

# B = batch, R = rows, C = columns, N = numbers of the question, W = words of the question

import torch
from torch import Tensor

from augrnn.soft import mix


def total(numbers_BRC: Tensor, rows_BR: Tensor) -> Tensor:
    """The sum of each column over the selected rows, (B, C)."""
    return mix(rows_BR, numbers_BRC)


def count(rows_BR: Tensor) -> Tensor:
    """How many rows are selected, (B,)."""
    return rows_BR.sum(-1)


def difference(earlier_B: Tensor, later_B: Tensor) -> Tensor:
    """The output of an earlier step less that of a later one, (B,)."""
    return earlier_B - later_B


def greater(numbers_BRC: Tensor, pivots_BN: Tensor) -> Tensor:
    """Which cells are greater than each pivot, (B, N, R, C)."""
    return numbers_BRC.unsqueeze(1) > pivots_BN[..., None, None]


def lesser(numbers_BRC: Tensor, pivots_BN: Tensor) -> Tensor:
    """Which cells are less than each pivot, (B, N, R, C)."""
    return numbers_BRC.unsqueeze(1) < pivots_BN[..., None, None]


def match(words_BRC: Tensor, asked_BW: Tensor) -> Tensor:
    """Which cells are each word, (B, W, R, C), by their ids; an id below 0 is no word and matches nothing."""
    return (words_BRC.unsqueeze(1) == asked_BW[..., None, None]) & (words_BRC.unsqueeze(1) >= 0)


def pivoted(weights_BN: Tensor, cells_BNRC: Tensor) -> Tensor:
    """What comparisons with several pivots give when each is chosen with a weight, (B, R, C)."""
    return mix(weights_BN, cells_BNRC.flatten(2).to(weights_BN.dtype)).unflatten(-1, cells_BNRC.shape[2:])


def in_column(columns_BC: Tensor, cells_BRC: Tensor) -> Tensor:
    """What a comparison gives in the chosen columns, as rows, (B, R)."""
    return mix(columns_BC, cells_BRC.transpose(1, 2))


def both(rows_BR: Tensor, others_BR: Tensor) -> Tensor:
    """Rows in both selections, (B, R): the smaller weight."""
    return torch.minimum(rows_BR, others_BR)


def either(rows_BR: Tensor, others_BR: Tensor) -> Tensor:
    """Rows in either selection, (B, R): the larger weight."""
    return torch.maximum(rows_BR, others_BR)


def assign(rows_BR: Tensor, columns_BC: Tensor) -> Tensor:
    """The cells of the selected rows in the chosen columns, (B, R, C): what a look-up answers."""
    return rows_BR.unsqueeze(-1) * columns_BC.unsqueeze(1)


def reset(real_BR: Tensor, like_BR: Tensor) -> Tensor:
    """All rows that the table has, (B, R), in the type of other selections."""
    return real_BR.to(like_BR.dtype)
