"""What a task must offer: the contract between tasks and everything else."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import lightning as L
from lightning.pytorch.utilities import rank_zero_only

from augrnn.batch_stream import BatchStream
from augrnn.batches import Batch
from augrnn.counts import is_whole
from augrnn.errors import UserError


class Codec(Protocol):
    """What it takes to use a trained model on a user's text."""

    def batches(self, lines: Sequence[str]) -> Iterator[tuple[list[int], Any]]:
        """Batches of the lines that are not blank, each with the numbers of its lines.

        Raises:
          UserError: a line cannot be read; names it.
        """

    def texts(self, prediction: Any) -> list[str]:
        """What a system's `predict_step` gives for a batch as lines, in the order of the batch."""


def require_whole(task: str, **numbers: int) -> None:
    """Refuse what is no whole number with a UserError that names the first of them."""
    for name, number in numbers.items():
        if not is_whole(number):
            raise UserError(f"{task} needs a whole number for {name}, not {number!r}")


def require_sizes(task: str, **sizes: int) -> None:
    """Refuse sizes below 1, and what is no whole number, with a UserError that names the first of them."""
    require_whole(task, **sizes)
    for name, size in sizes.items():
        if size < 1:
            raise UserError(f"{task} needs {name} of at least 1, not {size}")


@rank_zero_only
def told(note: str) -> None:
    """Tell the user on standard error, once for all processes."""
    print(f"augrnn: {note}", file=sys.stderr)


class Task(L.LightningDataModule):
    """Where batches come from. A task writes `draw`, `validation_set` and `test_sets`, and names its measure.

    Attributes:
      measure: the dotted path of a class, a subclass of `augrnn.measures.measure.Measure`: what is measured on a
        trained model ("augrnn.measures.copy.measure.CopyMeasure"). The base class, which measures nothing, by default.
      command: the command that uses a trained model: "predict", which reads lines, or one of its own.
      learned: whether it learns from data what inference needs (a vocabulary), which checkpoints then hold.
      finite: whether an epoch is a pass over a data set, which the processes of a data-parallel run share.
    """

    measure: str = "augrnn.measures.measure.Measure"
    command: str = "predict"
    learned: bool = False
    finite: bool = False

    def epoch_length(self) -> int:
        """Training batches of an epoch, all processes of a data-parallel run together if it is `finite`."""
        raise NotImplementedError

    def draw(self, number: int) -> Batch:
        """Batch `number` of the training stream: a pure function of the seed and the number."""
        raise NotImplementedError

    def validation_set(self) -> BatchStream:
        """The batches to validate on, the same ones for every seed unless a seed says what is held out."""
        raise NotImplementedError

    def test_sets(self) -> Mapping[str, BatchStream]:
        """The evaluation sets by name. They are read here and nowhere before."""
        raise NotImplementedError

    @property
    def test_names(self) -> list[str]:
        """The names of the evaluation sets, in their order."""
        return list(self.test_sets())

    @property
    def codec(self) -> "Codec":
        """From a user's lines to batches, and from predictions to lines."""
        raise UserError(f"{type(self).__name__} reads no text: nothing can be predicted from a file")

    def train_dataloader(self) -> BatchStream:
        trainer = self.trainer
        assert trainer is not None
        share = trainer.world_size if self.finite else 1
        count = max(1, self.epoch_length() // share)
        return BatchStream(self.draw, count, lambda: trainer.current_epoch, trainer.global_rank, trainer.world_size)

    def val_dataloader(self) -> BatchStream:
        return self.validation_set()

    def test_dataloader(self) -> list[BatchStream]:
        return list(self.test_sets().values())


class StepTask(Task):
    """A task for a cell: inputs and outputs at each step. Its batches are a `augrnn.batches.StepBatch`.

    Attributes:
      input_size: channels of an input.
      output_size: channels of an output.
      word_ids: the ids of words in its batches are below this; None where it has no words.
    """

    input_size: int
    output_size: int
    word_ids: int | None = None


class TextTask(Task):
    """A task whose answers are texts. Its batches are an `augrnn.text.token_batches.PairBatch`.

    Attributes:
      source_vocabulary: token ids of the source; None where the source is no text.
      target_vocabulary: token ids of the target.
    """

    source_vocabulary: int | None = None
    target_vocabulary: int

    def score(self, predictions: Sequence[Sequence[int]], indices: Sequence[int], split: str) -> dict[str, float]:
        """How good decoded targets are, by the metric's name.

        Args:
          predictions: token ids; what follows an EOS is ignored.
          indices: for each prediction the number of its example in the split.
          split: the name of a test set, or "val" for the validation set.
        """
        raise NotImplementedError
