"""Text in batches: token ids, padded to one length, and examples of like length together."""

# B = batch, L = source positions, M = target positions, N = M B

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from augrnn.batch_stream import generator

PAD, BOS, EOS, UNK = 0, 1, 2, 3
"""Token ids with a fixed meaning in every vocabulary."""

NO_TOKEN = -100
"""Stands where there is no target token; torch's cross-entropy passes over it."""


class Tokens(NamedTuple):
    """Texts as a source to attend to.

    Attributes:
      ids_BL: token ids, each text ended by EOS; PAD where `mask_BL` is False.
      mask_BL: True at real positions, which come first.
    """

    ids_BL: Tensor
    mask_BL: Tensor


class PairBatch(NamedTuple):
    """Sources to attend to, and a text to produce from each, as in translation and captioning.

    Attributes:
      source: what the encoder takes: `Tokens`, or any other tuple of tensors whose first dimension is the batch.
      target_BM: target token ids, without BOS, ended by EOS, PAD after it.
      target_mask_BM: True at real target positions (EOS included).
      index_B: the number of each example in its split.
    """

    source: Any
    target_BM: Tensor
    target_mask_BM: Tensor
    index_B: Tensor

    @property
    def size(self) -> int:
        """Sequences in the batch."""
        return self.target_BM.shape[0]

    @property
    def flat_target(self) -> Tensor:
        """The token of every target position, all first ones first, (M B,); NO_TOKEN at padding."""
        return self.target_BM.masked_fill(~self.target_mask_BM, NO_TOKEN).t().flatten()


def padded(sequences: Sequence[Sequence[int]]) -> Tokens:
    """Texts padded to the longest of them."""
    ids_BL = pad_sequence([torch.tensor(ids) for ids in sequences], batch_first=True, padding_value=PAD)
    lengths_B = torch.tensor([len(ids) for ids in sequences])
    return Tokens(ids_BL, torch.arange(ids_BL.shape[1]) < lengths_B[:, None])


def pair_batch(
    source_ids: Sequence[Sequence[int]], target_ids: Sequence[Sequence[int]], numbers: Sequence[int]
) -> PairBatch:
    """The pairs with these numbers, padded to the longest of the batch."""
    source = padded([source_ids[number] for number in numbers])
    target = padded([target_ids[number] for number in numbers])
    return PairBatch(source, *target, torch.tensor(numbers))


def bucketed(lengths: Sequence[tuple[int, int]], batch_size: int, pool: int, *seed: int) -> list[list[int]]:
    """Shuffle examples into batches of similar length; a pure function of its arguments.

    The shuffled examples are cut into pools of `pool` batches, each pool is sorted by length and cut into batches, and
    the order of the batches is shuffled again.

    Args:
      lengths: what to sort by, one entry for each example.
      batch_size: examples a batch; all batches are full but one.
      pool: batches sorted together.
      seed: names the shuffle.
    """
    random = generator(*seed)
    order = torch.randperm(len(lengths), generator=random).tolist()
    pools = [order[start : start + pool * batch_size] for start in range(0, len(order), pool * batch_size)]
    order = [number for part in pools for number in sorted(part, key=lengths.__getitem__)]
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[number] for number in torch.randperm(len(batches), generator=random).tolist()]
