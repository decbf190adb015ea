"""The priority sort task of the Neural Turing Machine (Graves, Wayne and Danihelka 2014, section 4.5)."""

# T = time steps, B = batch, I = input channels, O = output channels, K = vectors seen

import torch

from augrnn.batch_stream import generator
from augrnn.errors import UserError
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.drawn_task import Size


class PrioritySort(BitTask):
    """See random vectors, each with a priority; give those of highest priority, highest first.

    With three vectors of width 2, 10, 11 and 01, and the best two to give:

        channel 0     1   1   0   . . .        target 0   . . . . 1 0
        channel 1     0   1   1   . . .        target 1   . . . . 1 1
        priority     -.6  .9  .2  . . .        scored     . . . . * *
        delimiter     .   .   .   1 . .

    Whole vectors are sorted, by priority alone. The paper's LSTM has 348,424 parameters with 8 bits, a priority and a
    delimiter in and 8 bits out (its table 3 prints 384,424). Chance is 128 bits a sequence at the paper's sizes.

    Args:
      width: bits a vector.
      vectors: K.
      sorted_vectors: how many of them to give.
      test_sequences: sequences in the only evaluation set.
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.priority_sort.measure.SortingMeasure"

    def __init__(
        self,
        width: int = 8,
        vectors: int = 20,
        sorted_vectors: int = 16,
        test_sequences: int = 1000,
        batch_size: int = 16,
        epoch_batches: int = 250,
        validation_sequences: int = 640,
        seed: int = 0,
    ) -> None:
        if width < 1 or not 1 <= sorted_vectors <= vectors:
            raise UserError(
                f"priority sort needs width >= 1 and 1 <= sorted_vectors <= vectors, not width {width}, "
                f"{sorted_vectors} of {vectors} vectors"
            )
        super().__init__(batch_size, epoch_batches, validation_sequences, ((vectors,),), test_sequences, seed)
        self.width, self.vectors, self.sorted_vectors = width, vectors, sorted_vectors
        self.input_size, self.output_size = width + 2, width

    def random_size(self, *seed: int) -> Size:
        return (self.vectors,)

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        (k,), source = size, generator(*seed)
        bits_KBO = torch.randint(0, 2, (k, batch_size, self.width), generator=source).float()
        priority_KB = torch.rand(k, batch_size, generator=source) * 2 - 1
        inputs_TBI = torch.zeros(k + 1 + self.sorted_vectors, batch_size, self.input_size)
        inputs_TBI[:k, :, : self.width] = bits_KBO
        inputs_TBI[:k, :, self.width] = priority_KB
        inputs_TBI[k, :, self.width + 1] = 1
        best_KB = priority_KB.argsort(dim=0, descending=True)[: self.sorted_vectors]
        targets_TBO = torch.zeros(len(inputs_TBI), batch_size, self.width)
        targets_TBO[k + 1 :] = bits_KBO.gather(0, best_KB.unsqueeze(-1).expand(-1, -1, self.width))
        scored_TB = torch.zeros(len(inputs_TBI), batch_size)
        scored_TB[k + 1 :] = 1
        return BitBatch(inputs_TBI, targets_TBO, scored_TB)
