"""Captions as a model reads and writes them, word by word, with where it looked."""

# B = batch, M = target positions, T = words, L = places, D = annotation, H = decoder state

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn.attention.forced import forced
from augrnn.batches import moved
from augrnn.cells.unroll import unroll
from augrnn.search.beam_search import beam_search
from augrnn.search.model import NEVER, Hypothesis
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.text.token_batches import BOS, EOS, PairBatch, padded


class Reading(NamedTuple):
    """A caption that was given word by word.

    Attributes:
      maps_TL: the weights with which each word was to be told, the end of the sentence last.
      beta_T: how much of the context was let in then.
    """

    maps_TL: NDArray[np.float32]
    beta_T: NDArray[np.float32]


def shuffled(batch: PairBatch) -> PairBatch:
    """The batch with the image of another example for each caption."""
    return batch._replace(source=pytree.tree_map(lambda tensor: tensor.roll(1, 0), batch.source))


def _kept(record: Any) -> tuple[Tensor, Tensor]:
    alignment_BL = record.alignment_BL
    beta_B = record.beta_B if hasattr(record, "beta_B") else torch.ones_like(alignment_BL[:, 0])
    return alignment_BL, beta_B


def readings(system: EncoderDecoder, batches: Iterable[PairBatch]) -> dict[int, Reading]:
    """By the number of its image, how the system reads the caption given for it; nothing for one without attention."""
    found: dict[int, Reading] = {}
    for batch in batches:
        maps_MBL, beta_MB = (each.float().cpu().numpy() for each in system(moved(batch, system.device), _kept).trace)
        if not maps_MBL.any():
            return {}
        lengths = batch.target_mask_BM.sum(1).tolist()
        for row, (number, length) in enumerate(zip(batch.index_B.tolist(), lengths, strict=True)):
            found[number] = Reading(maps_MBL[:length, row], beta_MB[:length, row])
    return found


def written(system: EncoderDecoder, batches: Iterable[PairBatch], beam: int) -> dict[int, Hypothesis]:
    """By the number of its image, the best caption that a beam search finds."""
    found: dict[int, Hypothesis] = {}
    for batch in batches:
        model, state, limit_B = system.search(moved(batch, system.device))
        best = beam_search(model, state, limit_B, beam, system.length_penalty)
        found.update(zip(batch.index_B.tolist(), (several[0] for several in best), strict=True))
    return found


def forced_gap(system: EncoderDecoder, batch: PairBatch, beam: int) -> float:
    """How far log probabilities are, at most, from those that the told maps give when they are forced.

    Captions of a batch are found by beam search. Each is then given word by word to the decoder, with an attention that
    has nothing but the maps told with the caption; that is its log probability without the end of the sentence, in
    nats. 0 up to rounding where the maps told are those that made the words.
    """
    batch = moved(batch, system.device)
    model, state, limit_B = system.search(batch)
    found = [several[0] for several in beam_search(model, state, limit_B, beam, system.length_penalty)]
    ids_BM, real_BM = (each.to(system.device) for each in padded([[*each.tokens, EOS] for each in found]))
    maps_BML = state.alignment_BL.new_zeros(*ids_BM.shape, state.alignment_BL.shape[1])
    for row, each in enumerate(found):
        maps_BML[row, : len(each.tokens)] = each.alignment
    previous_MB = torch.cat([torch.full_like(ids_BM[:, :1], BOS), ids_BM[:, :-1]], 1).t()
    embedded_MBE = system.decoder.embed(previous_MB)

    own_MBL = unroll(system.decoder, embedded_MBE, state, keep=lambda record: record.alignment_BL).trace
    rows = torch.arange(len(found), device=system.device)
    last = real_BM.sum(1) - 1
    maps_BML[rows, last] = own_MBL[last, rows]  # no map is told for the end of the sentence
    with forced(system.decoder, maps_BML.transpose(0, 1)):
        outputs_MBJ = unroll(system.decoder, embedded_MBE, state).y_TBO
    scores_MBV = system.decoder.logits(outputs_MBJ)
    scores_MBV = scores_MBV.index_fill(-1, torch.tensor(NEVER, device=scores_MBV.device), -torch.inf)
    log_p_BM = scores_MBV.log_softmax(-1).gather(2, ids_BM.t().unsqueeze(-1)).squeeze(-1).t()
    ended_B = torch.tensor([len(each.tokens) for each in found], device=system.device) < limit_B
    counted_BM = real_BM.clone()
    counted_BM[rows, last] = ended_B
    totals_B = log_p_BM.masked_fill(~counted_BM, 0).sum(1)
    told_B = torch.tensor([each.log_probability for each in found], device=system.device)
    return float((totals_B - told_B).abs().max())
