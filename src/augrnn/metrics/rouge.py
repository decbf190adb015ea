"""ROUGE-L (Lin 2004), with several references as the COCO caption server has it (Chen et al. 2015)."""

from collections.abc import Sequence

from augrnn.metrics.bleu import Words

BETA = 1.2
"""How many times as much as precision recall weighs."""


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    best = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = best[place]
            best[place] = diagonal + 1 if word == other else max(above, best[place - 1])
            diagonal = above
    return best[-1]


def rouge_l(caption: Sequence[str], references: Words) -> float:
    """F of the longest common subsequence, 0 to 1; the best precision and the best recall, of any two references.

    Words are taken as they are, in any script. The score of a corpus is the mean over its images.
    """
    found = [(common_subsequence(caption, each), len(each)) for each in references if each]
    if not caption or not any(length for length, _ in found):
        return 0.0
    precision = max(length for length, _ in found) / len(caption)
    recall = max(length / size for length, size in found)
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)
