"""Soft choices: a distribution over alternatives, and the weighted sum of what each would give.

This is the article's one trick (Olah and Carter 2016). Memory reads, attention contexts and program outputs call `mix`;
ACT's mean-field states are the same sum.
"""

# ... = any leading dimensions, Q = distributions over the same choices, K = choices, D = size of what a choice gives

import torch
from torch import Tensor


def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Turn scores into a distribution over the last dimension, with no weight where `mask` is False.

    Args:
      scores: (..., K) real scores.
      mask: boolean, broadcastable to `scores`; True marks the choices that exist.

    Returns:
      (..., K) weights that sum to one; all zero where no choice exists.
    """
    if mask is None:
        return torch.softmax(scores, dim=-1)
    weights = torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=-1)
    return weights * mask


def mix(weights: Tensor, choices: Tensor) -> Tensor:
    """Sum what each choice gives, weighted by how much it was chosen.

    Args:
      weights: (..., K), or (..., Q, K) for Q distributions over the same choices.
      choices: (..., K, D).

    Returns:
      (..., D), or (..., Q, D).
    """
    if weights.dim() == choices.dim():
        return weights @ choices
    return (weights.unsqueeze(-2) @ choices).squeeze(-2)
