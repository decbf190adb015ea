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


def all_short(references: Sequence[Words]) -> bool:
    """Whether no reference of any sentence has four words."""
    return all(len(words) < MAX_NGRAM_ORDER for several in references for words in several)


def bleu_statistics(hypotheses: Words, references: Words, tokenize: str = "none") -> NDArray[np.int64]:
    """What corpus BLEU is made of, (N, 10): matches and totals of the n-grams 1 to 4, then the two lengths in tokens.

    Rows of any sample of the sentences may be summed, which is what buckets and bootstraps do.
    """
    return multiple_bleu_statistics(hypotheses, [[each] for each in references], tokenize)


def multiple_bleu_statistics(
    hypotheses: Words, references: Sequence[Words], tokenize: str = "none"
) -> NDArray[np.int64]:
    """The same with several references of each hypothesis, as many as it has.

    An n-gram matches as often as the reference that has it most often has it; the length is that of the reference
    nearest in length, the shorter of two. Each sentence is scored alone: sacrebleu cuts lists of unequal length.
    """
    rows, metric = [], _metric(tokenize)
    for hypothesis, several in zip(hypotheses, references, strict=True):
        score = metric.corpus_score([" ".join(hypothesis)], [[" ".join(each)] for each in several])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])
    return np.array(rows, dtype=np.int64).reshape(len(rows), 2 * MAX_NGRAM_ORDER + 2)


def bleu_of(
    statistics_N10: NDArray[np.int64],
    order: int = MAX_NGRAM_ORDER,
    penalised: bool = True,
    effective_order: bool | None = None,
) -> float:
    """BLEU in percent of the sentences that these statistics are of; 0 for none.

    Args:
      statistics_N10: see `bleu_statistics`.
      order: the longest n-grams that count, 1 to 4: BLEU-1 to BLEU-4.
      penalised: False leaves out the brevity penalty, as captioning papers up to 2015 did.
      effective_order: whether n-grams that no caption is long enough for do not count. When None, where no reference
        has four words, of several that nearest in length; say it where others are longer.
    """
    if not len(statistics_N10):
        return 0.0
    *counts, hypothesis_length, reference_length = (int(total) for total in statistics_N10.sum(axis=0))
    correct, total = counts[:MAX_NGRAM_ORDER], counts[MAX_NGRAM_ORDER:]
    return BLEU.compute_bleu(
        correct[:order],
        total[:order],
        hypothesis_length,
        reference_length if penalised else min(reference_length, hypothesis_length),
        smooth_method="exp",
        effective_order=_short(statistics_N10) if effective_order is None else effective_order,
        max_ngram_order=order,
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
