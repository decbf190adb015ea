"""The logic task of adaptive computation time (Graves 2016, section 3.2)."""

# T = vectors, B = batch, G = most gates of a vector, O = 2, the values that an earlier target may have

import torch
import torch.nn.functional as F

from augrnn.batch_stream import generator
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.drawn_task import Size, ranged
from augrnn.tasks.task import require_sizes

GATES = {
    "NOR": (0, 0, 0, 1),
    "Xq": (0, 0, 1, 0),
    "ABJ": (0, 1, 0, 0),
    "XOR": (0, 1, 1, 0),
    "NAND": (0, 1, 1, 1),
    "AND": (1, 0, 0, 0),
    "XNOR": (1, 0, 0, 1),
    "if/then": (1, 0, 1, 1),
    "then/if": (1, 1, 0, 1),
    "OR": (1, 1, 1, 0),
}
"""The paper's table 1: what each gate gives for P and Q both true, P alone, Q alone, and neither."""


class Logic(BitTask):
    """Apply binary gates one after the other, each to the two newest bits.

    A vector has two bits b0 and b1 and a one-hot chunk for each gate; chunks that are not used are zero. A gate T gives
    b(i+1) = T(b(i), b(i-1)), so that its P is the newer bit; the target is the last of them. At the first vector both
    bits are drawn. At a later one b0 is the target before, and the input has 0 in its place. With two kinds of gates
    and at most two gates a vector:

        bits     1 0     0 1
        chunks   AND .   OR AND
        target   0       0          b2 = AND(0, 1); then b0 = 0, b1 = 1, b2 = OR(1, 0) = 1 and b3 = AND(1, 1) = 1

    Whatever the bits are, half of all gates answer true, so that a guess is wrong half of the time. Sequences of a
    batch have lengths of their own, and end in padding.

    Args:
      max_gates: G; each vector has from 1 to that many, drawn evenly. 102 input channels at the paper's 10.
      max_length: each sequence has from 1 to that many vectors, drawn evenly.
      test_length: vectors of a sequence in the evaluation sets of one number of gates, which are named by it ("5").
        One more is of the training distribution ("1-10").
      test_sequences: sequences in each of them.
      batch_size, epoch_batches, validation_sequences, seed: see DrawnTask.
    """

    measure = "augrnn.measures.pondering.measure.PonderingMeasure"

    output_size = 1
    evaluation_batch_size = 100

    def __init__(
        self,
        max_gates: int = 10,
        max_length: int = 10,
        test_length: int = 5,
        test_sequences: int = 1000,
        batch_size: int = 16,
        epoch_batches: int = 1000,
        validation_sequences: int = 1000,
        seed: int = 0,
    ) -> None:
        require_sizes("logic", max_gates=max_gates, max_length=max_length, test_length=test_length)
        sizes = [(count, count, test_length, test_length) for count in range(1, max_gates + 1)]
        self.whole = (1, max_gates, 1, max_length)
        super().__init__(batch_size, epoch_batches, validation_sequences, (*sizes, self.whole), test_sequences, seed)
        self.max_gates = max_gates
        self.input_size = 2 + max_gates * len(GATES)

    def random_size(self, *seed: int) -> Size:
        return self.whole

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        """Sequences of so many gates a vector, at least and at most, and so many vectors, at least and at most."""
        (fewest, most, shortest, longest), source = size, generator(*seed)
        lengths_B = torch.randint(shortest, longest + 1, (batch_size,), generator=source)
        shape = int(lengths_B.max()), batch_size
        counts_TB1 = torch.randint(fewest, most + 1, (*shape, 1), generator=source)
        gates_TBG = torch.randint(0, len(GATES), (*shape, self.max_gates), generator=source)
        bits_TB2 = torch.randint(0, 2, (*shape, 2), generator=source)
        bits_TB2[1:, :, 0] = 0
        used_TBG = torch.arange(self.max_gates) < counts_TB1
        chunks_TBGK = F.one_hot(gates_TBG, len(GATES)) * used_TBG.unsqueeze(-1)
        scored_TB = (torch.arange(shape[0]).unsqueeze(1) < lengths_B).float()
        inputs_TBI = torch.cat([bits_TB2, chunks_TBGK.flatten(2)], dim=2) * scored_TB.unsqueeze(-1)
        return BitBatch(inputs_TBI, targets(bits_TB2, gates_TBG, used_TBG).float().unsqueeze(-1), scored_TB)

    def set_name(self, size: Size) -> str:
        """By the number of gates: "5", or "1-10"."""
        return ranged(*size[:2], always=size == self.whole)


def targets(bits_TB2: torch.Tensor, gates_TBG: torch.Tensor, used_TBG: torch.Tensor) -> torch.Tensor:
    """The last bit of each vector, (T, B).

    Args:
      bits_TB2: b0 and b1; b0 counts at the first vector alone.
      gates_TBG: the numbers of the gates, in the order of GATES.
      used_TBG: which of them there are.
    """
    table = torch.tensor(list(GATES.values()))
    older_OTB = torch.arange(2).view(2, 1, 1).expand(2, *gates_TBG.shape[:2])
    newer_OTB = bits_TB2[..., 1].expand_as(older_OTB)
    for gate_TB, used_TB in zip(gates_TBG.unbind(2), used_TBG.unbind(2), strict=True):
        result_OTB = table[gate_TB, 3 - 2 * newer_OTB - older_OTB]
        older_OTB, newer_OTB = (
            torch.where(used_TB, newer_OTB, older_OTB),
            torch.where(used_TB, result_OTB, newer_OTB),
        )
    found = [bits_TB2[0, :, 0]]
    for answers_OB in newer_OTB.unbind(1):
        found.append(answers_OB.gather(0, found[-1].unsqueeze(0)).squeeze(0))
    return torch.stack(found[1:])
