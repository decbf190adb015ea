"""Objectives of programs: the answer alone is known, and no step of the program."""

# T = time steps, B = batch, O = outputs

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.batches import StepBatch
from augrnn.cells.unroll import Unrolled
from augrnn.objectives.objective import Loss, Objective


class AnsweredBatch(StepBatch, Protocol):
    """What the objective needs of a batch."""

    def errors(self, outputs_TBO: Tensor) -> Tensor:
        """By how much the answers that outputs give are too large, (B,)."""


class NumberLoss(Objective):
    """The mean of Huber's loss of numbers that are answers: half the squared error, and linear from delta on.

    Logged: `loss`, the same.

    Args:
      delta: from which error on.
    """

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        if not delta > 0:
            raise ValueError(f"Huber's loss needs delta > 0, not {delta}")
        self.delta = delta

    def forward(self, batch: AnsweredBatch, given: Unrolled) -> Loss:
        error_B = batch.errors(given.y_TBO)
        loss = huber(error_B, self.delta).mean()
        return Loss(loss, {"loss": loss.detach()})


def huber(error: Tensor, delta: float) -> Tensor:
    """Huber's loss of each error: half its square, and linear from delta on."""
    return F.huber_loss(error, torch.zeros_like(error), delta=delta, reduction="none")


class TableBatch(StepBatch, Protocol):
    """What the objective needs of a batch of questions about tables."""

    number_B: Tensor
    cells_BRC: Tensor
    number_asked_B: Tensor

    def answered(self, outputs_TBX: Tensor) -> tuple[Tensor, Tensor]:
        """The number (B,) and the cells (B, R, C) that outputs give."""


class TableLoss(Objective):
    """Huber's loss where a number is asked for, and the log loss where cells are (Neelakantan et al. 2015, 2.4).

    The log loss is a mean over the cells of a table; both together are a mean over questions.

    Logged: `loss`, the same, and the means of its kinds where they are asked for, `number_loss` and `cells_loss`.

    Args:
      delta: from which error on Huber's loss is linear.
      cells_weight: weight of the log loss.
    """

    def __init__(self, delta: float = 1.0, cells_weight: float = 1.0) -> None:
        super().__init__()
        if not delta > 0:
            raise ValueError(f"Huber's loss needs delta > 0, not {delta}")
        if not cells_weight > 0:
            raise ValueError(f"the log loss needs a weight > 0, not {cells_weight}")
        self.delta, self.cells_weight = delta, cells_weight

    def forward(self, batch: TableBatch, given: Unrolled) -> Loss:
        number_B, given_BRC = batch.answered(given.y_TBO)
        each_B = huber(number_B - batch.number_B, self.delta)
        # weights are sums of products of softmaxes, which rounding can take a little above 1
        cells_B = F.binary_cross_entropy(given_BRC.clamp(0, 1), batch.cells_BRC, reduction="none").flatten(1).mean(1)
        asked_B = batch.number_asked_B
        loss = torch.where(asked_B, each_B, self.cells_weight * cells_B).mean()
        kinds = {"number_loss": each_B[asked_B], "cells_loss": cells_B[~asked_B]}
        logged = {name: losses.mean().detach() for name, losses in kinds.items() if len(losses)}
        return Loss(loss, {"loss": loss.detach(), **logged})
