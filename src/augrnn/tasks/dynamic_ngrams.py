"""The dynamic N-grams task of the Neural Turing Machine (Graves, Wayne and Danihelka 2014, section 4.4)."""

# T = bits a sequence, B = batch, C = contexts, 2 to the power of the order

import math

import torch
from torch import Tensor

from augrnn.batch_stream import generator
from augrnn.errors import UserError
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.drawn_task import Size


class DynamicNGrams(BitTask):
    """Predict each next bit of a source that is new in every sequence: the odds of a one depend on the bits before.

    The source has a probability of a one for each of the 2^order contexts, drawn from Beta(1/2, 1/2). The model sees
    at each step the bit before and gives the next; all are scored. With 6 bits of a sequence:

        input    . 1 1 0 1 0
        target   1 1 0 1 0 0

    The first `order` bits have no whole context: they are fair coins. The best possible prediction is
    `estimated_bits` with the source's own order: 133.0 bits a sequence at the paper's sizes, chance being 200.

    Args:
      order: bits of context.
      length: T.
      test_sequences: sequences in the only evaluation set.
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.dynamic_ngrams.measure.NgramsMeasure"

    input_size = output_size = 1

    def __init__(
        self,
        order: int = 5,
        length: int = 200,
        test_sequences: int = 1000,
        batch_size: int = 16,
        epoch_batches: int = 250,
        validation_sequences: int = 640,
        seed: int = 0,
    ) -> None:
        if order < 1 or length <= order:
            raise UserError(f"dynamic N-grams need 1 <= order < length, not order {order} and length {length}")
        super().__init__(batch_size, epoch_batches, validation_sequences, ((length,),), test_sequences, seed)
        self.order, self.length = order, length

    def random_size(self, *seed: int) -> Size:
        return (self.length,)

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        (length,) = size
        source = generator(*seed)
        one_BC = source_odds(batch_size, self.order, source)
        chance_TB = torch.rand(length, batch_size, generator=source)
        bits_TB = (chance_TB < 0.5).long()
        context_B = torch.zeros(batch_size, dtype=torch.int64)
        for step in range(length):
            if step >= self.order:
                odds_B = one_BC.gather(1, context_B[:, None])[:, 0]
                bits_TB[step] = chance_TB[step] < odds_B
            context_B = (2 * context_B + bits_TB[step]) % 2**self.order
        targets_TBO = bits_TB.float().unsqueeze(-1)
        inputs_TBI = torch.cat([torch.zeros_like(targets_TBO[:1]), targets_TBO[:-1]])
        return BitBatch(inputs_TBI, targets_TBO, torch.ones(length, batch_size))


def source_odds(batch_size: int, order: int, source: torch.Generator) -> Tensor:
    """The probability of a one after each context, (B, C), drawn from Beta(1/2, 1/2)."""
    # It is the arcsine distribution: the squared sine of an even angle.
    return torch.rand(batch_size, 2**order, generator=source).mul(math.pi / 2).sin().square()


def contexts(bits_TB: Tensor, order: int) -> Tensor:
    """The number in 0..C-1 of the `order` bits before each bit, (T, B); bits before the first count as zero."""
    length, batch = bits_TB.shape
    padded = torch.cat([bits_TB.new_zeros(order, batch), bits_TB]).long()
    context_TB = padded.new_zeros(length, batch)
    for first in range(order):
        context_TB = 2 * context_TB + padded[first : first + length]
    return context_TB


def estimated_bits(bits_TB: Tensor, order: int) -> Tensor:
    """What each bit costs under the optimal estimator of a source of some order (section 4.4, Eq. 10), (T, B), in bits.

    With N1 ones and N0 zeros seen after the same context, the next bit is a one with (N1 + 1/2) / (N1 + N0 + 1). The
    first `order` bits, without a whole context, cost one bit each.
    """
    context_TB = contexts(bits_TB, order)
    batch = bits_TB.shape[1]
    seen = torch.zeros(batch, 2**order, 2, dtype=torch.float64)
    each, cost_TB = torch.arange(batch), torch.ones(bits_TB.shape, dtype=torch.float64)
    for step in range(order, len(bits_TB)):
        bit_B, context_B = bits_TB[step].long(), context_TB[step]
        counts_B2 = seen[each, context_B]
        cost_TB[step] = -((counts_B2[each, bit_B] + 0.5) / (counts_B2.sum(-1) + 1)).log2()
        seen[each, context_B, bit_B] += 1
    return cost_TB
