"""The addition task of adaptive computation time (Graves 2016, section 3.3)."""

# T = numbers, B = batch, N = most digits of a number, D = digits of a sum

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.batch_stream import generator
from augrnn.errors import UserError
from augrnn.tasks.class_task import ClassBatch, ClassTask
from augrnn.tasks.drawn_task import Size, ranged
from augrnn.tasks.task import require_sizes, require_whole

BLANK = 10
"""The class that says that a sum has no digit there."""


class Addition(ClassTask):
    """See numbers one at a time; give the sum of all so far.

    A number's digits are one-hot chunks of 10, from its first digit on, and zeros after its last. The answer is a class
    for each digit of the largest sum there can be; what a sum does not fill is BLANK. At the first number nothing is
    asked. With numbers of up to 2 digits:

        input    7 .      9 5       0 1
        target            1 0 2     1 0 3       102 and 103

    Digits are drawn one by one, so that a number may begin with zeros. The paper leaves open in which order digits
    stand: here the first is that of highest value. Its sequences have from 1 to 5 numbers. A single number has no
    target, and would always count as right: it is met in training alone, where `min_numbers` is 1. Sequences of a batch
    have lengths of their own, and end in padding.

    Args:
      max_digits: N; each number has from 1 to that many, drawn evenly.
      min_numbers, max_numbers: of a training sequence; 50 input channels and sums of 6 digits at the paper's 5.
      test_numbers: numbers of a sequence in the evaluation sets of one number of digits, which are named by it ("3").
        One more is of the training distribution, without single numbers ("1-5").
      test_sequences: sequences in each of them.
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.pondering.measure.PonderingMeasure"

    evaluation_batch_size = 100

    def __init__(
        self,
        max_digits: int = 5,
        min_numbers: int = 1,
        max_numbers: int = 5,
        test_numbers: int = 3,
        test_sequences: int = 1000,
        batch_size: int = 32,
        epoch_batches: int = 1000,
        validation_sequences: int = 1000,
        seed: int = 0,
    ) -> None:
        require_sizes("addition", max_digits=max_digits, min_numbers=min_numbers)
        require_whole("addition", max_numbers=max_numbers, test_numbers=test_numbers)
        if max_digits > 15:
            raise UserError(f"addition needs max_digits of at most 15, not {max_digits}")
        if not (min_numbers <= max_numbers and 2 <= test_numbers <= max_numbers):
            raise UserError(
                f"addition needs min_numbers of at most max_numbers and test_numbers from 2 to max_numbers, not "
                f"{min_numbers}, {max_numbers} and {test_numbers}"
            )
        sizes = [(count, count, test_numbers, test_numbers) for count in range(1, max_digits + 1)]
        self.trained = (1, max_digits, min_numbers, max_numbers)
        self.asked = (1, max_digits, max(2, min_numbers), max_numbers)
        super().__init__(batch_size, epoch_batches, validation_sequences, (*sizes, self.asked), test_sequences, seed)
        self.max_digits = max_digits
        self.classifications = len(str(max_numbers * (10**max_digits - 1)))
        if self.classifications > 18:
            raise UserError(
                f"addition needs sums of at most 18 digits: {max_numbers} numbers of {max_digits} have more"
            )
        self.input_size, self.output_size = 10 * max_digits, (BLANK + 1) * self.classifications

    def random_size(self, *seed: int) -> Size:
        return self.trained

    def validation_draw(self, number: int) -> ClassBatch:
        return self.sample(self.evaluation_batch_size, self.asked, 1, number)

    def sample(self, batch_size: int, size: Size, *seed: int) -> ClassBatch:
        """Sequences of so many digits a number, at least and at most, and so many numbers, at least and at most."""
        (fewest, most, shortest, longest), source = size, generator(*seed)
        lengths_B = torch.randint(shortest, longest + 1, (batch_size,), generator=source)
        shape = int(lengths_B.max()), batch_size
        counts_TB1 = torch.randint(fewest, most + 1, (*shape, 1), generator=source)
        digits_TBN = torch.randint(0, 10, (*shape, self.max_digits), generator=source)
        used_TBN = torch.arange(self.max_digits) < counts_TB1
        real_TB = torch.arange(shape[0]).unsqueeze(1) < lengths_B
        chunks_TBNK = F.one_hot(digits_TBN, 10) * (used_TBN & real_TB.unsqueeze(-1)).unsqueeze(-1)
        number_TB = torch.zeros(shape, dtype=torch.long)
        for digit_TB, used_TB in zip(digits_TBN.unbind(2), used_TBN.unbind(2), strict=True):
            number_TB = torch.where(used_TB, 10 * number_TB + digit_TB, number_TB)
        targets_TBD = left_aligned((number_TB * real_TB).cumsum(0), self.classifications)
        scored_TB = real_TB.float()
        scored_TB[0] = 0
        return ClassBatch(chunks_TBNK.flatten(2).float(), targets_TBD, scored_TB, lengths_B)

    def set_name(self, size: Size) -> str:
        """By the number of digits: "3", or "1-5"."""
        return ranged(*size[:2], always=size == self.asked)


def left_aligned(number: Tensor, places: int) -> Tensor:
    """The digits of whole numbers (...) from the one of highest value on, and BLANK after the last: (..., D)."""
    powers_D = 10 ** torch.arange(places - 1, -1, -1)
    digits = number.unsqueeze(-1) // powers_D % 10
    absent = (number.unsqueeze(-1) < powers_D).long()
    absent[..., -1] = 0  # zero is written as one digit
    place = torch.arange(places) + absent.sum(-1, keepdim=True)
    return torch.where(place < places, digits.gather(-1, place.clamp(max=places - 1)), BLANK)
