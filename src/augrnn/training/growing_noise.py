"""Noise on the choices of programs that grows in training, so that mixtures become choices."""

import math
from typing import Any

import lightning as L
import torch

from augrnn.errors import UserError
from augrnn.programs.choices import Chooser


class GrowingNoise(L.Callback):
    """Lets the noise on the scores of a program's choices (`Chooser`) grow evenly from one update to another.

    Soft choices are to find what answers the questions, and noise is to make one program of it. With noise from the
    start expressions of arithmetic are mostly computed from left to right, whatever stands before a product.

    Args:
      noise: the standard deviation that is reached at update `last`.
      first, last: the updates between which it grows from 0.
      until: from which update on there is none again; None for noise to the end.

    Raises:
      UserError: there is no such noise, or `last` does not come after `first`, or `until` comes before `last`.
    """

    def __init__(self, noise: float, first: int, last: int, until: int | None = None) -> None:
        if not 0 < noise < math.inf:
            raise UserError(f"noise on choices needs a standard deviation above 0, not {noise}")
        if not 0 <= first < last:
            raise UserError(f"noise on choices needs 0 <= first < last, not {first} and {last}")
        if until is not None and until < last:
            raise UserError(f"noise on choices needs last <= until, not {last} and {until}")
        self.noise, self.first, self.last, self.until = noise, first, last, until

    def at(self, update: int) -> float:
        """The standard deviation at an update."""
        if self.until is not None and update >= self.until:
            return 0.0
        return self.noise * min(1.0, max(0.0, (update - self.first) / (self.last - self.first)))

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        deviation = self.at(trainer.global_step)
        noise = torch.tensor(deviation, device=pl_module.device) if deviation else None
        for part in pl_module.modules():
            if isinstance(part, Chooser):
                part.noise = noise
