"""Whole sequences of a recurrent step with a gradient written by hand, on one CPU core.

In a loop of steps autograd adds up the gradient of every weight anew at each step, and each operation pays for its
call. Here the steps run one after the other in C++ (`augrnn.products`, `augrnn.kernels`), forward and backward, and a
weight's gradient is one product over all steps. Numbers are those of the loop up to rounding.
"""

# T = time steps, B = batch, K = inputs and N = outputs of a layer, H = hidden

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils import _pytree as pytree

from augrnn import kernels, products
from augrnn.cells.cell import Cell
from augrnn.linear import Linear
from augrnn.products import multiply, pack, product


class Steps(Protocol):
    """A recurrent computation over a whole sequence; it keeps what its gradient needs."""

    @property
    def forward(self) -> Callable[..., tuple[Tensor, ...]]:
        """From inputs to outputs."""

    def backward(
        self, given: Sequence[Tensor], made: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...]:
        """From inputs, outputs and the gradients of outputs (None for zero) to those of inputs."""


def whole(steps: Steps, *given: Tensor) -> tuple[Tensor, ...]:
    """The outputs of a computation, known to autograd."""
    found: tuple[Tensor, ...] = _Whole.apply(steps, *given)
    return found


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, steps: Steps, *given: Tensor) -> tuple[Tensor, ...]:
        made = steps.forward(*given)
        ctx.steps, ctx.inputs = steps, len(given)
        ctx.save_for_backward(*given, *made)
        ctx.set_materialize_grads(False)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        return None, *ctx.steps.backward(saved[: ctx.inputs], saved[ctx.inputs :], gradients)


MOST = 2**21
"""Weights of a step up to which one core is as fast as several; more are left to the loop where torch has several."""

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def possible(cell: Cell, step: Callable[..., Any], layers: Sequence[nn.Module], given: Any) -> bool:
    """Whether a cell's own whole sequence may stand for the loop over its steps.

    Args:
      cell: the cell, which must still have the step that the sequence was written for.
      step: that step.
      layers: all that it calls: plain linear layers, normalisations or none.
      given: the tree of tensors that it starts from.
    """
    if type(cell).step is not step or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return False
    if not (products.available() and kernels.available()):
        return False
    if not all(type(layer) in (Linear, nn.Linear, nn.LayerNorm, nn.Identity) for layer in layers):
        return False
    if any(getattr(module, hooks) for module in cell.modules() for hooks in _HOOKS):
        return False
    weights = [weight for layer in layers for weight in layer.parameters()]
    if torch.get_num_threads() > 1 and sum(weight.numel() for weight in weights) > MOST:
        return False
    tensors = [*pytree.tree_leaves(given), *weights]
    return all(
        tensor.device.type == "cpu"
        and tensor.dtype in (torch.float32, torch.bool)
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
        for tensor in tensors
    )


def weights_of(layer: nn.Linear, norm: nn.Module) -> list[Tensor]:
    """The tensors of a layer with a bias and of its normalisation, as `LayerSteps` takes them."""
    return [*layer.parameters(), *norm.parameters()]


class LayerSteps:
    """A linear layer, normalised or not, at every step of a sequence.

    Args:
      steps, rows: T and B.
      weight_NK: its weight.
      bias_N: its bias.
      norm: scale and shift of the layer normalisation (Ba, Kiros and Hinton 2016), or nothing.
      epsilon: of the normalisation.
    """

    def __init__(
        self, steps: int, rows: int, epsilon: float, weight_NK: Tensor, bias_N: Tensor | None, *norm: Tensor
    ) -> None:
        self.weight_NK, self.norm = weight_NK, norm
        self.shape = steps, rows, len(weight_NK)
        self.panels, self.has_bias = pack(weight_NK.t(), bias_N), bias_N is not None
        if norm:
            self.epsilon = weight_NK.new_tensor(epsilon)
            self.kept_TBN, self.inverse_TB = weight_NK.new_empty(self.shape), weight_NK.new_empty(self.shape[:2])

    def forward(self, t: int, x_BK: Tensor, out_BN: Tensor) -> None:
        multiply(x_BK, self.panels, out_BN)
        if self.norm:
            sizes, kept = self.shape[1:], (self.kept_TBN[t], self.inverse_TB[t])
            kernels.call("layer_norm_forward", *sizes, out_BN, *self.norm, self.epsilon, *kept)

    def begin_backward(self) -> None:
        """Make room for the gradients of outputs, `g_TBN`, which `backward` reads and changes."""
        self.back_panels, self.g_TBN = pack(self.weight_NK), self.weight_NK.new_empty(self.shape)
        self.g_norm = [torch.zeros_like(part) for part in self.norm]

    def backward(self, t: int, g_x_BK: Tensor, add: bool = False) -> None:
        """From `g_TBN[t]` to the gradient of the input, into `g_x_BK` or added to it."""
        g_BN = self.g_TBN[t]
        if self.norm:
            kept = self.kept_TBN[t], self.inverse_TB[t]
            kernels.call("layer_norm_backward", *self.shape[1:], g_BN, self.norm[0], *kept, *self.g_norm)
        multiply(g_BN, self.back_panels, g_x_BK, add)

    def gradients(self, x_TBK: Tensor) -> list[Tensor]:
        """Of weight, bias and normalisation."""
        g_XN = self.g_TBN.flatten(0, 1)
        bias = [g_XN.sum(0)] if self.has_bias else []
        return [product(g_XN.t(), x_TBK.flatten(0, 1)), *bias, *self.g_norm]


class GRUSteps:
    """The recurrent half of a GRU (`augrnn.cells.gru.GRU.next`) at every step of a sequence.

    Args:
      steps, rows: T and B.
      size: H.
      layer: of the state: weight (3 H, H), bias and what there is of a normalisation, as `LayerSteps` takes them.
    """

    def __init__(self, steps: int, rows: int, size: int, epsilon: float, *layer: Tensor) -> None:
        self.rows, self.size = rows, size
        self.layer = LayerSteps(steps, rows, epsilon, *layer)
        self.kept_TB4H = layer[0].new_empty(steps, rows, 4 * size)
        self.product_B3H = layer[0].new_empty(rows, 3 * size)

    def forward(self, t: int, x_B3H: Tensor, state_BH: Tensor, out_BH: Tensor) -> None:
        self.layer.forward(t, state_BH, self.product_B3H)
        kernels.call(
            "gru_forward", self.rows, self.size, x_B3H, x_B3H.stride(0), self.product_B3H, state_BH,
            state_BH.stride(0), out_BH, out_BH.stride(0), self.kept_TB4H[t],
        )  # fmt: skip

    def backward(self, t: int, g_BH: Tensor, state_BH: Tensor, g_x_B3H: Tensor, g_state_BH: Tensor) -> None:
        """From the gradient of the next state to that of the projected input and of the state."""
        kernels.call(
            "gru_backward", self.rows, self.size, g_BH, self.kept_TB4H[t], state_BH, state_BH.stride(0), g_x_B3H,
            g_x_B3H.stride(0), self.layer.g_TBN[t], g_state_BH,
        )  # fmt: skip
        self.layer.backward(t, g_state_BH, add=True)
