"""Expressions of arithmetic, and what they come to: what the article's simple Neural Programmer answers."""

# T = time steps, B = batch, I = input channels, O = output channels, N = numbers

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.batch_stream import BatchStream, generator
from augrnn.errors import UserError
from augrnn.tasks.task import StepTask, require_sizes

SYMBOLS = ("number", "+", "-", "*", "=")
"""The kinds of symbols, in the order of their channels."""

EVEN = 1 / 3
"""The probability of a product where all operators are as likely."""

SMALLEST, LARGEST = 10, 200
"""Bounds of a number's size, in hundredths."""

TOLERANCE = 1e-3
"""How far a right answer may be off, as a share of the true one, or of 1 where that is smaller."""


class ExpressionBatch(NamedTuple):
    """Expressions symbol by symbol, padded at their ends.

    Attributes:
      inputs_TBI: one-hot kinds of symbols (SYMBOLS), and last the number, 0 for other symbols; zeros for padding.
      lengths_B: symbols of each, its "=" included.
      answers_B: what each comes to.
    """

    inputs_TBI: Tensor
    lengths_B: Tensor
    answers_B: Tensor

    @property
    def size(self) -> int:
        """Expressions in the batch."""
        return self.inputs_TBI.shape[1]

    @property
    def inputs(self) -> Tensor:
        """What a cell is unrolled over, (T, B, I)."""
        return self.inputs_TBI

    def errors(self, outputs_TBO: Tensor) -> Tensor:
        """By how much the answers, the outputs at each expression's "=", are too large, (B,)."""
        return outputs_TBO[..., 0].gather(0, self.lengths_B.unsqueeze(0) - 1).squeeze(0) - self.answers_B

    def right(self, outputs_TBO: Tensor) -> Tensor:
        """Which answers are right, (B,), up to TOLERANCE."""
        return self.errors(outputs_TBO).abs() <= TOLERANCE * self.answers_B.abs().clamp_min(1)

    def scores(self, outputs_TBO: Tensor) -> dict[str, Tensor]:
        """Whether an answer is `wrong`, and its absolute `error`, (B,)."""
        error_B = self.errors(outputs_TBO).abs()
        return {"wrong": (~self.right(outputs_TBO)).to(error_B.dtype), "error": error_B}

    def texts(self) -> list[str]:
        """The expressions as they are written, "1.5 - 0.25 * 2 ="."""
        return [
            " ".join(_written(symbol_I) for symbol_I in symbols_TI[:length].tolist())
            for symbols_TI, length in zip(self.inputs_TBI.unbind(1), self.lengths_B.tolist(), strict=True)
        ]


def _written(symbol_I: Sequence[float]) -> str:
    kind = SYMBOLS[max(range(len(SYMBOLS)), key=symbol_I.__getitem__)]
    return f"{symbol_I[-1]:.6g}" if kind == "number" else kind


def expressions(numbers_NB: Tensor, operators_NB: Tensor, counts_B: Tensor) -> ExpressionBatch:
    """The batch of some expressions with their answers; products come before sums.

    Args:
      numbers_NB: in their order; those after an expression's own are ignored.
      operators_NB: the operator after each number but the last, 1 to 3, as in SYMBOLS.
      counts_B: numbers of each expression.
    """
    most, place_N1 = len(numbers_NB), torch.arange(len(numbers_NB)).unsqueeze(1)
    padding = len(SYMBOLS)
    symbols_TB = torch.full((2 * most, numbers_NB.shape[1]), padding)
    symbols_TB[::2] = torch.where(place_N1 < counts_B, 0, padding)
    after_NB = torch.where(place_N1 == counts_B - 1, SYMBOLS.index("="), operators_NB)
    symbols_TB[1::2] = torch.where(place_N1 < counts_B, after_NB, padding)
    value_TB = torch.zeros(symbols_TB.shape)
    value_TB[::2] = numbers_NB * (place_N1 < counts_B)
    inputs_TBI = torch.cat([F.one_hot(symbols_TB, padding + 1)[..., :padding].float(), value_TB.unsqueeze(-1)], dim=-1)
    return ExpressionBatch(inputs_TBI, 2 * counts_B, _answers(numbers_NB, operators_NB, counts_B).float())


def _answers(numbers_NB: Tensor, operators_NB: Tensor, counts_B: Tensor) -> Tensor:
    """What each expression comes to, (B,): a sum of terms that are done, and a term that may go on."""
    done_B, term_B = torch.zeros(numbers_NB.shape[1], dtype=torch.float64), numbers_NB[0].double()
    for place, (number_B, operator_B) in enumerate(zip(numbers_NB[1:].double(), operators_NB, strict=False), start=1):
        here_B, product_B = place < counts_B, operator_B == SYMBOLS.index("*")
        signed_B = torch.where(operator_B == SYMBOLS.index("-"), -number_B, number_B)
        done_B = torch.where(here_B & ~product_B, done_B + term_B, done_B)
        term_B = torch.where(here_B, torch.where(product_B, term_B * number_B, signed_B), term_B)
    return done_B + term_B


class ExpressionCodec:
    """An expression a line, "1.5 - 0.25 * 2", with or without "=" at its end; its answer a line."""

    def batches(self, lines: Sequence[str]) -> Iterator[tuple[list[int], ExpressionBatch]]:
        """A batch for each line that is not blank."""
        for number, line in enumerate(lines):
            if line.strip():
                yield [number], self._read(number, line)

    def _read(self, number: int, line: str) -> ExpressionBatch:
        value = r"[+-]?\d+(?:\.\d+)?"
        if not re.fullmatch(rf"\s*{value}(?:\s*[-+*]\s*{value})*\s*=?\s*", line, re.ASCII):
            raise UserError(f"line {number + 1} is not of numbers with +, - and * between them: {line[:60]}")
        first, *rest = re.findall(rf"(?:^|([-+*]))\s*({value})", line.strip(), re.ASCII)
        kinds = [SYMBOLS.index(operator) for operator, _ in rest] + [0]
        numbers_N1 = torch.tensor([[float(written)] for _, written in (first, *rest)])
        return expressions(numbers_N1, torch.tensor(kinds).unsqueeze(1), torch.tensor([len(kinds)]))

    def texts(self, prediction: Tensor) -> list[str]:
        """The last outputs of (T, B, O)."""
        return [f"{answer:.6g}" for answer in prediction[-1, :, 0].tolist()]


class Expressions(StepTask):
    """From an expression, read symbol by symbol, to what it comes to.

    With three numbers:

        input   1.5   -   0.25   *   2   =
        target                           1

    Numbers are hundredths from .1 to 2, of either sign; + and - are drawn evenly, and so is how many numbers there are.
    The only target is the answer. Products come before sums, so that what has to be done with a number depends on more
    than the symbol before it.

    Where few products are drawn, a program learns to take a number from the sum as soon as it is read, which is right
    unless a product follows, and does not unlearn it.

    Args:
      max_numbers: of training and validation expressions, which have at least one.
      products: the probability that an operator of these is *; in evaluation sets all three are as likely.
      test_numbers: numbers of numbers, an evaluation set for each, named "8".
      test_sequences: expressions in each of them.
      batch_size: expressions a training batch.
      epoch_batches: training batches between two validations.
      validation_sequences: expressions drawn once, from another stream, to validate on.
      seed: names the stream; training never meets the validation stream of any seed.
    """

    measure = "augrnn.measures.expressions.measure.ExpressionMeasure"

    input_size, output_size = len(SYMBOLS) + 1, 1
    evaluation_batch_size = 100

    def __init__(
        self,
        max_numbers: int = 4,
        products: float = EVEN,
        test_numbers: tuple[int, ...] = (4, 8, 16),
        test_sequences: int = 1000,
        batch_size: int = 64,
        epoch_batches: int = 500,
        validation_sequences: int = 1000,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not test_numbers:
            raise UserError("Expressions needs test_numbers")
        if not 0 <= products <= 1:
            raise UserError(f"Expressions needs products from 0 to 1, not {products}")
        require_sizes(
            "Expressions",
            max_numbers=max_numbers,
            test_numbers=min(test_numbers),
            test_sequences=test_sequences,
            batch_size=batch_size,
            epoch_batches=epoch_batches,
            validation_sequences=validation_sequences,
        )
        self.max_numbers, self.products = max_numbers, products
        self.test_numbers, self.test_sequences = test_numbers, test_sequences
        self.batch_size, self.epoch_batches, self.seed = batch_size, epoch_batches, seed
        self.validation_batches = -(-validation_sequences // self.evaluation_batch_size)

    def sample(self, batch_size: int, least: int, most: int, *seed: int, products: float = EVEN) -> ExpressionBatch:
        """Expressions of `least` to `most` numbers, drawn evenly; the same ones for the same seed.

        Args:
          batch_size: how many.
          least: numbers of the shortest.
          most: numbers of the longest.
          seed: any whole numbers.
          products: the probability that an operator is *.
        """
        source, size = generator(*seed), (most, batch_size)
        counts_B = torch.randint(least, most + 1, (batch_size,), generator=source)
        sizes_NB = torch.randint(SMALLEST, LARGEST + 1, size, generator=source) / 100
        signs_NB = torch.randint(0, 2, size, generator=source) * 2 - 1
        sums_NB = torch.randint(SYMBOLS.index("+"), SYMBOLS.index("-") + 1, size, generator=source)
        product_NB = torch.rand(size, generator=source) < products
        operators_NB = torch.where(product_NB, SYMBOLS.index("*"), sums_NB)
        return expressions(sizes_NB * signs_NB, operators_NB, counts_B)

    def epoch_length(self) -> int:
        return self.epoch_batches

    def draw(self, number: int) -> ExpressionBatch:
        return self.sample(self.batch_size, 1, self.max_numbers, 0, self.seed, number, products=self.products)

    def validation_draw(self, number: int) -> ExpressionBatch:
        """Batch `number` of the validation set, the same for every seed."""
        return self.sample(self.evaluation_batch_size, 1, self.max_numbers, 1, number, products=self.products)

    def validation_set(self) -> BatchStream:
        return BatchStream(self.validation_draw, self.validation_batches)

    def evaluation_set(self, numbers: int) -> BatchStream:
        """Expressions of so many numbers, from a stream that neither training nor validation draws from."""
        size = self.evaluation_batch_size
        batches = -(-self.test_sequences // size)
        return BatchStream(lambda number: self.sample(size, numbers, numbers, 2, numbers, number), batches)

    def test_sets(self) -> dict[str, BatchStream]:
        """The evaluation sets by how many numbers there are: "8"."""
        return {str(numbers): self.evaluation_set(numbers) for numbers in self.test_numbers}

    @property
    def codec(self) -> ExpressionCodec:
        return ExpressionCodec()
