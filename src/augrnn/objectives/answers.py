"""Objectives of programs: the answer alone is known, and no step of the program."""

# T = time steps, B = batch, O = outputs

import math
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


class TableRecord(Protocol):
    """What the objective needs of a step: how likely each operation was."""

    operation_BV: Tensor


class TableLoss(Objective):
    """Huber's loss where a number is asked for, and the log loss where cells are (Neelakantan et al. 2015, 2.4).

    The log loss is a mean over the cells of a table; both together are a mean over questions.

    Not in the paper: `evenness` weighs how far the operations' probabilities are from even ones, the mean of
    -log p over operations, added up over steps. From some programs that nearly answer, no change of a single step is
    an improvement, and an operation that makes no difference yet is soon too improbable to be tried again. This keeps
    it alive until another step has changed what it is good for.

    Logged: `loss`, without evenness, and the means of its kinds where they are asked for, `number_loss` and
    `cells_loss`.

    Args:
      delta: from which error on Huber's loss is linear.
      cells_weight: weight of the log loss.
      evenness: weight of even choices of operations.
    """

    def __init__(self, delta: float = 1.0, cells_weight: float = 1.0, evenness: float = 0.0) -> None:
        super().__init__()
        if not delta > 0:
            raise ValueError(f"Huber's loss needs delta > 0, not {delta}")
        if not cells_weight > 0:
            raise ValueError(f"the log loss needs a weight > 0, not {cells_weight}")
        if not 0 <= evenness < math.inf:
            raise ValueError(f"the loss of answers needs evenness of at least 0, not {evenness}")
        self.delta, self.cells_weight, self.evenness = delta, cells_weight, evenness

    @staticmethod
    def keep(record: TableRecord) -> Tensor:
        return record.operation_BV

    def forward(self, batch: TableBatch, given: Unrolled) -> Loss:
        number_B, given_BRC = batch.answered(given.y_TBO)
        each_B = huber(number_B - batch.number_B, self.delta)
        # weights are sums of products of softmaxes, which rounding can take a little above 1
        cells_B = F.binary_cross_entropy(given_BRC.clamp(0, 1), batch.cells_BRC, reduction="none").flatten(1).mean(1)
        asked_B = batch.number_asked_B
        loss = torch.where(asked_B, each_B, self.cells_weight * cells_B).mean()
        kinds = {"number_loss": each_B[asked_B], "cells_loss": cells_B[~asked_B]}
        logged = {name: losses.mean().detach() for name, losses in kinds.items() if len(losses)}
        value = loss
        if self.evenness:
            value = loss - self.evenness * (given.trace + LEAST).log().mean(-1).sum(0).mean()
        return Loss(value, {"loss": loss.detach(), **logged})


LEAST = 1e-20
"""Probabilities are as small as this at least in a logarithm."""
