"""What the tasks on text share: each byte is read in its turn, and the one after it is to be predicted."""

# L = T + 1 bytes, T = time steps, B = batch, I = input channels, O = output channels, both one for each value of a byte

import math
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.batch_stream import BatchStream, generator
from augrnn.errors import UserError
from augrnn.tasks.task import StepTask, require_sizes
from augrnn.text.byte_corpus import SPLITS

VALUES = 256
"""Of a byte."""

TRAIN, VALIDATION, TEST = SPLITS


class ByteBatch(NamedTuple):
    """Stretches of text, all of one length.

    Attributes:
      bytes_LB: those that are read, and one more, which is only predicted.
    """

    bytes_LB: Tensor

    @property
    def size(self) -> int:
        """Sequences in the batch."""
        return self.bytes_LB.shape[1]

    @property
    def inputs(self) -> Tensor:
        """What a cell is unrolled over: a one at the byte's value, else zeros, (T, B, I)."""
        read_TB1 = self.bytes_LB[:-1].long().unsqueeze(-1)
        zeros_TBI = torch.zeros(*read_TB1.shape[:2], VALUES, device=read_TB1.device)
        return zeros_TBI.scatter_(2, read_TB1, 1.0)

    @property
    def targets(self) -> Tensor:
        """The byte after each that is read, (T, B)."""
        return self.bytes_LB[1:].long()

    @property
    def lengths(self) -> Tensor:
        """Steps in time of each sequence, (B,): all of them."""
        steps, size = len(self.bytes_LB) - 1, self.size
        return torch.full((size,), steps, device=self.bytes_LB.device)

    @property
    def scored_outputs(self) -> Tensor:
        """How many bytes of each sequence are predicted, (B,)."""
        return self.lengths

    def step_costs(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each byte that is predicted, (..., T, B), in nats.

        Args:
          logits_TBO: one output a step, (T, B, O), or several with their number before it, (..., T, B, O).
        """
        targets = self.targets.expand(logits_TBO.shape[:-1])
        cost = F.cross_entropy(logits_TBO.flatten(0, -2), targets.flatten(), reduction="none")
        return cost.view(targets.shape)

    def cost_bits(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each sequence, (..., B), in bits, summed over its bytes."""
        return self.step_costs(logits_TBO).sum(-2) / math.log(2)

    def scores(self, outputs_TBO: Tensor) -> dict[str, Tensor]:
        """`bits_per_character` of each sequence, (B,): the papers call a byte a character."""
        return {"bits_per_character": self.cost_bits(outputs_TBO) / len(outputs_TBO)}


class ByteTask(StepTask):
    """A task on text. It writes `read`.

    A training sequence starts anywhere in the text, evenly drawn. Evaluation sequences do not overlap, and are spread
    evenly over their split. Each begins without knowledge of what is before it.

    Args:
      sequence: T, bytes of a sequence that are read.
      batch_size: sequences a training batch.
      epoch_batches: training batches between two validations.
      validation_sequences, test_sequences: of an evaluation set; all that there are where that is less.
      validation_split, test_splits: names of the splits to validate and test on.
      seed: names the stream.

    Raises:
      UserError: a size is below 1. A split that does not exist or is shorter than one sequence is refused when it is
        read.
    """

    measure = "augrnn.measures.text.measure.TextMeasure"

    input_size = output_size = VALUES
    evaluation_batch_size = 50

    def __init__(
        self,
        sequence: int,
        batch_size: int,
        epoch_batches: int,
        validation_sequences: int,
        test_sequences: int,
        validation_split: str,
        test_splits: tuple[str, ...],
        seed: int,
    ) -> None:
        super().__init__()
        require_sizes(
            type(self).__name__,
            sequence=sequence,
            batch_size=batch_size,
            epoch_batches=epoch_batches,
            validation_sequences=validation_sequences,
            test_sequences=test_sequences,
        )
        self.sequence, self.batch_size, self.epoch_batches, self.seed = sequence, batch_size, epoch_batches, seed
        self.validation_sequences, self.test_sequences = validation_sequences, test_sequences
        self.validation_split, self.test_splits = validation_split, list(test_splits)
        self._texts: dict[str, Tensor] = {}

    def read(self, split: str) -> bytes:
        """The bytes of a split."""
        raise NotImplementedError

    def text(self, split: str) -> Tensor:
        """The bytes of a split, (bytes,); read on the first call, so that no test split is read before its time."""
        if split not in self._texts:
            found = self.read(split)
            if len(found) <= self.sequence:
                raise UserError(
                    f"'{split}' of the text has {len(found)} bytes, fewer than the {self.sequence + 1} of a sequence "
                    f"of {self.sequence} and the byte after it"
                )
            self._texts[split] = torch.frombuffer(bytearray(found), dtype=torch.uint8)
        return self._texts[split]

    def setup(self, stage: str | None = None) -> None:
        """Before training, read what it needs; other splits are read when asked for."""
        if stage in (None, "fit"):
            for split in (TRAIN, self.validation_split):
                self.text(split)

    def batch(self, split: str, starts_B: Tensor) -> ByteBatch:
        """The sequences that start at these bytes of a split."""
        places_LB = starts_B + torch.arange(self.sequence + 1).unsqueeze(1)
        return ByteBatch(self.text(split)[places_LB])

    def epoch_length(self) -> int:
        return self.epoch_batches

    def draw(self, number: int) -> ByteBatch:
        """Batch `number` of the training stream."""
        places = len(self.text(TRAIN)) - self.sequence
        return self.batch(TRAIN, torch.randint(places, (self.batch_size,), generator=generator(self.seed, number)))

    def starts(self, split: str) -> Tensor:
        """Where the evaluation sequences of a split start, (sequences,)."""
        wanted = self.validation_sequences if split == self.validation_split else self.test_sequences
        length = len(self.text(split))
        count = min(wanted, (length - 1) // self.sequence)
        return torch.arange(count) * (length - 1 - self.sequence) // max(1, count - 1)

    def evaluation(self, split: str) -> BatchStream:
        """The evaluation sequences of a split, always the same ones in the same order."""
        starts, size = self.starts(split), self.evaluation_batch_size
        return BatchStream(
            lambda number: self.batch(split, starts[number * size : (number + 1) * size]), -(-len(starts) // size)
        )

    def validation_set(self) -> BatchStream:
        return self.evaluation(self.validation_split)

    def test_sets(self) -> Mapping[str, BatchStream]:
        """The evaluation sets by their splits."""
        return {split: self.evaluation(split) for split in self.test_splits}

    @property
    def test_names(self) -> list[str]:
        return self.test_splits

    @property
    def codec(self) -> NoReturn:
        raise UserError(f"{type(self).__name__} says of each byte what comes next: there are no lines to predict")
