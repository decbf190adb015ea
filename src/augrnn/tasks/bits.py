"""What the tasks on random binary vectors share: a stream of training batches and fixed evaluation sets."""

import lightning as L

from augrnn.batches import BitsBatch
from augrnn.tasks.draws import Draws


class BitsTask(L.LightningDataModule):
    """A task whose sequences are drawn afresh for every batch, each batch of one length.

    Args:
      batch_size: sequences a training batch.
      epoch_batches: training batches between two validations.
      validation_sequences: sequences drawn once, from another stream, to validate on.
      seed: names the stream; training never meets the validation stream of any seed.
    """

    input_size: int
    output_size: int

    def __init__(
        self, batch_size: int = 16, epoch_batches: int = 250, validation_sequences: int = 640, seed: int = 0
    ) -> None:
        super().__init__()
        self.batch_size, self.epoch_batches, self.seed = batch_size, epoch_batches, seed
        self.validation_batches = -(-validation_sequences // self.evaluation_batch_size)

    evaluation_batch_size = 32

    def sample(self, batch_size: int, length: int, *seed: int) -> BitsBatch:
        """Sequences of one length; the same ones for the same seed."""
        raise NotImplementedError

    def random_length(self, *seed: int) -> int:
        """The length of one batch, drawn from the training distribution."""
        raise NotImplementedError

    def draw(self, number: int) -> BitsBatch:
        """Batch `number` of the training stream."""
        return self.sample(self.batch_size, self.random_length(0, self.seed, number, 0), 0, self.seed, number, 1)

    def validation_draw(self, number: int) -> BitsBatch:
        """Batch `number` of the validation set, the same for every seed."""
        return self.sample(self.evaluation_batch_size, self.random_length(1, number, 0), 1, number, 1)

    def evaluation_example(self) -> BitsBatch:
        """The validation batch of the longest sequences, to look at."""
        return max(self.val_dataloader(), key=lambda batch: len(batch.inputs_TBI))

    def train_dataloader(self) -> Draws:
        assert self.trainer is not None
        return Draws(
            self.draw, self.epoch_batches, self.trainer.current_epoch, self.trainer.global_rank, self.trainer.world_size
        )

    def val_dataloader(self) -> Draws:
        return Draws(self.validation_draw, self.validation_batches)
