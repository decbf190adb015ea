"""How a program's choices are made: softly while it is learned, and one of each kind when it is run."""

# ... = any leading dimensions, K = choices

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.soft import masked_softmax


class Chooser(nn.Module):
    """A part that makes choices.

    With soft choices alone a program may rest on a mixture: half an addition and half a subtraction keep a number.
    Noise on the scores takes that away, because a mixture's weights are then another one at each update.

    Attributes:
      hard: whether the likeliest choice gets all weight; None for soft choices in training and hard ones else.
      noise: the standard deviation of Gaussian noise on the scores of choices in training, (); None for no noise.
    """

    hard: bool | None = None
    noise: Tensor | None = None

    def weights(self, scores: Tensor, mask: Tensor | None = None) -> Tensor:
        """Scores of choices as a distribution over them, (..., K).

        Args:
          scores: (..., K).
          mask: boolean, True for the choices that exist; where there are none, nothing is chosen.
        """
        if self.training and self.noise is not None:
            scores = scores + self.noise * torch.randn_like(scores)
        soft = masked_softmax(scores, mask)
        if not self.is_hard:
            return soft
        return hardest(soft) if mask is None else hardest(soft) * mask

    @property
    def is_hard(self) -> bool:
        """Whether the likeliest choice gets all weight now."""
        return not self.training if self.hard is None else self.hard


def hardest(weights: Tensor) -> Tensor:
    """All weight on the first of the largest, (..., K)."""
    return F.one_hot(weights.argmax(-1), weights.shape[-1]).to(weights.dtype)


@contextmanager
def choosing(module: nn.Module, hard: bool) -> Iterator[None]:
    """Let all choices in a module be hard, or soft, for a while."""
    parts = [part for part in module.modules() if isinstance(part, Chooser)]
    before = [part.hard for part in parts]
    for part in parts:
        part.hard = hard
    try:
        yield
    finally:
        for part, was in zip(parts, before, strict=True):
            part.hard = was
