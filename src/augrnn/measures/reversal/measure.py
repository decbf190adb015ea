"""A trained encoder-decoder on reversal to numbers: what it gets right by length, and whether it reads backwards."""

# B = batch, M = target positions, L = source positions

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from augrnn.batches import moved
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.reversal import Reversal


def backwards(alignment_BML: torch.Tensor) -> float:
    """The share of symbols for which the largest weight is on the one to be given: the i-th from the end.

    Args:
      alignment_BML: sequences of one length n, with EOS as the last of L = M = n + 1 positions.
    """
    n = alignment_BML.shape[1] - 1
    looked_at = alignment_BML[:, :n].argmax(-1)
    return float((looked_at == torch.arange(n - 1, -1, -1, device=looked_at.device)).float().mean())


def measure_reversal(system: EncoderDecoder, task: Reversal) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """Decode each of the task's test sets, with no previous word given.

    Returns:
      `exact` and `symbols_right` by length (see the task's score); with attention `backwards` at the longest length of
      training, and the alignment of one such sequence.
    """
    system.eval()
    numbers: dict[str, Any] = {"exact": {}, "symbols_right": {}}
    arrays: dict[str, NDArray[np.float32]] = {}
    with torch.inference_mode():
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
                arrays["alignment"] = alignment_BML[0].cpu().numpy()
    return numbers, arrays
