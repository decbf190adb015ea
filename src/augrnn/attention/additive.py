"""Additive attention: the alignment model of Bahdanau et al. 2014."""

# B = batch, L = source positions, D = annotation, H = decoder state, A = alignment model

import torch
from torch import Tensor, nn

from augrnn import kernels
from augrnn.attention.additive_steps import AdditiveSteps
from augrnn.attention.attention import Annotations, Attended, Attention, Sequenced
from augrnn.cells.cell import require_sizes
from augrnn.linear import Linear
from augrnn.soft import masked_softmax, mix


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
        require_sizes("additive attention", query_size=query_size, annotation_size=annotation_size, size=size)
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
        if kernels.possible(query_BH, *attended[:2], self.energy.weight) and type(self.energy) is Linear:
            return self._look(self.query(query_BH), attended)
        hidden_BLA = torch.tanh(self.query(query_BH).unsqueeze(1) + attended.keys_BLA)
        alignment_BL = masked_softmax(self.energy(hidden_BLA).squeeze(-1), attended.mask_BL)
        return mix(alignment_BL, attended.values_BLD), alignment_BL

    def sequenced(self, attended: Attended) -> Sequenced | None:
        return Sequenced(AdditiveSteps, (self.query, self.energy)) if type(self) is AdditiveAttention else None

    def _look(self, query_BA: Tensor, attended: Attended) -> tuple[Tensor, Tensor]:
        """The same in C++, where no gradient is wanted."""
        keys_BLA, values_BLD, mask_BL = (part.contiguous() for part in attended)
        alignment_BL, context_BD = keys_BLA.new_empty(mask_BL.shape), values_BLD.new_empty(values_BLD[:, 0].shape)
        sizes = *keys_BLA.shape, self.context_size
        arrays = query_BA.contiguous(), keys_BLA, values_BLD, mask_BL, self.energy.weight
        kernels.call("additive_forward", *sizes, *arrays, alignment_BL, context_BD, self.context_size)
        return context_BD, alignment_BL
