"""Cross-entropy: of binary vectors or classes, summed over a sequence, and of texts, a mean over tokens."""

# N = rows, V = vocabulary

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from augrnn import kernels
from augrnn.cells.unroll import Unrolled
from augrnn.objectives.objective import Loss, Objective
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.class_task import ClassBatch
from augrnn.text.token_batches import NO_TOKEN, PairBatch

NATS_PER_BIT = math.log(2)


class SequenceCrossEntropy(Objective):
    """The mean over sequences of the cross-entropy that a sequence's bits, or classes, have together, in nats.

    The sum matters: with a mean over bits the papers' learning rates, clipping and epsilons do not mean the same.

    Logged: `cost_bits`, in bits, the unit of the Neural Turing Machine paper.
    """

    def forward(self, batch: BitBatch | ClassBatch, given: Unrolled) -> Loss:
        cost = batch.cost_bits(given.y_TBO).mean()
        return Loss(cost * NATS_PER_BIT, {"cost_bits": cost.detach()})


class TokenCrossEntropy(Objective):
    """The mean over the target's tokens of their cross-entropy, the previous ones given, in nats.

    Logged: `loss`, the same.

    Args:
      label_smoothing: share of the target's probability spread evenly over the vocabulary.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, batch: PairBatch, given: Unrolled) -> Loss:
        logits_NV = given.y_TBO.flatten(0, 1)
        loss = token_cross_entropy(logits_NV, batch.flat_target, self.label_smoothing)
        return Loss(loss, {"loss": loss.detach()})


def token_cross_entropy(logits_NV: Tensor, target_N: Tensor, smoothing: float) -> Tensor:
    """`F.cross_entropy` with NO_TOKEN passed over; in C++, where it can be, in fewer passes over the scores."""
    here = logits_NV.device.type == "cpu" and logits_NV.dtype == torch.float32 and kernels.available()
    if not here or torch._C._functorch.is_functorch_wrapped_tensor(logits_NV) or torch.compiler.is_compiling():
        return F.cross_entropy(logits_NV, target_N, label_smoothing=smoothing)
    real_N = target_N != NO_TOKEN
    if not ((target_N >= 0) & (target_N < logits_NV.shape[1]) | ~real_N).all():
        raise IndexError(f"a target token is none of the {logits_NV.shape[1]} of the vocabulary")
    loss_N: Tensor = _TokenCrossEntropy.apply(logits_NV.contiguous(), target_N.contiguous(), smoothing)
    return loss_N / real_N.sum()


class _TokenCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits_NV: Tensor, target_N: Tensor, smoothing: float) -> Tensor:
        ctx.smoothing, total_N = logits_NV.new_tensor(smoothing), logits_NV.new_empty(len(logits_NV))
        loss_N = torch.empty_like(total_N)
        given = logits_NV, target_N, ctx.smoothing, total_N
        kernels.call("cross_entropy_forward", *logits_NV.shape, *given, loss_N)
        ctx.save_for_backward(logits_NV, target_N, total_N)
        return loss_N.sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        logits_NV, target_N, total_N = ctx.saved_tensors
        g_NV = torch.empty_like(logits_NV)
        given = logits_NV, target_N, ctx.smoothing, total_N, gradient.contiguous()
        kernels.call("cross_entropy_backward", *logits_NV.shape, *given, g_NV)
        return g_NV, None, None
