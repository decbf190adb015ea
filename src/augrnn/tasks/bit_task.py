"""What the tasks on random binary vectors share: a stream of training batches and fixed evaluation sets."""

import lightning as L
import torch

from augrnn.batches import BitsBatch
from augrnn.errors import UserError
from augrnn.tasks.batch_stream import Draws, generator

Size = tuple[int, ...]
"""How large a sequence is, in the task's own terms: (vectors,) to copy, (vectors, repeats) to copy repeatedly."""


def between(low: int, high: int, *seed: int) -> int:
    """A whole number from low to high, both included, drawn evenly."""
    return int(torch.randint(low, high + 1, (), generator=generator(*seed)))


class BitsTask(L.LightningDataModule):
    """A task whose sequences are drawn afresh for every batch, each batch of one size.

    Args:
      batch_size: sequences a training batch.
      epoch_batches: training batches between two validations.
      validation_sequences: sequences drawn once, from another stream, to validate on.
      test_sizes: the sizes of the evaluation sets.
      test_sequences: sequences in each of them.
      seed: names the stream; training never meets the validation stream of any seed.

    Raises:
      UserError: there is no test size, or one has a number below 1.
    """

    input_size: int
    output_size: int

    def __init__(
        self,
        batch_size: int,
        epoch_batches: int,
        validation_sequences: int,
        test_sizes: tuple[Size, ...],
        test_sequences: int,
        seed: int,
    ) -> None:
        super().__init__()
        if not test_sizes or any(part < 1 for size in test_sizes for part in size):
            raise UserError(f"{type(self).__name__} needs test sizes, each of at least 1, not {list(test_sizes)}")
        self.batch_size, self.epoch_batches, self.seed = batch_size, epoch_batches, seed
        self.validation_batches = -(-validation_sequences // self.evaluation_batch_size)
        self.test_sizes, self.test_sequences = test_sizes, test_sequences

    evaluation_batch_size = 32

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitsBatch:
        """Sequences of one size; the same ones for the same seed."""
        raise NotImplementedError

    def random_size(self, *seed: int) -> Size:
        """The size of one batch, drawn from the training distribution."""
        raise NotImplementedError

    def draw(self, number: int) -> BitsBatch:
        """Batch `number` of the training stream."""
        return self.sample(self.batch_size, self.random_size(0, self.seed, number, 0), 0, self.seed, number, 1)

    def validation_draw(self, number: int) -> BitsBatch:
        """Batch `number` of the validation set, the same for every seed."""
        return self.sample(self.evaluation_batch_size, self.random_size(1, number, 0), 1, number, 1)

    def evaluation_set(self, size: Size, sequences: int, batch_size: int = 100) -> Draws:
        """Sequences of one size to test on, from a stream that neither training nor validation draws from."""
        return Draws(lambda number: self.sample(batch_size, size, 2, *size, number), -(-sequences // batch_size))

    def evaluation_example(self) -> BitsBatch:
        """The validation batch of the longest sequences, to look at."""
        return max(self.val_dataloader(), key=lambda batch: len(batch.inputs_TBI))

    @property
    def test_names(self) -> list[str]:
        """The names of the evaluation sets, from their sizes: "10", or "20x10"."""
        return ["x".join(map(str, size)) for size in self.test_sizes]

    def train_dataloader(self) -> Draws:
        assert self.trainer is not None
        return Draws(
            self.draw, self.epoch_batches, self.trainer.current_epoch, self.trainer.global_rank, self.trainer.world_size
        )

    def val_dataloader(self) -> Draws:
        return Draws(self.validation_draw, self.validation_batches)

    def test_dataloader(self) -> list[Draws]:
        return [self.evaluation_set(size, self.test_sequences) for size in self.test_sizes]
