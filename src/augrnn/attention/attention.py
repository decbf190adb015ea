"""Attention over annotations: which source positions a decoder looks at, and the context it gets from them."""

# T = target positions, B = batch, L = source positions, D = annotation, S = decoder start, C = summary,
# H = decoder state, A = alignment model

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor, nn


class Annotations(NamedTuple):
    """What an encoder makes of its sources.

    Attributes:
      values_BLD: h_j, one annotation a source position.
      mask_BL: True at real positions.
      start_BS: what the decoder's first state is made from (for words, the backward state at the first position).
      summary_BC: the whole source as one vector, for decoders without attention (the last forward state).
    """

    values_BLD: Tensor
    mask_BL: Tensor
    start_BS: Tensor
    summary_BC: Tensor


class Attended(NamedTuple):
    """Annotations as an attention looks at them, computed once a source.

    Attributes:
      keys_BLA: what scores are computed from.
      values_BLD: what is mixed into the context.
      mask_BL: True at the positions that may be attended to.
    """

    keys_BLA: Tensor
    values_BLD: Tensor
    mask_BL: Tensor


class Look(NamedTuple):
    """One look at the source.

    Attributes:
      context_BD: what it gave.
      alignment_BL: the weights that made the context.
      chances_BL: the distribution that the attention computed: the same, unless it drew places from it.
    """

    context_BD: Tensor
    alignment_BL: Tensor
    chances_BL: Tensor


class AttentionSteps(Protocol):
    """An attention at every step of a sequence, with its gradient, for `augrnn.cells.whole_sequences`.

    Attributes:
      alignment_TBL, chances_TBL: see `Look`.
    """

    alignment_TBL: Tensor
    chances_TBL: Tensor

    def forward(self, t: int, state_BH: Tensor, context_BD: Tensor) -> None:
        """Look at the source from a state; the context goes to `context_BD`."""

    def begin_backward(self) -> None:
        """Make room for the gradients."""

    def backward(self, t: int, g_context_BD: Tensor, g_chances_BL: Tensor | None, g_state_BH: Tensor) -> None:
        """From the gradients of context and chances to what they add to that of the state."""

    def gradients(self, state_TBH: Tensor, g_context_TBD: Tensor) -> tuple[Tensor | None, ...]:
        """Of keys, values and weights, from the states that asked and the gradients of contexts."""


class Sequenced(NamedTuple):
    """How an attention goes through a whole sequence.

    Attributes:
      steps: from the number of steps, keys, values, mask and the layers' weights to what is done at every step.
      layers: those that it applies at each step.
    """

    steps: Callable[..., AttentionSteps]
    layers: Sequence[nn.Linear]


class Attention(nn.Module):
    """From a decoder's state to a context.

    Attributes:
      query_size: size of the decoder states it is asked with.
      annotation_size: size of the annotations it looks at.
      context_size: size of the contexts it gives.
    """

    query_size: int
    annotation_size: int
    context_size: int

    def prepare(self, annotations: Annotations) -> Attended:
        """Do once whatever depends on the source alone."""
        raise NotImplementedError

    def forward(self, query_BH: Tensor, attended: Attended) -> tuple[Tensor, Tensor]:
        """Look at the source from one decoder state: (context_BD, alignment_BL)."""
        raise NotImplementedError

    def look(self, query_BH: Tensor, attended: Attended) -> Look:
        """The same, with the distribution that weights were drawn from, for attentions that draw."""
        context_BD, alignment_BL = self(query_BH, attended)
        return Look(context_BD, alignment_BL, alignment_BL)

    def sequenced(self, attended: Attended) -> Sequenced | None:
        """How `look` is done at every step of a whole sequence for this source; None where it cannot be."""
        return None
