"""The sort task of adaptive computation time (Graves 2016, section 3.4)."""

# T = time steps, B = batch, b = those to draw again, K = most numbers of a sequence

import json

import torch
from torch import Tensor

from augrnn.batch_stream import generator
from augrnn.counts import is_finite
from augrnn.errors import UserError
from augrnn.tasks.class_task import ClassBatch, ClassCodec, ClassTask
from augrnn.tasks.drawn_task import Size, ranged
from augrnn.tasks.task import require_whole

RARE = 0.01
"""The share of sequences that must have the least gap by themselves, so that drawing again comes to an end."""


class SortCodec(ClassCodec):
    """The numbers to sort on a line, as a JSON list; the answer is a list of their places, the smallest number's first.

    Args:
      most: numbers that there are classes for.
    """

    def __init__(self, most: int) -> None:
        super().__init__(2, 1)
        self.most = most

    def read(self, number: int, line: str) -> Tensor:
        try:
            numbers_K = torch.tensor(json.loads(line), dtype=torch.float32)
        except (ValueError, TypeError, OverflowError, RecursionError):  # no JSON, no numbers, or too large ones
            numbers_K = torch.empty(0)
        if numbers_K.ndim != 1 or not 1 <= len(numbers_K) <= self.most or not numbers_K.isfinite().all():
            raise UserError(f"line {number + 1} is not a JSON list of 1 to {self.most} numbers: {line[:60]}")
        if len(numbers_K.unique()) < len(numbers_K):
            raise UserError(f"line {number + 1} has equal numbers, whose order is not defined: {line[:60]}")
        return asked(numbers_K.unsqueeze(0), torch.tensor([len(numbers_K)]))[:, 0]

    def answers(self, logits_TO: Tensor) -> list[int]:  # type: ignore[override]
        half = len(logits_TO) // 2
        return logits_TO[half:].argmax(-1).tolist()


class Sort(ClassTask):
    """See numbers one at a time; then give their places in the sequence, that of the smallest number first.

    With a flag at the last number, and three numbers:

        number   .4  -.3  1.2   .  .  .
        flag      .    .    1   .  .  .
        target    .    .    .   1  0  2

    The numbers are drawn from a standard normal distribution. Sequences of a batch have lengths of their own, and end
    in padding.

    Args:
      min_count, max_count: numbers of a sequence, K at most, drawn evenly; K is also the number of classes.
      least_gap: between any two numbers of a sequence; sequences with less are drawn again. The paper has none, and
        thinks that one would help; equal numbers there are not.
      test_sequences: sequences in the evaluation set of each count, named by it ("5"), and in one of the training
        distribution ("2-15").
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.pondering.measure.PonderingMeasure"

    input_size = 2
    classifications = 1
    evaluation_batch_size = 100

    def __init__(
        self,
        min_count: int = 2,
        max_count: int = 15,
        least_gap: float = 0.0,
        test_sequences: int = 1000,
        batch_size: int = 16,
        epoch_batches: int = 1000,
        validation_sequences: int = 1000,
        seed: int = 0,
    ) -> None:
        require_whole("sort", min_count=min_count, max_count=max_count)
        if not is_finite(least_gap):
            raise UserError(f"sort needs a finite number for least_gap, not {least_gap!r}")
        if not 2 <= min_count <= max_count:
            raise UserError(f"sort needs 2 <= min_count <= max_count, not {min_count} and {max_count}")
        self.range = (min_count, max_count)
        sizes = ((count, count) for count in range(min_count, max_count + 1))
        super().__init__(batch_size, epoch_batches, validation_sequences, (*sizes, self.range), test_sequences, seed)
        self.output_size, self.least_gap = max_count, least_gap
        drawn_BK = torch.randn(10_000, max_count, generator=generator(0))
        if not (least_gap >= 0 and (gaps(drawn_BK) >= least_gap).double().mean() >= RARE):
            raise UserError(
                f"sort needs a least_gap from 0 to one that {RARE:.0%} of sequences of {max_count} numbers have, "
                f"not {least_gap}"
            )

    def random_size(self, *seed: int) -> Size:
        return self.range

    def sample(self, batch_size: int, size: Size, *seed: int) -> ClassBatch:
        (fewest, most), source = size, generator(*seed)
        counts_B = torch.randint(fewest, most + 1, (batch_size,), generator=source)
        there_BK = torch.arange(int(counts_B.max())) < counts_B.unsqueeze(1)
        numbers_BK = torch.full(there_BK.shape, torch.inf)
        close_B = torch.ones(batch_size, dtype=torch.bool)
        while close_B.any():
            drawn_bK = torch.randn(int(close_B.sum()), there_BK.shape[1], generator=source)
            numbers_BK[close_B] = torch.where(there_BK[close_B], drawn_bK, torch.inf)
            gap_B = gaps(numbers_BK)
            close_B = (gap_B < self.least_gap) | (gap_B == 0)
        inputs_TBI = asked(numbers_BK, counts_B)
        order_BK = numbers_BK.argsort(1)
        back_TB = torch.arange(len(inputs_TBI)).unsqueeze(1) - counts_B
        targets_TB = order_BK.t().gather(0, back_TB.clamp(0, there_BK.shape[1] - 1))
        scored_TB = (back_TB >= 0) & (back_TB < counts_B)
        return ClassBatch(inputs_TBI, (targets_TB * scored_TB).unsqueeze(-1), scored_TB.float(), 2 * counts_B)

    def set_name(self, size: Size) -> str:
        """By the count: "5", or "2-15"."""
        return ranged(*size, always=size == self.range)

    @property
    def codec(self) -> SortCodec:
        return SortCodec(self.output_size)


def gaps(numbers_BK: Tensor) -> Tensor:
    """The smallest difference between two numbers of each row, (B,), whose end may be filled up with infinity."""
    ordered_BK = numbers_BK.sort(1).values
    return torch.where(ordered_BK[:, 1:].isinf(), torch.inf, ordered_BK.diff(dim=1)).amin(1)


def asked(numbers_BK: Tensor, counts_B: Tensor) -> Tensor:
    """The inputs (T, B, 2): as many numbers as there are of each row, with a flag at the last, and twice the steps."""
    batch, most = numbers_BK.shape
    there_BK = torch.arange(most) < counts_B.unsqueeze(1)
    inputs_TBI = torch.zeros(2 * most, batch, 2)
    inputs_TBI[:most, :, 0] = torch.where(there_BK, numbers_BK, 0.0).t()
    inputs_TBI[counts_B - 1, torch.arange(batch), 1] = 1
    return inputs_TBI
