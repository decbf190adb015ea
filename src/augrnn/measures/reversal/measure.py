"""A trained encoder-decoder on reversal to numbers: what it gets right by length, and whether it reads backwards."""

# B = batch, M = target positions, L = source positions

from collections.abc import Mapping
from typing import Any

import torch

from augrnn.batches import moved
from augrnn.exhibits.alignments import GIVEN, Alignments
from augrnn.exhibits.exhibit import Exhibit
from augrnn.measures.measure import Measure, Measured
from augrnn.systems.ensemble import Writer
from augrnn.tasks.reversal import Reversal


def backwards(alignment_BML: torch.Tensor) -> float:
    """The share of symbols for which the largest weight is on the one to be given: the i-th from the end.

    Args:
      alignment_BML: sequences of one length n, with EOS as the last of L = M = n + 1 positions.
    """
    n = alignment_BML.shape[1] - 1
    looked_at = alignment_BML[:, :n].argmax(-1)
    return float((looked_at == torch.arange(n - 1, -1, -1, device=looked_at.device)).float().mean())


def shown(alignment_ML: torch.Tensor) -> Alignments:
    """The alignment of one sequence, with the places of its symbols for their names."""
    source = (*(f"x{i + 1}" for i in range(len(alignment_ML) - 1)), "EOS")
    target = (*source[-2::-1], "EOS")
    return Alignments((alignment_ML.cpu().numpy(),), (source,), (target,), ("source", f"target ({GIVEN})"))


class ReversalMeasure(Measure):
    """What is right of each of the task's test sets, decoded with no previous word given.

    Numbers: `exact` and `symbols_right` by length (see the task's score); with attention `backwards` at the longest
    length of training, and the exhibit `alignment` of one such sequence.
    """

    ensembles = True

    def measure(self, system: Writer, task: Reversal) -> Measured:
        numbers: dict[str, Any] = {"exact": {}, "symbols_right": {}}
        exhibits: dict[str, Exhibit] = {}
        for length, split in zip(task.test_lengths, task.test_splits, strict=True):
            decoded: dict[int, list[int]] = {}
            for batch in task.evaluation(split, task.test_sequences):
                there = moved(batch, system.device)
                targets = (hypothesis.tokens for hypothesis in system.decode(there))
                decoded.update(zip(batch.index_B.tolist(), targets, strict=True))
            for name, value in task.score(list(decoded.values()), list(decoded), split).items():
                numbers[name][str(length)] = value
            alignment_BML = system.align(there)
            if length == task.max_length and alignment_BML.any():
                numbers["backwards"] = backwards(alignment_BML)
                exhibits["alignment"] = shown(alignment_BML[0])
        return Measured(numbers, exhibits)

    def preview(self, system: Writer, task: Reversal) -> dict[str, Exhibit]:
        alignment_BML = system.align(moved(task.sample(1, task.max_length, 3), system.device))
        return {"alignment": shown(alignment_BML[0])} if alignment_BML.any() else {}

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        return {"alignment": Alignments}
