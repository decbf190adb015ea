"""The parity task of adaptive computation time (Graves 2016, section 3.1)."""

# B = batch, E = elements

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch

from augrnn.batch_stream import generator
from augrnn.counts import is_whole
from augrnn.errors import UserError
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.drawn_task import Size, ranged
from augrnn.tasks.task import require_whole

Places = Literal["scattered", "prefix"]

Range = tuple[int, int]
"""The fewest and the most non-zero elements of a vector, both included; how many there are is drawn evenly."""


class Parity(BitTask):
    """From one vector of ones, minus ones and zeros to whether its number of ones is odd.

    With 6 elements, 4 of them not zero, scattered and as a prefix:

        input   0 1 -1 0 1 1        1 -1 1 1 0 0
        target  1                   1

    It is one step in time, so that all computation is inner steps. A guess is wrong half of the time at each number of
    non-zeros. The paper has 64 elements, of which "a random number from 1 to 64 were randomly set to 1 or -1": we read
    that as anywhere; public code fills the first ones. PonderNet's extrapolation has 96 elements with 1 to 48 in
    training and 49 to 96 in the test.

    Args:
      elements: E.
      min_nonzeros, max_nonzeros: of training and validation vectors.
      places: where the non-zeros are, "scattered" or "prefix".
      test_nonzeros: numbers of non-zeros, an evaluation set for each, named "8".
      test_ranges: ranges of them, an evaluation set for each, named "49-96".
      test_sequences: vectors in each of them.
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.pondering.measure.PonderingMeasure"

    output_size = 1
    evaluation_batch_size = 128

    def __init__(
        self,
        elements: int = 64,
        min_nonzeros: int = 1,
        max_nonzeros: int = 64,
        places: Places = "scattered",
        test_nonzeros: tuple[int, ...] = (1, 8, 16, 24, 32, 40, 48, 56, 64),
        test_ranges: tuple[Range, ...] = ((1, 64),),
        test_sequences: int = 1000,
        batch_size: int = 128,
        epoch_batches: int = 1000,
        validation_sequences: int = 1280,
        seed: int = 0,
    ) -> None:
        if places not in get_args(Places):
            raise UserError(f"the non-zeros of parity are {' or '.join(get_args(Places))}, not {places}")
        require_whole("parity", elements=elements, min_nonzeros=min_nonzeros, max_nonzeros=max_nonzeros)
        if not _whole(test_nonzeros):
            raise UserError(f"parity needs a list of whole numbers for test_nonzeros, not {test_nonzeros!r}")
        if not _listed(test_ranges) or not all(_whole(each) and len(each) == 2 for each in test_ranges):
            raise UserError(
                f"parity needs a list of pairs of whole numbers for test_ranges, such as [[1, 64]], not {test_ranges!r}"
            )
        ranges = (*((count, count) for count in test_nonzeros), *map(tuple, test_ranges))
        super().__init__(batch_size, epoch_batches, validation_sequences, ranges, test_sequences, seed)
        for low, high in ((min_nonzeros, max_nonzeros), *ranges):
            if not 1 <= low <= high <= elements:
                raise UserError(
                    f"parity needs ranges of non-zeros from at least 1 to at most its {elements} elements, "
                    f"not {low} to {high}"
                )
        self.range = (min_nonzeros, max_nonzeros)
        self.input_size, self.places = elements, places

    def random_size(self, *seed: int) -> Size:
        return self.range

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        (low, high), source = size, generator(*seed)
        counts_B1 = torch.randint(low, high + 1, (batch_size, 1), generator=source)
        signs_BE = torch.randint(0, 2, (batch_size, self.input_size), generator=source) * 2 - 1
        order_BE = torch.arange(self.input_size).expand(batch_size, -1)
        if self.places == "scattered":
            order_BE = torch.rand(batch_size, self.input_size, generator=source).argsort(1)
        vectors_BE = signs_BE * (order_BE < counts_B1)
        odd_B = (vectors_BE == 1).sum(1) % 2
        return BitBatch(vectors_BE.float().unsqueeze(0), odd_B.float().view(1, -1, 1), torch.ones(1, batch_size))

    def set_name(self, size: Size) -> str:
        """By the number of non-zeros: "8", or "49-96"."""
        return ranged(*size)


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _whole(value: Any) -> bool:
    return _listed(value) and all(map(is_whole, value))
