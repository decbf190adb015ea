"""Attention over annotations: which source positions a decoder looks at, and the context it gets from them."""

# B = batch, L = source positions, D = annotation, S = decoder start, C = summary, H = decoder state,
# A = alignment model

from typing import NamedTuple

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
