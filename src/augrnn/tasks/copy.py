"""The copy task of the Neural Turing Machine (Graves, Wayne and Danihelka 2014, section 4.1)."""

# T = time steps, B = batch, I = input channels, O = output channels

import torch

from augrnn.batch_stream import generator
from augrnn.errors import UserError
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.drawn_task import Size, between


class Copy(BitTask):
    """See random vectors, then a delimiter on a channel of its own, then give the vectors back from blank input.

    With width 3 and two vectors, 101 and 011, over time from left to right:

        channel 0   1 0 . . .        target 0   . . . 1 0
        channel 1   0 1 . . .        target 1   . . . 0 1
        channel 2   1 1 . . .        target 2   . . . 1 1
        delimiter   . . 1 . .        scored     . . . * *

    Chance is one bit for each target bit: 84 bits a sequence at the paper's sizes (length 1 to 20, width 8).

    Args:
      width: bits a vector.
      min_length, max_length: vectors a training or validation sequence, drawn uniformly for each batch.
      test_lengths: the lengths of the evaluation sets, `test_sequences` sequences each.
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.copy.measure.CopyMeasure"

    def __init__(
        self,
        width: int = 8,
        min_length: int = 1,
        max_length: int = 20,
        test_lengths: tuple[int, ...] = (10, 20, 30, 50, 120),
        test_sequences: int = 1000,
        batch_size: int = 16,
        epoch_batches: int = 250,
        validation_sequences: int = 640,
        seed: int = 0,
    ) -> None:
        sizes = tuple((length,) for length in test_lengths)
        super().__init__(batch_size, epoch_batches, validation_sequences, sizes, test_sequences, seed)
        if width < 1 or not 1 <= min_length <= max_length:
            raise UserError(
                f"the copy task needs width >= 1 and 1 <= min_length <= max_length, not width {width}, "
                f"lengths {min_length} to {max_length}"
            )
        self.width, self.min_length, self.max_length = width, min_length, max_length
        self.input_size, self.output_size = width + 1, width

    def random_size(self, *seed: int) -> Size:
        return (between(self.min_length, self.max_length, *seed),)

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        (length,) = size
        bits_TBO = torch.randint(0, 2, (length, batch_size, self.width), generator=generator(*seed)).float()
        inputs_TBI = torch.zeros(2 * length + 1, batch_size, self.width + 1)
        inputs_TBI[:length, :, : self.width] = bits_TBO
        inputs_TBI[length, :, self.width] = 1
        targets_TBO = torch.zeros(2 * length + 1, batch_size, self.width)
        targets_TBO[length + 1 :] = bits_TBO
        scored_TB = torch.zeros(2 * length + 1, batch_size)
        scored_TB[length + 1 :] = 1
        return BitBatch(inputs_TBI, targets_TBO, scored_TB)
