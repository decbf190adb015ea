"""Corpus BLEU (Papineni, Roukos, Ward and Zhu 2002) of text that is already in words, by sacrebleu.

Words are taken as they are ("none"), so that the number equals multi-bleu's on the same text; another of sacrebleu's
tokenizers ("zh", "char") cuts them into characters. Where no reference has four words, n-grams that they are too short
for do not count (sacrebleu's `effective_order`): perfect sentences would have 0 otherwise.
"""

# N = sentences

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU, MAX_NGRAM_ORDER


@cache
def _metric(tokenize: str) -> BLEU:
    return BLEU(tokenize=tokenize, force=True)


def _short(statistics_N10: NDArray[np.int64]) -> bool:
    return bool(statistics_N10[:, -1].max(initial=0) < MAX_NGRAM_ORDER)


Words = Sequence[Sequence[str]]


def bleu_statistics(hypotheses: Words, references: Words, tokenize: str = "none") -> NDArray[np.int64]:
    """What corpus BLEU is made of, (N, 10): matches and totals of the n-grams 1 to 4, then the two lengths in tokens.

    Rows of any sample of the sentences may be summed, which is what buckets and bootstraps do.
    """
    rows, metric = [], _metric(tokenize)
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        score = metric.corpus_score([" ".join(hypothesis)], [[" ".join(reference)]])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])
    return np.array(rows, dtype=np.int64).reshape(len(rows), 2 * MAX_NGRAM_ORDER + 2)


def bleu_of(statistics_N10: NDArray[np.int64]) -> float:
    """BLEU in percent of the sentences that these statistics are of; 0 for none."""
    if not len(statistics_N10):
        return 0.0
    *counts, hypothesis_length, reference_length = (int(total) for total in statistics_N10.sum(axis=0))
    correct, total = counts[:MAX_NGRAM_ORDER], counts[MAX_NGRAM_ORDER:]
    short = _short(statistics_N10)
    return BLEU.compute_bleu(
        correct, total, hypothesis_length, reference_length, smooth_method="exp", effective_order=short
    ).score


def corpus_bleu(hypotheses: Words, references: Words, tokenize: str = "none") -> float:
    """BLEU in percent of word lists against one reference each; 0 for no sentences."""
    return bleu_of(bleu_statistics(hypotheses, references, tokenize))


def bleu_signature(references: Words, tokenize: str = "none") -> str:
    """What BLEU against these references is: sacrebleu's signature."""
    short = _short(bleu_statistics(references, references, tokenize))
    metric = BLEU(tokenize=tokenize, force=True, effective_order=short)
    metric.corpus_score(["a"], [["a"]])
    return str(metric.get_signature())
