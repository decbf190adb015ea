"""Corpus BLEU (Papineni, Roukos, Ward and Zhu 2002) of text that is already in tokens, by sacrebleu."""

# N = sentences

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU, MAX_NGRAM_ORDER

# The tokens are taken as they are, so that the number equals multi-bleu's on the same text.
_METRIC = BLEU(tokenize="none", force=True)

Words = Sequence[Sequence[str]]


def bleu_statistics(hypotheses: Words, references: Words) -> NDArray[np.int64]:
    """What corpus BLEU is made of, (N, 10): matches and totals of the n-grams 1 to 4, then the two lengths in tokens.

    Rows of any sample of the sentences may be summed, which is what buckets and bootstraps do.
    """
    rows = []
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        score = _METRIC.corpus_score([" ".join(hypothesis)], [[" ".join(reference)]])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])
    return np.array(rows, dtype=np.int64).reshape(len(rows), 2 * MAX_NGRAM_ORDER + 2)


def bleu_of(statistics_N10: NDArray[np.int64]) -> float:
    """BLEU in percent of the sentences that these statistics are of; 0 for none."""
    if not len(statistics_N10):
        return 0.0
    *counts, hypothesis_length, reference_length = (int(total) for total in statistics_N10.sum(axis=0))
    correct, total = counts[:MAX_NGRAM_ORDER], counts[MAX_NGRAM_ORDER:]
    return BLEU.compute_bleu(correct, total, hypothesis_length, reference_length, smooth_method="exp").score


def corpus_bleu(hypotheses: Words, references: Words) -> float:
    """BLEU in percent of token lists against one reference each; 0 for no sentences."""
    return bleu_of(bleu_statistics(hypotheses, references))


def bleu_signature() -> str:
    """What the numbers of this file are: sacrebleu's signature."""
    metric = BLEU(tokenize="none", force=True)
    metric.corpus_score(["a"], [["a"]])
    return str(metric.get_signature())
