"""What the tasks on random binary vectors share: a stream of training batches and fixed evaluation sets."""

# T = time steps, B = batch, I = input channels, O = output channels

import json
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.batch_stream import BatchStream, generator
from augrnn.counts import is_whole
from augrnn.errors import UserError
from augrnn.tasks.task import StepTask, require_sizes

Size = tuple[int, ...]
"""How large a sequence is, in the task's own terms: (vectors,) to copy, (vectors, repeats) to copy repeatedly."""


class BitBatch(NamedTuple):
    """Binary vectors in, binary vectors out, as in the Neural Turing Machine's tasks.

    Attributes:
      inputs_TBI: what the model sees at each step.
      targets_TBO: the bits it should give, 0 or 1.
      scored_TB: 1.0 at the steps whose output counts, else 0.0.
    """

    inputs_TBI: Tensor
    targets_TBO: Tensor
    scored_TB: Tensor

    @property
    def size(self) -> int:
        """Sequences in the batch."""
        return self.inputs_TBI.shape[1]

    @property
    def inputs(self) -> Tensor:
        """What a cell is unrolled over, (T, B, I)."""
        return self.inputs_TBI

    @property
    def lengths(self) -> Tensor:
        """Steps in time of each sequence, (B,): up to the last that is scored, all of them where none is."""
        steps = len(self.scored_TB)
        number_T1 = torch.arange(1, steps + 1, device=self.scored_TB.device).unsqueeze(1)
        last_B = (number_T1 * (self.scored_TB > 0)).amax(0)
        return torch.where(last_B > 0, last_B, steps)

    @property
    def scored_outputs(self) -> Tensor:
        """How many bits of each sequence are scored, (B,)."""
        return self.scored_TB.sum(0) * self.targets_TBO.shape[-1]

    def step_costs(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each step, (..., T, B), in nats, zero where none is scored.

        Args:
          logits_TBO: one output a step, (T, B, O), or several with their number before it, (..., T, B, O).
        """
        targets = self.targets_TBO.expand_as(logits_TBO)
        return F.binary_cross_entropy_with_logits(logits_TBO, targets, reduction="none").sum(-1) * self.scored_TB

    def cost_bits(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each sequence, (..., B), in bits, summed over its scored target bits (the paper's cost)."""
        return self.step_costs(logits_TBO).sum(-2) / math.log(2)

    def wrong_bits(self, logits_TBO: Tensor) -> Tensor:
        """How many scored target bits of each sequence, (B,), the thresholded output gets wrong."""
        wrong_TBO = self.wrong(logits_TBO).to(logits_TBO.dtype)
        return (wrong_TBO.sum(-1) * self.scored_TB).sum(0)

    def wrong_steps(self, logits_TBO: Tensor) -> Tensor:
        """Which scored steps, (T, B), have a target bit that the thresholded output gets wrong."""
        return self.wrong(logits_TBO).any(-1) & (self.scored_TB > 0)

    def wrong(self, logits_TBO: Tensor) -> Tensor:
        """Which bits the thresholded output gets wrong, (T, B, O), scored or not."""
        return (logits_TBO > 0) != (self.targets_TBO > 0.5)

    def scores(self, outputs_TBO: Tensor) -> dict[str, Tensor]:
        """`cost_bits` and `wrong_bits` of each sequence, (B,)."""
        return {"cost_bits": self.cost_bits(outputs_TBO), "wrong_bits": self.wrong_bits(outputs_TBO)}


class BitCodec:
    """A sequence a line, as JSON: a list of what the model sees at each step, and of the bits that it gives.

    Args:
      input_size: channels of an input.
    """

    def __init__(self, input_size: int) -> None:
        self.input_size = input_size

    def batches(self, lines: Sequence[str]) -> Iterator[tuple[list[int], BitBatch]]:
        """A batch for each line that is not blank."""
        for number, line in enumerate(lines):
            if line.strip():
                inputs_T1I = self._read(number, line).unsqueeze(1)
                nothing_T1 = inputs_T1I.new_zeros(len(inputs_T1I), 1)
                yield [number], BitBatch(inputs_T1I, nothing_T1.unsqueeze(-1), nothing_T1)

    def _read(self, number: int, line: str) -> Tensor:
        try:
            inputs_TI = torch.tensor(json.loads(line), dtype=torch.float32)
        except (ValueError, TypeError):  # no JSON, no numbers, or rows of different lengths
            inputs_TI = torch.empty(0)
        if inputs_TI.ndim != 2 or inputs_TI.shape[1] != self.input_size or not inputs_TI.isfinite().all():
            raise UserError(
                f"line {number + 1} is not a JSON list of steps, each a list of {self.input_size} numbers: {line[:60]}"
            )
        return inputs_TI

    def texts(self, prediction: Tensor) -> list[str]:
        """The thresholded outputs, 0 or 1, of logits (T, B, O)."""
        return [json.dumps((logits_TO > 0).long().tolist()) for logits_TO in prediction.unbind(1)]


def between(low: int, high: int, *seed: int) -> int:
    """A whole number from low to high, both included, drawn evenly."""
    return int(torch.randint(low, high + 1, (), generator=generator(*seed)))


class BitTask(StepTask):
    """A task whose sequences are drawn afresh for every batch, each batch of one size.

    Args:
      batch_size: sequences a training batch.
      epoch_batches: training batches between two validations.
      validation_sequences: sequences drawn once, from another stream, to validate on.
      test_sizes: the sizes of the evaluation sets.
      test_sequences: sequences in each of them.
      seed: names the stream; training never meets the validation stream of any seed.

    Raises:
      UserError: there is no test size, or a size or number is below 1.
    """

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
        if not test_sizes or not all(is_whole(part) and part >= 1 for size in test_sizes for part in size):
            raise UserError(f"{type(self).__name__} needs test sizes, each of at least 1, not {list(test_sizes)}")
        require_sizes(
            type(self).__name__,
            batch_size=batch_size,
            epoch_batches=epoch_batches,
            validation_sequences=validation_sequences,
            test_sequences=test_sequences,
        )
        self.batch_size, self.epoch_batches, self.seed = batch_size, epoch_batches, seed
        self.validation_batches = -(-validation_sequences // self.evaluation_batch_size)
        self.test_sizes, self.test_sequences = test_sizes, test_sequences

    evaluation_batch_size = 32

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        """Sequences of one size; the same ones for the same seed."""
        raise NotImplementedError

    def random_size(self, *seed: int) -> Size:
        """The size of one batch, drawn from the training distribution."""
        raise NotImplementedError

    def epoch_length(self) -> int:
        return self.epoch_batches

    def draw(self, number: int) -> BitBatch:
        """Batch `number` of the training stream."""
        return self.sample(self.batch_size, self.random_size(0, self.seed, number, 0), 0, self.seed, number, 1)

    def validation_draw(self, number: int) -> BitBatch:
        """Batch `number` of the validation set, the same for every seed."""
        return self.sample(self.evaluation_batch_size, self.random_size(1, number, 0), 1, number, 1)

    @property
    def codec(self) -> BitCodec:
        return BitCodec(self.input_size)

    def evaluation_set(self, size: Size, sequences: int, batch_size: int = 100) -> BatchStream:
        """Sequences of one size to test on, from a stream that neither training nor validation draws from."""
        return BatchStream(lambda number: self.sample(batch_size, size, 2, *size, number), -(-sequences // batch_size))

    def evaluation_example(self) -> BitBatch:
        """The validation batch of the longest sequences, to look at."""
        return max(self.validation_set(), key=lambda batch: len(batch.inputs_TBI))

    def validation_set(self) -> BatchStream:
        return BatchStream(self.validation_draw, self.validation_batches)

    def test_sets(self) -> dict[str, BatchStream]:
        """The evaluation sets by their sizes: "10", or "20x10"."""
        return {"x".join(map(str, size)): self.evaluation_set(size, self.test_sequences) for size in self.test_sizes}
