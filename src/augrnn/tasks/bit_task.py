"""What the tasks on binary vectors share: their batches, and what is wrong in them."""

# T = time steps, B = batch, I = input channels, O = output channels

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.tasks.drawn_task import DrawnTask, StepCodec


class BitBatch(NamedTuple):
    """Binary vectors in, binary vectors out, as in the Neural Turing Machine's tasks.

    Attributes:
      inputs_TBI: what the model sees at each step.
      targets_TBO: the bits it should give, 0 or 1.
      scored_TB: 1.0 at the steps whose output counts, else 0.0.
    """

    inputs_TBI: Tensor
    targets_TBO: Tensor
    scored_TB: Tensor

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
        """Steps in time of each sequence, (B,): up to the last that is scored, all of them where none is."""
        steps = len(self.scored_TB)
        number_T1 = torch.arange(1, steps + 1, device=self.scored_TB.device).unsqueeze(1)
        last_B = (number_T1 * (self.scored_TB > 0)).amax(0)
        return torch.where(last_B > 0, last_B, steps)

    @property
    def scored_outputs(self) -> Tensor:
        """How many bits of each sequence are scored, (B,)."""
        return self.scored_TB.sum(0) * self.targets_TBO.shape[-1]

    def step_costs(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each step, (..., T, B), in nats, zero where none is scored.

        Args:
          logits_TBO: one output a step, (T, B, O), or several with their number before it, (..., T, B, O).
        """
        targets = self.targets_TBO.expand_as(logits_TBO)
        return F.binary_cross_entropy_with_logits(logits_TBO, targets, reduction="none").sum(-1) * self.scored_TB

    def cost_bits(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each sequence, (..., B), in bits, summed over its scored target bits (the paper's cost)."""
        return self.step_costs(logits_TBO).sum(-2) / math.log(2)

    def wrong_bits(self, logits_TBO: Tensor) -> Tensor:
        """How many scored target bits of each sequence, (B,), the thresholded output gets wrong."""
        wrong_TBO = self.wrong(logits_TBO).to(logits_TBO.dtype)
        return (wrong_TBO.sum(-1) * self.scored_TB).sum(0)

    def wrong_steps(self, logits_TBO: Tensor) -> Tensor:
        """Which scored steps, (T, B), have a target bit that the thresholded output gets wrong."""
        return self.wrong(logits_TBO).any(-1) & (self.scored_TB > 0)

    def wrong(self, logits_TBO: Tensor) -> Tensor:
        """Which bits the thresholded output gets wrong, (T, B, O), scored or not."""
        return (logits_TBO > 0) != (self.targets_TBO > 0.5)

    def scores(self, outputs_TBO: Tensor) -> dict[str, Tensor]:
        """Of each sequence, (B,), `cost_bits`, `wrong_bits`, and as `wrong_sequences` 1 if any bit is wrong, else 0."""
        cost_B, wrong_B = self.cost_bits(outputs_TBO), self.wrong_bits(outputs_TBO)
        return {"cost_bits": cost_B, "wrong_bits": wrong_B, "wrong_sequences": (wrong_B > 0).to(wrong_B.dtype)}


class BitCodec(StepCodec[BitBatch]):
    """The bits that a model gives at each step, 0 or 1."""

    def asked(self, inputs_T1I: Tensor) -> BitBatch:
        nothing_T1 = inputs_T1I.new_zeros(len(inputs_T1I), 1)
        return BitBatch(inputs_T1I, nothing_T1.unsqueeze(-1), nothing_T1)

    def answers(self, logits_TO: Tensor) -> list[list[int]]:
        return (logits_TO > 0).long().tolist()


class BitTask(DrawnTask[BitBatch]):
    """A task of binary vectors; its arguments are those of DrawnTask."""

    @property
    def codec(self) -> BitCodec:
        return BitCodec(self.input_size)
