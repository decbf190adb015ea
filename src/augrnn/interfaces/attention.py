"""Attention over annotations: which source positions a decoder looks at, and the context it gets from them."""

# B = batch, L = source positions, D = annotation, S = decoder start, C = summary, H = decoder state,
# A = alignment model

from typing import NamedTuple

import torch
from torch import Tensor, nn

from augrnn.linear import Linear
from augrnn.soft import masked_softmax, mix


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


class AdditiveAttention(Attention):
    """The alignment model of Bahdanau et al. 2014, e_ij = v^T tanh(W s_{i-1} + U h_j) (appendix A.1.2).

    Args:
      query_size: size of the decoder's state s.
      annotation_size: size of an annotation h_j.
      size: units of the alignment model.
      paper_start: initialise as appendix B.1: W and U from N(0, .001^2) and v = 0, so that attention starts exactly
        uniform. Slow to leave; the default is Xavier's initialisation.
    """

    def __init__(self, query_size: int, annotation_size: int, size: int, paper_start: bool = False) -> None:
        super().__init__()
        self.query_size, self.annotation_size, self.context_size = query_size, annotation_size, annotation_size
        self.query = Linear(query_size, size, bias=False)
        self.key = Linear(annotation_size, size)
        self.energy = Linear(size, 1, bias=False)
        nn.init.zeros_(self.key.bias)
        for layer in (self.query, self.key):
            if paper_start:
                nn.init.normal_(layer.weight, std=0.001)
            else:
                nn.init.xavier_uniform_(layer.weight)
        if paper_start:
            nn.init.zeros_(self.energy.weight)

    def prepare(self, annotations: Annotations) -> Attended:
        return Attended(self.key(annotations.values_BLD), annotations.values_BLD, annotations.mask_BL)

    def forward(self, query_BH: Tensor, attended: Attended) -> tuple[Tensor, Tensor]:
        hidden_BLA = torch.tanh(self.query(query_BH).unsqueeze(1) + attended.keys_BLA)
        alignment_BL = masked_softmax(self.energy(hidden_BLA).squeeze(-1), attended.mask_BL)
        return mix(alignment_BL, attended.values_BLD), alignment_BL


class MultiplicativeAttention(Attention):
    """Scores that are products of the decoder's state and a key, e_ij = s^T k_j; subclasses make the key.

    Attributes:
      key: from annotations to keys of the state's size.
    """

    key: nn.Module

    def __init__(self, query_size: int, annotation_size: int) -> None:
        super().__init__()
        self.query_size, self.annotation_size, self.context_size = query_size, annotation_size, annotation_size

    def prepare(self, annotations: Annotations) -> Attended:
        return Attended(self.key(annotations.values_BLD), annotations.values_BLD, annotations.mask_BL)

    def forward(self, query_BH: Tensor, attended: Attended) -> tuple[Tensor, Tensor]:
        scores_BL = (attended.keys_BLA @ query_BH.unsqueeze(-1)).squeeze(-1)
        alignment_BL = masked_softmax(scores_BL, attended.mask_BL)
        return mix(alignment_BL, attended.values_BLD), alignment_BL


class DotAttention(MultiplicativeAttention):
    """Luong's dot score, e_ij = s^T h_j (Luong, Pham and Manning 2015, section 3.1).

    Args:
      query_size: size of the decoder's state s.
      annotation_size: size of an annotation h_j, which must be the same.
    """

    def __init__(self, query_size: int, annotation_size: int) -> None:
        super().__init__(query_size, annotation_size)
        if query_size != annotation_size:
            raise ValueError(
                f"dot attention needs states and annotations of one size, not {query_size} and {annotation_size}: "
                "choose other sizes, or general attention"
            )
        self.key = nn.Identity()


class GeneralAttention(MultiplicativeAttention):
    """Luong's general score, e_ij = s^T W h_j (Luong, Pham and Manning 2015, section 3.1).

    Args:
      query_size: size of the decoder's state s.
      annotation_size: size of an annotation h_j.
    """

    def __init__(self, query_size: int, annotation_size: int) -> None:
        super().__init__(query_size, annotation_size)
        self.key = Linear(annotation_size, query_size, bias=False)
        nn.init.xavier_uniform_(self.key.weight)


class FixedContext(Attention):
    """No attention: the summary of the source is the context of every step, as in RNNenc (Cho et al. 2014).

    Its alignments are all zero.

    Args:
      query_size: size of the decoder's state, which it ignores.
      annotation_size: size of the annotations, which it ignores.
      summary_size: size of the summary.
    """

    def __init__(self, query_size: int, annotation_size: int, summary_size: int) -> None:
        super().__init__()
        self.query_size, self.annotation_size = query_size, annotation_size
        self.summary_size = self.context_size = summary_size

    def prepare(self, annotations: Annotations) -> Attended:
        summary_B1C = annotations.summary_BC.unsqueeze(1)
        return Attended(summary_B1C, summary_B1C, annotations.mask_BL)

    def forward(self, query_BH: Tensor, attended: Attended) -> tuple[Tensor, Tensor]:
        return attended.values_BLD.squeeze(1), torch.zeros_like(attended.mask_BL, dtype=query_BH.dtype)
