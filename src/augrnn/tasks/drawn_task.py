"""What tasks share whose sequences are drawn afresh: a stream of training batches and fixed evaluation sets."""

# T = time steps, I = input channels, O = output channels

import json
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from augrnn.batch_stream import BatchStream, generator
from augrnn.batches import CostedBatch
from augrnn.counts import is_whole
from augrnn.errors import UserError
from augrnn.tasks.task import StepTask, require_sizes

Size = tuple[int, ...]
"""How large a sequence is, in the task's own terms: (vectors,) to copy, (vectors, repeats) to copy repeatedly."""

Drawn = TypeVar("Drawn", bound=CostedBatch)


class StepCodec(Generic[Drawn]):
    """A sequence a line, as JSON: a list of what the model sees at each step, and of what it answers.

    Args:
      input_size: channels of an input.
    """

    def __init__(self, input_size: int) -> None:
        self.input_size = input_size

    def batches(self, lines: Sequence[str]) -> Iterator[tuple[list[int], Drawn]]:
        """A batch for each line that is not blank."""
        for number, line in enumerate(lines):
            if line.strip():
                yield [number], self.asked(self.read(number, line).unsqueeze(1))

    def read(self, number: int, line: str) -> Tensor:
        """What the model sees at each step, (T, I), by the line of that number, counted from 0."""
        try:
            inputs_TI = torch.tensor(json.loads(line), dtype=torch.float32)
        except (
            ValueError,
            TypeError,
            OverflowError,
            RecursionError,
        ):  # no JSON, no numbers, or rows of different lengths
            inputs_TI = torch.empty(0)
        if inputs_TI.ndim != 2 or inputs_TI.shape[1] != self.input_size or not inputs_TI.isfinite().all():
            raise UserError(
                f"line {number + 1} is not a JSON list of steps, each a list of {self.input_size} numbers: {line[:60]}"
            )
        return inputs_TI

    def asked(self, inputs_T1I: Tensor) -> Drawn:
        """A batch of one sequence whose targets are not known."""
        raise NotImplementedError

    def texts(self, prediction: Tensor) -> list[str]:
        """The answers in outputs (T, B, O), a line a sequence."""
        return [json.dumps(self.answers(logits_TO)) for logits_TO in prediction.unbind(1)]

    def answers(self, logits_TO: Tensor) -> list[list[int]]:
        """What is answered at each step of a sequence."""
        raise NotImplementedError


def between(low: int, high: int, *seed: int) -> int:
    """A whole number from low to high, both included, drawn evenly."""
    return int(torch.randint(low, high + 1, (), generator=generator(*seed)))


def ranged(low: int, high: int, *, always: bool = False) -> str:
    """The name of a range of sizes, both ends included: "49-96", or "8" where there is one, unless `always`: "8-8"."""
    return str(low) if low == high and not always else f"{low}-{high}"


class DrawnTask(StepTask, Generic[Drawn]):
    """A task whose sequences are drawn afresh for every batch, each batch of one size of the task's.

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

    def sample(self, batch_size: int, size: Size, *seed: int) -> Drawn:
        """Sequences of one size; the same ones for the same seed."""
        raise NotImplementedError

    def random_size(self, *seed: int) -> Size:
        """The size of one batch, drawn from the training distribution."""
        raise NotImplementedError

    def epoch_length(self) -> int:
        return self.epoch_batches

    def draw(self, number: int) -> Drawn:
        """Batch `number` of the training stream."""
        return self.sample(self.batch_size, self.random_size(0, self.seed, number, 0), 0, self.seed, number, 1)

    def validation_draw(self, number: int) -> Drawn:
        """Batch `number` of the validation set, the same for every seed."""
        return self.sample(self.evaluation_batch_size, self.random_size(1, number, 0), 1, number, 1)

    def evaluation_set(self, size: Size, sequences: int, batch_size: int = 100) -> BatchStream:
        """Sequences of one size to test on, from a stream that neither training nor validation draws from."""
        return BatchStream(lambda number: self.sample(batch_size, size, 2, *size, number), -(-sequences // batch_size))

    def evaluation_example(self) -> Drawn:
        """The validation batch of the longest sequences, to look at."""
        return max(self.validation_set(), key=lambda batch: int(batch.lengths.max()))

    def validation_set(self) -> BatchStream:
        return BatchStream(self.validation_draw, self.validation_batches)

    def set_name(self, size: Size) -> str:
        """The name of the evaluation set of a size: "10", or "20x10"."""
        return "x".join(map(str, size))

    def test_sets(self) -> dict[str, BatchStream]:
        """The evaluation sets, by name."""
        return {self.set_name(size): self.evaluation_set(size, self.test_sequences) for size in self.test_sizes}
