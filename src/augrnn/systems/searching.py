"""Decoding and searching, for whatever can be searched: one system or several at once."""

# B = batch, L = source positions

from typing import Any

from torch import Tensor

from augrnn.search.beam_search import beam_search
from augrnn.search.greedy import greedy
from augrnn.search.model import Hypothesis, Model
from augrnn.text.token_batches import PairBatch


class Searching:
    """What writes targets.

    Attributes:
      beam_size: hypotheses that `predict_step` keeps.
      length_penalty: alpha of its length penalty.
      best: hypotheses that it returns for each source.
    """

    beam_size: int
    length_penalty: float
    best: int

    def search(self, batch: PairBatch) -> tuple[Model, Any, Tensor]:
        """What a search needs: the model, its state before the first word, and the most tokens a target, (B,)."""
        raise NotImplementedError

    def places(self, state: Any) -> Tensor:
        """The mask (B, L) of the real source positions that such a state looks at."""
        mask_BL: Tensor = state.attended.mask_BL
        return mask_BL

    def decode(self, batch: PairBatch) -> list[Hypothesis]:
        """The greedily decoded target of each source."""
        return greedy(*self.search(batch))

    def predict_step(self, batch: PairBatch, batch_idx: int, dataloader_idx: int = 0) -> dict[int, list[Hypothesis]]:
        """The best targets that beam search finds for each source, by the source's number in its split.

        Alignments have one column for each real source position.
        """
        model, state, limit_B = self.search(batch)
        found = beam_search(model, state, limit_B, self.beam_size, self.length_penalty, self.best)
        rows = zip(batch.index_B.tolist(), self.places(state).sum(1).tolist(), found, strict=True)
        return {index: [_cut(hypothesis, columns) for hypothesis in best] for index, columns, best in rows}


def _cut(hypothesis: Hypothesis, columns: int) -> Hypothesis:
    return hypothesis._replace(alignment=hypothesis.alignment[:, :columns])
