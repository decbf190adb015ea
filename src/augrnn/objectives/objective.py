"""The contract of an objective: what training minimises."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

from augrnn.cells.unroll import Keep, Unrolled


class Loss(NamedTuple):
    """What an objective gives.

    Attributes:
      value: the number to minimise.
      logged: numbers to log under `train/`, by name, without gradients.
    """

    value: Tensor
    logged: Mapping[str, Tensor]


class Objective(nn.Module):
    """From a batch, and what the model gave for it, to the loss. Chosen by its `class_path` in a config.

    It may have parameters, which are trained with the model's, and buffers (a moving baseline), which a checkpoint
    keeps. It may draw random numbers: they are a function of the seed and the update.

    Attributes:
      keep: from the record of a step to the part of it that `forward` needs in the trace; None for no trace.
        A subclass that defines it as a function marks it `@staticmethod`.
    """

    keep: Keep | None = None

    def forward(self, batch: Any, given: Unrolled) -> Loss:
        """The loss of one training batch.

        Args:
          batch: the task's.
          given: outputs (a text's as scores of every token, (M, B, V)), the last state, and what was kept of the trace.
        """
        raise NotImplementedError
