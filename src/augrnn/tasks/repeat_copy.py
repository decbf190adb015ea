"""The repeat copy task of the Neural Turing Machine (Graves, Wayne and Danihelka 2014, section 4.2)."""

# T = time steps, B = batch, I = input channels, O = output channels, K = vectors to repeat

import torch

from augrnn.batch_stream import generator
from augrnn.errors import UserError
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.drawn_task import Size, between


class RepeatCopy(BitTask):
    """See random vectors and then how often to give them back; do so, and mark the end.

    With width 2, the vectors 10 and 11, and 2 repeats, over time from left to right:

        channel 0   1 1 . . . . . .        target 0   . . . 1 1 1 1 .
        channel 1   0 1 . . . . . .        target 1   . . . 0 1 0 1 .
        delimiter   . . 1 . . . . .        end        . . . . . . . 1
        repeats     . . r . . . . .        scored     . . . * * * * *

    r is the number of repeats, scaled to mean 0 and variance 1 over the numbers trained on. The paper's parameter
    counts (its table 3) imply 8 inputs and 7 outputs, hence vectors of 6 bits; chance is then 181.5 bits a sequence,
    as its figure 7 starts. The marker and the step of the end are scored here too: 218.75 bits at chance.

    Args:
      width: bits a vector.
      max_length, max_repeats: sequences have 1 to so many vectors and repeats, drawn uniformly for each batch.
      test_sizes: (vectors, repeats) of the evaluation sets, `test_sequences` sequences each.
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.repeat_copy.measure.RepeatCopyMeasure"

    def __init__(
        self,
        width: int = 6,
        max_length: int = 10,
        max_repeats: int = 10,
        test_sizes: tuple[tuple[int, int], ...] = ((10, 10), (20, 10), (10, 20)),
        test_sequences: int = 1000,
        batch_size: int = 16,
        epoch_batches: int = 250,
        validation_sequences: int = 640,
        seed: int = 0,
    ) -> None:
        if width < 1 or max_length < 1 or max_repeats < 2:
            raise UserError(
                f"the repeat copy task needs width >= 1, max_length >= 1 and max_repeats >= 2 (the number is scaled by "
                f"its spread), not width {width}, length {max_length}, repeats {max_repeats}"
            )
        super().__init__(batch_size, epoch_batches, validation_sequences, tuple(test_sizes), test_sequences, seed)
        self.width, self.max_length, self.max_repeats = width, max_length, max_repeats
        self.input_size, self.output_size = width + 2, width + 1

    def random_size(self, *seed: int) -> Size:
        return between(1, self.max_length, *seed, 0), between(1, self.max_repeats, *seed, 1)

    def scaled(self, repeats: int) -> float:
        """A number of repeats as the model sees it: mean 0 and variance 1 over 1 to `max_repeats`."""
        return (repeats - (self.max_repeats + 1) / 2) / ((self.max_repeats**2 - 1) / 12) ** 0.5

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        length, repeats = size
        bits_KBO = torch.randint(0, 2, (length, batch_size, self.width), generator=generator(*seed)).float()
        steps = length + 1 + length * repeats + 1
        inputs_TBI = torch.zeros(steps, batch_size, self.input_size)
        inputs_TBI[:length, :, : self.width] = bits_KBO
        inputs_TBI[length, :, self.width] = 1
        inputs_TBI[length, :, self.width + 1] = self.scaled(repeats)
        targets_TBO = torch.zeros(steps, batch_size, self.output_size)
        targets_TBO[length + 1 : -1, :, : self.width] = bits_KBO.repeat(repeats, 1, 1)
        targets_TBO[-1, :, self.width] = 1
        scored_TB = torch.zeros(steps, batch_size)
        scored_TB[length + 1 :] = 1
        return BitBatch(inputs_TBI, targets_TBO, scored_TB)
