"""The addressing mechanisms of the Neural Turing Machine (Graves, Wayne and Danihelka 2014, section 3.3).

Every function works on all heads at once and keeps a weighting non-negative with a sum of one.
"""

# B = batch, N = memory rows, W = row width, H = heads, S = shifts, an odd number, centred on no shift

from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.soft import masked_softmax

_EPSILON = 1e-8


def unit_rows(x: Tensor) -> Tensor:
    """Scale vectors along the last dimension to length one; a zero vector stays zero, with a finite gradient."""
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + _EPSILON)


def content_weighting(key_BHW: Tensor, strength_BH: Tensor, memory_BNW: Tensor) -> Tensor:
    """Focus on the rows most like a key: softmax over rows of strength times cosine similarity (Eqs. 5 and 6).

    Args:
      key_BHW: the key k.
      strength_BH: the key strength beta, positive.
      memory_BNW: the memory M.

    Returns:
      w_BHN, the content weighting w^c.
    """
    similarity_BHN = unit_rows(key_BHW) @ unit_rows(memory_BNW).transpose(1, 2)
    return masked_softmax(strength_BH.unsqueeze(-1) * similarity_BHN)


def interpolate(content_BHN: Tensor, previous_BHN: Tensor, gate_BH: Tensor) -> Tensor:
    """Blend the content weighting with the previous step's, by the interpolation gate g in (0, 1) (Eq. 7)."""
    return torch.lerp(previous_BHN, content_BHN, gate_BH.unsqueeze(-1))


def shift(w_BHN: Tensor, shifts_BHS: Tensor) -> Tensor:
    """Rotate a weighting by a distribution over shifts -R..R, S = 2R + 1: circular convolution (Eq. 8)."""
    n, s = w_BHN.shape[-1], shifts_BHS.shape[-1]
    reach = s // 2
    ring_BHN = torch.cat([w_BHN[..., n - reach :], w_BHN, w_BHN[..., :reach]], dim=-1)
    moved = [shifts_BHS[..., k, None] * ring_BHN[..., 2 * reach - k : 2 * reach - k + n] for k in range(s)]
    return sum(moved[1:], start=moved[0])


def sharpen(w_BHN: Tensor, gamma_BH: Tensor) -> Tensor:
    """Raise a weighting to the power gamma >= 1 and normalise it (Eq. 9), in logs, where it cannot underflow."""
    return masked_softmax(gamma_BH.unsqueeze(-1) * torch.log(w_BHN + _EPSILON))


def write(memory_BNW: Tensor, w_BHN: Tensor, erase_BHW: Tensor, add_BHW: Tensor) -> Tensor:
    """Erase, then add (Eqs. 3 and 4); with several heads all erasures come before all additions.

    Args:
      memory_BNW: the memory before.
      w_BHN: write weightings.
      erase_BHW: erase vectors e in (0, 1).
      add_BHW: add vectors a.

    Returns:
      memory_BNW: the memory after.
    """
    kept = [
        1 - w_BN.unsqueeze(-1) * e_BW.unsqueeze(1)
        for w_BN, e_BW in zip(w_BHN.unbind(1), erase_BHW.unbind(1), strict=True)
    ]
    return memory_BNW * reduce(torch.mul, kept) + w_BHN.transpose(1, 2) @ add_BHW


def strength(raw: Tensor) -> Tensor:
    """Key strength beta > 0 from a controller's output."""
    return F.softplus(raw)


def sharpness(raw: Tensor) -> Tensor:
    """Sharpening exponent gamma >= 1 from a controller's output."""
    return 1 + F.softplus(raw)
