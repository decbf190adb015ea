"""What the tasks share whose answers are classes: their batches, and what is wrong in them."""

# T = time steps, B = batch, I = input channels, D = classifications of a step, C = classes of each, O = D * C output
# channels

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.tasks.drawn_task import DrawnTask, StepCodec


class ClassBatch(NamedTuple):
    """Vectors in, classes out: at each step as many classifications at once as the targets have.

    Attributes:
      inputs_TBI: what the model sees at each step.
      targets_TBD: the numbers of the classes it should give.
      scored_TB: 1.0 at the steps whose answers count, else 0.0.
      lengths_B: steps in time of each sequence, after which there is padding.
    """

    inputs_TBI: Tensor
    targets_TBD: Tensor
    scored_TB: Tensor
    lengths_B: Tensor

    @property
    def size(self) -> int:
        """Sequences in the batch."""
        return self.inputs_TBI.shape[1]

    @property
    def inputs(self) -> Tensor:
        """What a cell is unrolled over, (T, B, I)."""
        return self.inputs_TBI

    @property
    def lengths(self) -> Tensor:
        """Steps in time of each sequence, (B,)."""
        return self.lengths_B

    @property
    def scored_outputs(self) -> Tensor:
        """How many classifications of each sequence are scored, (B,)."""
        return self.scored_TB.sum(0) * self.targets_TBD.shape[-1]

    def step_costs(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each step, (..., T, B), in nats, zero where none is scored.

        Args:
          logits_TBO: one output a step, (T, B, O), or several with their number before it, (..., T, B, O).
        """
        logits_TBDC = self.split(logits_TBO)
        targets_TBD = self.targets_TBD.expand(logits_TBDC.shape[:-1])
        costs_N = F.cross_entropy(logits_TBDC.flatten(0, -2), targets_TBD.flatten(), reduction="none")
        return costs_N.view(targets_TBD.shape).sum(-1) * self.scored_TB

    def cost_bits(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each sequence, (..., B), in bits, summed over its scored steps."""
        return self.step_costs(logits_TBO).sum(-2) / math.log(2)

    def wrong_steps(self, logits_TBO: Tensor) -> Tensor:
        """Which scored steps, (T, B), have a class that is not the likeliest."""
        return self.wrong(logits_TBO).any(-1) & (self.scored_TB > 0)

    def wrong(self, logits_TBO: Tensor) -> Tensor:
        """Where the likeliest class is not the target, (T, B, D), scored or not."""
        return self.split(logits_TBO).argmax(-1) != self.targets_TBD

    def split(self, logits_TBO: Tensor) -> Tensor:
        """The scores of each classification's classes, (..., D, C)."""
        return logits_TBO.unflatten(-1, (self.targets_TBD.shape[-1], -1))

    def scores(self, outputs_TBO: Tensor) -> dict[str, Tensor]:
        """Of each sequence, (B,), `cost_bits`, `wrong_classes`, and as `wrong_sequences` 1 if any is wrong, else 0."""
        scored_TB1 = self.scored_TB.unsqueeze(-1)
        wrong_B = (self.wrong(outputs_TBO) * scored_TB1).sum((0, 2))
        return {
            "cost_bits": self.cost_bits(outputs_TBO),
            "wrong_classes": wrong_B,
            "wrong_sequences": (wrong_B > 0).to(wrong_B.dtype),
        }


class ClassCodec(StepCodec[ClassBatch]):
    """The likeliest classes at each step.

    Args:
      input_size: channels of an input.
      classifications: D.
    """

    def __init__(self, input_size: int, classifications: int) -> None:
        super().__init__(input_size)
        self.classifications = classifications

    def asked(self, inputs_T1I: Tensor) -> ClassBatch:
        steps = len(inputs_T1I)
        nothing_T1 = inputs_T1I.new_zeros(steps, 1)
        targets_T1D = torch.zeros(steps, 1, self.classifications, dtype=torch.long)
        return ClassBatch(inputs_T1I, targets_T1D, nothing_T1, torch.tensor([steps]))

    def answers(self, logits_TO: Tensor) -> list[list[int]]:
        return logits_TO.unflatten(-1, (self.classifications, -1)).argmax(-1).tolist()


class ClassTask(DrawnTask[ClassBatch]):
    """A task of one or more classifications at each step; its arguments are those of DrawnTask.

    Attributes:
      classifications: D, at each step.
    """

    classifications: int

    @property
    def codec(self) -> ClassCodec:
        return ClassCodec(self.input_size, self.classifications)
