"""A linear layer that computes what torch.nn.Linear does, faster on CPUs where torch's matrix library holds back.

torch multiplies float32 matrices with MKL, which uses AVX-512 on Intel's CPUs alone; oneDNN, which torch also has, uses
it wherever it is: on an AMD Zen 5 core that is 200 GFLOP/s instead of 100. On one thread, products of many rows are our
own where there is a compiler (`augrnn.products`), 250 GFLOP/s.
"""

# ... = any leading dimensions, N = rows, I = inputs, O = outputs

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn import products

AVAILABLE = (
    torch.backends.mkldnn.is_available()
    and torch.backends.cpu.get_cpu_capability() == "AVX512"
    and hasattr(torch.ops.mkldnn, "_linear_pointwise")
)
"""Whether this CPU's float32 products go through oneDNN."""

LEAST = 2**15
"""Weights that a layer must have for oneDNN to make up for its higher cost of a call."""


MANY = 192
"""Rows from which on it pays to pack the weights for a single product."""


def _ours(rows: int) -> bool:
    return rows >= MANY and torch.get_num_threads() == 1 and products.available()


@torch.library.custom_op("augrnn::product", mutates_args=())
def product(x: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> Tensor:
    """X W^T + b. The operands are dense, or transposes of dense ones: any other view takes ages in oneDNN."""
    if _ours(x.numel() // x.shape[-1] if x.numel() else 0):
        made = products.product(x.reshape(-1, x.shape[-1]), weight_OI.t(), bias_O)
        return made.view(*x.shape[:-1], len(weight_OI))
    return torch.ops.mkldnn._linear_pointwise(x, weight_OI, bias_O, "none", [], "")


@product.register_fake
def _(x: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight_OI.shape[0])


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor | None], output: Tensor) -> None:
    x, weight_OI, _ = inputs
    ctx.save_for_backward(x, weight_OI)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    x, weight_OI = ctx.saved_tensors
    needs_x, needs_weight, needs_bias = ctx.needs_input_grad
    grad_NO, x_NI = grad.reshape(-1, grad.shape[-1]).contiguous(), x.reshape(-1, x.shape[-1])
    return (
        product(grad_NO, weight_OI.t(), None).view_as(x) if needs_x else None,
        product(grad_NO.t(), x_NI.t(), None) if needs_weight else None,
        grad_NO.sum(0) if needs_bias else None,
    )


product.register_autograd(_backward, setup_context=_keep)


class Linear(nn.Linear):
    """torch.nn.Linear: the same parameters, the same initialisation, the same numbers up to rounding."""

    def forward(self, input: Tensor) -> Tensor:
        here = AVAILABLE and input.device.type == "cpu" and input.dtype == self.weight.dtype == torch.float32
        if here and self.weight.numel() >= LEAST and not torch.is_autocast_enabled("cpu"):
            return product(input.contiguous(), self.weight, self.bias)
        return F.linear(input, self.weight, self.bias)
