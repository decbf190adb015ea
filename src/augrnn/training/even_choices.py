"""How even the choices of a program are to be, changed in training."""

import itertools
import math
from typing import Any

import lightning as L

from augrnn.errors import UserError
from augrnn.objectives.answers import TableLoss


class EvenChoices(L.Callback):
    """Sets the `evenness` of a `TableLoss` from some updates on.

    Args:
      weights: from which update on it is how much; before the first, none.

    Raises:
      UserError: updates do not follow each other, or a weight is below 0.
    """

    def __init__(self, weights: tuple[tuple[int, float], ...]) -> None:
        starts = [start for start, _ in weights]
        if not weights or starts[0] < 0 or any(one >= other for one, other in itertools.pairwise(starts)):
            raise UserError(f"even choices need updates one after the other, from 0 on, not {starts}")
        if any(not 0 <= weight < math.inf for _, weight in weights):
            raise UserError(f"even choices need weights of at least 0, not {[weight for _, weight in weights]}")
        self.weights = weights

    def at(self, update: int) -> float:
        """The weight at an update."""
        return next((weight for start, weight in reversed(self.weights) if update >= start), 0.0)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        objective = pl_module.objective
        if not isinstance(objective, TableLoss):
            raise UserError(f"even choices are a part of TableLoss, not of {type(objective).__name__}")
        objective.evenness = self.at(trainer.global_step)
