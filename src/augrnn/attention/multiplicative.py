"""Multiplicative attention: the dot and general scores of Luong et al. 2015."""

# B = batch, L = source positions, D = annotation, H = decoder state

from torch import Tensor, nn

from augrnn.attention.attention import Annotations, Attended, Attention
from augrnn.linear import Linear
from augrnn.soft import masked_softmax, mix


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
