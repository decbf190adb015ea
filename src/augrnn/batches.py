"""What every batch offers to the systems. Each task brings a type of its own, a NamedTuple of tensors."""

# T = time steps, B = batch, I = input channels, O = output channels

from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as pytree


class Batch(Protocol):
    """What a system needs of any batch."""

    @property
    def size(self) -> int:
        """Sequences in the batch."""


class StepBatch(Batch, Protocol):
    """What `augrnn.systems.transducer.Transducer` needs of a batch."""

    @property
    def inputs(self) -> Tensor | int:
        """What the cell is unrolled over: inputs (T, B, I), or a number of steps without input."""

    def scores(self, outputs_TBO: Tensor) -> dict[str, Tensor]:
        """How good outputs are: by the metric's name one number for each sequence, (B,)."""


class CostedBatch(StepBatch, Protocol):
    """What objectives of inner steps need of a batch (`augrnn.objectives.ponder_cost`, `expected_loss`)."""

    @property
    def lengths(self) -> Tensor:
        """Steps in time of each sequence, (B,); what comes after them is padding."""

    @property
    def scored_outputs(self) -> Tensor:
        """How many outputs the cost of each sequence is a sum over, (B,)."""

    def step_costs(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each step, (..., T, B), in nats, from one output a step or several, (..., T, B, O)."""


Any_batch = TypeVar("Any_batch", bound=tuple[Any, ...])


def moved(batch: Any_batch, device: torch.device) -> Any_batch:
    """The batch on another device, tuples in it too."""
    return pytree.tree_map(lambda leaf: leaf.to(device) if isinstance(leaf, Tensor) else leaf, batch)
