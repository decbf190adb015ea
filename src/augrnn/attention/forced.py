"""An attention that looks where it is told to."""

# M = target positions, B = batch, L = source positions, H = decoder state

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from torch import Tensor

from augrnn.attention.attention import Attention, Look
from augrnn.soft import mix


class ForcedAttention(Attention):
    """The given weights, one step of a target after the other, whatever the decoder asks with.

    Args:
      weights_MBL: for each step the weights of the source positions.
      context_size: size of the contexts, that of the annotations.
    """

    def __init__(self, weights_MBL: Tensor, context_size: int) -> None:
        super().__init__()
        self.context_size = context_size
        self._weights: Iterator[Tensor] = iter(weights_MBL)

    def look(self, query_BH: Tensor, attended: Any) -> Look:
        weights_BL = next(self._weights)
        return Look(mix(weights_BL, attended.values_BLD), weights_BL, weights_BL)

    def forward(self, query_BH: Tensor, attended: Any) -> tuple[Tensor, Tensor]:
        return self.look(query_BH, attended)[:2]


class Attentive(Protocol):
    """What looks at a source by an attention."""

    attention: Attention


@contextmanager
def forced(decoder: Attentive, weights_MBL: Tensor) -> Iterator[None]:
    """Let a decoder look where these weights say for a while. Its states must be made before."""
    own = decoder.attention
    decoder.attention = ForcedAttention(weights_MBL, own.context_size)
    try:
        yield
    finally:
        decoder.attention = own
