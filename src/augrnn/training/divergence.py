"""The end of a training that has diverged."""

import math

import lightning as L
from torch import Tensor


class StopOnDivergence(L.Callback):
    """Raises a FloatingPointError at the first update whose loss is not finite, before its gradients are computed.

    The model is then as the update before left it. On a GPU this waits for the loss of every update.
    """

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor) -> None:
        value = float(loss.detach())
        diverged = not math.isfinite(value)
        if trainer.world_size > 1:  # all processes end together, whichever of them has met it
            diverged = trainer.strategy.reduce_boolean_decision(diverged, all=False)
        if diverged:
            raise FloatingPointError(f"the training loss is {value} at update {trainer.global_step + 1}")
