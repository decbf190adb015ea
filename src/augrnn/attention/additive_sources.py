"""Additive attention of a search, whose many rows look at few sources, where no gradient is wanted."""

# S = sources, N = rows, L = source positions, P = all positions of all sources, D = annotation, A = alignment model,
# X = what a layer makes of a context

import torch
from torch import Tensor

from augrnn import kernels
from augrnn.attention.attention import Attended
from augrnn.products import product

FURTHEST = 43.0
"""Largest entry of a key, either way: e^2k and its inverse are then normal numbers of float32."""


class AdditiveSources:
    """What rows look at with `AdditiveAttention`: held once a source, however many rows look at it.

    So is what layers make of a context: a mean's product is the mean of the products, of which there are fewer where a
    source has fewer positions than its rows make steps.

    Args:
      attended: of each source. Keys are at most `FURTHEST`.
      energy_1A: v.
      layers: weights (X, D) of the layers that contexts go through; None for the context itself.
    """

    def __init__(self, attended: Attended, energy_1A: Tensor, *layers: Tensor | None) -> None:
        self.mask_SL, self.energy_1A = attended.mask_BL.contiguous(), energy_1A
        self.keys_SLA = (2 * attended.keys_BLA).exp().contiguous()
        shape, values_PD = attended.mask_BL.shape, attended.values_BLD.flatten(0, 1)
        self.values_SLX = [
            (values_PD if weight_XD is None else product(values_PD, weight_XD.t())).unflatten(0, shape).contiguous()
            for weight_XD in layers
        ]
        self.room_A = energy_1A.new_empty(energy_1A.numel())

    def look(self, query_NA: Tensor, source_N: Tensor) -> Tensor:
        """The weights (N, L) of rows that look at these sources."""
        _, length, size = self.keys_SLA.shape
        weights_NL = query_NA.new_empty(len(query_NA), length)
        kernels.call(
            "shared_weights", len(query_NA), length, size, source_N, query_NA, query_NA.stride(0), self.keys_SLA,
            self.mask_SL, self.energy_1A, self.room_A, weights_NL,
        )  # fmt: skip
        return weights_NL

    def add(self, number: int, weights_NL: Tensor, source_N: Tensor, out_NX: Tensor) -> None:
        """Add to `out_NX` what the layer of this number makes of the contexts."""
        values_SLX = self.values_SLX[number]
        sizes = *weights_NL.shape, values_SLX.shape[2]
        kernels.call("shared_mix", *sizes, source_N, weights_NL, values_SLX, out_NX, out_NX.stride(0))


def within(attended: Attended) -> bool:
    """Whether no key is larger than `FURTHEST`."""
    return bool(torch.all(attended.keys_BLA.abs() <= FURTHEST))
