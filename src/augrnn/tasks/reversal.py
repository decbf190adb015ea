"""Reversal, the smallest translation: it needs every word of its source, and none in the order of reading."""

# B = batch, L = length of the sequences

from collections.abc import Iterator, Mapping, Sequence

import torch

from augrnn.batch_stream import BatchStream, generator
from augrnn.errors import UserError
from augrnn.search.model import Hypothesis
from augrnn.tasks.task import TextTask, require_sizes
from augrnn.text.token_batches import EOS, PairBatch, Tokens, pair_batch

FIRST = 4
"""The first token id that is a symbol; those before it have a fixed meaning."""


class SymbolCodec:
    """A sequence a line: its symbols as whole numbers from 0, with spaces between.

    Args:
      symbols: number of different symbols.
    """

    def __init__(self, symbols: int) -> None:
        self.symbols = symbols

    def batches(self, lines: Sequence[str]) -> Iterator[tuple[list[int], PairBatch]]:
        """A batch for each line that is not blank."""
        for number, line in enumerate(lines):
            words = line.split()
            if any(not word.isdecimal() or int(word) >= self.symbols for word in words):
                raise UserError(f"line {number + 1} is not of whole numbers below {self.symbols}: {line[:60]}")
            if words:
                ids = [FIRST + int(word) for word in words] + [EOS]
                yield [number], pair_batch([ids], [[EOS]], [0])

    def texts(self, prediction: Mapping[int, Sequence[Hypothesis]]) -> list[str]:
        """The symbols of the best hypothesis for each source."""
        return [" ".join(str(token - FIRST) for token in best[0].tokens) for best in prediction.values()]


class Reversal(TextTask):
    """Give a sequence of random symbols back in reverse.

    With symbols a, b, c ... for the token ids from 4 on:

        source   a b b d EOS
        target   d b b a EOS

    Every batch has sequences of one length. Chance is 1 / symbols of the tokens, and no whole sequence.

    Args:
      symbols: number of different symbols.
      min_length, max_length: symbols a training or validation sequence, drawn uniformly for each batch.
      test_lengths: the lengths of the evaluation sets, `test_sequences` sequences each.
      test_sequences: sequences of each evaluation set.
      batch_size: sequences a batch.
      epoch_batches: training batches between two validations.
      validation_sequences: sequences to validate on, the same for every seed.
      seed: names the training stream; training never meets the evaluation sets' streams.
    """

    measure = "augrnn.measures.reversal.measure.ReversalMeasure"

    evaluation_batch_size = 50

    def __init__(
        self,
        symbols: int = 20,
        min_length: int = 1,
        max_length: int = 16,
        test_lengths: tuple[int, ...] = (4, 8, 12, 16, 24, 32),
        test_sequences: int = 500,
        batch_size: int = 64,
        epoch_batches: int = 100,
        validation_sequences: int = 500,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if symbols < 1 or not 1 <= min_length <= max_length:
            raise UserError(
                f"reversal needs symbols >= 1 and 1 <= min_length <= max_length, not {symbols} symbols, "
                f"lengths {min_length} to {max_length}"
            )
        require_sizes(
            "reversal",
            batch_size=batch_size,
            epoch_batches=epoch_batches,
            validation_sequences=validation_sequences,
            test_sequences=test_sequences,
        )
        self.symbols, self.min_length, self.max_length = symbols, min_length, max_length
        self.test_lengths, self.test_sequences = tuple(test_lengths), test_sequences
        self.batch_size, self.epoch_batches, self.seed = batch_size, epoch_batches, seed
        self.validation_sequences = validation_sequences
        self.source_vocabulary = self.target_vocabulary = FIRST + symbols
        self.test_splits = [f"length_{length}" for length in self.test_lengths]

    def sample(self, size: int, length: int, *seed: int) -> PairBatch:
        """Sequences of one length, the same ones for the same seed, numbered from 0."""
        symbols_BL = torch.randint(FIRST, FIRST + self.symbols, (size, length), generator=generator(*seed))
        end_B1 = torch.full((size, 1), EOS)
        source_BL, target_BL = torch.cat([symbols_BL, end_B1], 1), torch.cat([symbols_BL.flip(1), end_B1], 1)
        real_BL = torch.ones_like(source_BL, dtype=torch.bool)
        return PairBatch(Tokens(source_BL, real_BL), target_BL, real_BL, torch.arange(size))

    @property
    def codec(self) -> SymbolCodec:
        return SymbolCodec(self.symbols)

    def _random_length(self, *seed: int) -> int:
        return int(torch.randint(self.min_length, self.max_length + 1, (), generator=generator(*seed)))

    def epoch_length(self) -> int:
        return self.epoch_batches

    def draw(self, number: int) -> PairBatch:
        """Batch `number` of the training stream."""
        length = self._random_length(0, self.seed, number, 0)
        return self.sample(self.batch_size, length, 0, self.seed, number, 1)

    def evaluation_draw(self, split: str, number: int) -> PairBatch:
        """Batch `number` of an evaluation set: "val", or one of `test_splits`."""
        if split == "val":
            length = self._random_length(1, number, 0)
            batch = self.sample(self.evaluation_batch_size, length, 1, number, 1)
        else:
            length = self.test_lengths[self.test_splits.index(split)]
            batch = self.sample(self.evaluation_batch_size, length, 2, length, number)
        return batch._replace(index_B=batch.index_B + number * self.evaluation_batch_size)

    def evaluation(self, split: str, sequences: int) -> BatchStream:
        """An evaluation set: "val", or one of `test_splits`."""
        return BatchStream(
            lambda number: self.evaluation_draw(split, number), -(-sequences // self.evaluation_batch_size)
        )

    def validation_set(self) -> BatchStream:
        return self.evaluation("val", self.validation_sequences)

    def test_sets(self) -> dict[str, BatchStream]:
        return {split: self.evaluation(split, self.test_sequences) for split in self.test_splits}

    def score(self, predictions: Sequence[Sequence[int]], indices: Sequence[int], split: str) -> dict[str, float]:
        """Compare decoded targets, EOS left off, with the true ones.

        Returns:
          `exact`, the share of sequences that are wholly right, and `symbols_right`, the share of target symbols that
          stand in the right place.
        """
        exact, right, count = 0, 0, 0
        for prediction, index in zip(predictions, indices, strict=True):
            number, row = divmod(index, self.evaluation_batch_size)
            target = self.evaluation_draw(split, number).target_BM[row, :-1].tolist()
            exact += list(prediction) == target
            right += sum(given == wanted for given, wanted in zip(prediction, target, strict=False))
            count += len(target)
        return {"exact": exact / len(predictions), "symbols_right": right / count}
