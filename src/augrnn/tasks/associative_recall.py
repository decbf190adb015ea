"""The associative recall task of the Neural Turing Machine (Graves, Wayne and Danihelka 2014, section 4.3)."""

# T = time steps, B = batch, I = input channels, O = output channels, J = items, K = vectors an item

import torch

from augrnn.batch_stream import generator
from augrnn.errors import UserError
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.drawn_task import Size, between


class AssociativeRecall(BitTask):
    """See a list of items, then one of them again; give the item that followed it.

    With items of two vectors of width 1, the items 10, 11 and 00, and the second as the query:

        channel 0   . 1 0 . 1 1 . 0 0 . 1 1 . . .        target 0   . . . . . . . . . . . . . 0 0
        item        1 . . 1 . . 1 . . . . . . . .        scored     . . . . . . . . . . . . . * *
        query       . . . . . . . . . 1 . . 1 . .

    A delimiter comes before every item, and a query delimiter before and after the query. The query is any item but
    the last. Chance is one bit for each target bit: 18 bits a sequence at the paper's sizes.

    Args:
      width: bits a vector.
      vectors: vectors an item (K).
      min_items, max_items: items in a training or validation sequence, drawn uniformly for each batch.
      test_items: the numbers of items of the evaluation sets, `test_sequences` sequences each.
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.associative_recall.measure.RecallMeasure"

    def __init__(
        self,
        width: int = 6,
        vectors: int = 3,
        min_items: int = 2,
        max_items: int = 6,
        test_items: tuple[int, ...] = (2, 4, 6, 10, 15, 20),
        test_sequences: int = 1000,
        batch_size: int = 16,
        epoch_batches: int = 250,
        validation_sequences: int = 640,
        seed: int = 0,
    ) -> None:
        if width < 1 or vectors < 1 or not 2 <= min_items <= max_items or not test_items or min(test_items) < 2:
            raise UserError(
                f"associative recall needs width >= 1, vectors >= 1, 2 <= min_items <= max_items (one item to ask for "
                f"and one to give) and test_items of at least 2, not width {width}, vectors {vectors}, items "
                f"{min_items} to {max_items} and test_items {list(test_items)}"
            )
        sizes = tuple((items,) for items in test_items)
        super().__init__(batch_size, epoch_batches, validation_sequences, sizes, test_sequences, seed)
        self.width, self.vectors, self.min_items, self.max_items = width, vectors, min_items, max_items
        self.input_size, self.output_size = width + 2, width

    def random_size(self, *seed: int) -> Size:
        return (between(self.min_items, self.max_items, *seed),)

    def draw_items(self, batch_size: int, items: int, *seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The items of a batch, bits (J, K, B, width), and which of them is asked for, (B,)."""
        source = generator(*seed)
        bits_JKBO = torch.randint(0, 2, (items, self.vectors, batch_size, self.width), generator=source).float()
        return bits_JKBO, torch.randint(0, items - 1, (batch_size,), generator=source)

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        (items,), k = size, self.vectors
        bits_JKBO, query_B = self.draw_items(batch_size, items, *seed)
        each = torch.arange(batch_size)
        asked = items * (k + 1)
        inputs_TBI = torch.zeros(asked + k + 2 + k, batch_size, self.input_size)
        listed = inputs_TBI[:asked].unflatten(0, (items, k + 1))
        listed[:, 0, :, self.width] = 1
        listed[:, 1:, :, : self.width] = bits_JKBO
        inputs_TBI[[asked, asked + k + 1], :, self.width + 1] = 1
        inputs_TBI[asked + 1 : asked + k + 1, :, : self.width] = bits_JKBO[query_B, :, each].transpose(0, 1)
        targets_TBO = torch.zeros(len(inputs_TBI), batch_size, self.width)
        targets_TBO[-k:] = bits_JKBO[query_B + 1, :, each].transpose(0, 1)
        scored_TB = torch.zeros(len(inputs_TBI), batch_size)
        scored_TB[-k:] = 1
        return BitBatch(inputs_TBI, targets_TBO, scored_TB)
