"""Hard attention: look at one place, drawn from what a soft attention would weigh."""

# B = batch, L = source positions, D = annotation, H = decoder state, A = alignment model

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.attention.attention import Annotations, Attended, Attention, Look, Sequenced
from augrnn.attention.drawn_steps import DrawnSteps
from augrnn.soft import mix

Decoding = Literal["expectation", "argmax", "sample"]
"""Where a hard model looks in evaluation: the expected context, the likeliest place, or one that is drawn."""


class HardAttended(NamedTuple):
    """Attributes: hard_B, where one place is looked at; the others as in `Attended`."""

    keys_BLA: Tensor
    values_BLD: Tensor
    mask_BL: Tensor
    hard_B: Tensor


class HardAttention(Attention):
    """Draws one place a step from another attention's weights (Xu et al. 2015, section 4.1).

    In training one coin a batch decides for all its sentences and steps whether places are drawn or, to lower the
    variance, the context is the expected one. The paper throws the coin for each picture; its code as here. Drawn
    places have no gradient: `augrnn.objectives.reinforce.Reinforce` trains them.

    Args:
      attention: a soft attention, whose weights are the distribution, and whose contexts are mixed by its weights.
      coin: the chance that places are drawn in a batch of training.
      decoding: what is done in evaluation.
    """

    def __init__(self, attention: Attention, coin: float = 0.5, decoding: Decoding = "expectation") -> None:
        super().__init__()
        if not 0 <= coin <= 1:
            raise ValueError(f"a coin is a chance from 0 to 1, not {coin}")
        if decoding not in get_args(Decoding):
            raise ValueError(f"a hard attention decodes by {', '.join(get_args(Decoding))}, not {decoding}")
        if hasattr(attention, "summary_size"):
            raise ValueError("hard attention draws from an attention's weights, and a fixed context has none")
        self.attention, self.coin, self.decoding = attention, coin, decoding
        self.query_size, self.annotation_size = attention.query_size, attention.annotation_size
        self.context_size = attention.context_size

    @contextmanager
    def decoded_by(self, decoding: Decoding) -> Iterator[None]:
        """Evaluate in another way for a while."""
        before, self.decoding = self.decoding, decoding
        try:
            yield
        finally:
            self.decoding = before

    def prepare(self, annotations: Annotations) -> Any:
        """What the soft attention needs, and the coin of the batch, which is thrown here."""
        inner = self.attention.prepare(annotations)
        if self.training:
            hard = torch.rand((), device=inner.mask_BL.device) < self.coin
        else:
            hard = torch.tensor(self.decoding != "expectation", device=inner.mask_BL.device)
        return HardAttended(*inner, hard.expand(len(inner.mask_BL)))

    def forward(self, query_BH: Tensor, attended: Any) -> tuple[Tensor, Tensor]:
        found = self.look(query_BH, attended)
        return found.context_BD, found.alignment_BL

    def look(self, query_BH: Tensor, attended: Any) -> Look:
        soft_BD, chances_BL = self.attention(query_BH, Attended(*attended[:3]))
        if not self.training and self.decoding == "expectation":
            return Look(soft_BD, chances_BL, chances_BL)
        if not self.training and self.decoding == "argmax":
            place_B = chances_BL.argmax(-1)
        else:
            place_B = chances_BL.detach().multinomial(1).squeeze(1)
        one_BL = F.one_hot(place_B, chances_BL.shape[1]).to(chances_BL.dtype)
        hard_B1 = attended.hard_B.unsqueeze(1)
        context_BD = torch.where(hard_B1, mix(one_BL, attended.values_BLD), soft_BD)
        return Look(context_BD, torch.where(hard_B1, one_BL, chances_BL), chances_BL)

    def sequenced(self, attended: Any) -> Sequenced | None:
        soft = self.attention.sequenced(Attended(*attended[:3]))
        drawn = attended.hard_B.any()
        if type(self) is not HardAttention or soft is None or drawn != attended.hard_B.all():
            return None
        likeliest = self.decoding == "argmax" and not self.training
        return Sequenced(partial(DrawnSteps, likeliest), soft.layers) if drawn else soft
