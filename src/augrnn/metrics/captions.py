"""The table of captioning: BLEU-1 to BLEU-4, METEOR (exact), ROUGE-L and CIDEr-D, beside people and a constant caption.

Text is in words, treated before as `augrnn.captions.words` says; the signature of a metric names how. BLEU is in
percent; METEOR and ROUGE-L are from 0 to 1 and CIDEr-D from 0 to 10, as they are published.
"""

# N = images, K = numbers of each image

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import sacrebleu
from numpy.typing import NDArray

from augrnn.errors import UserError
from augrnn.metrics.bleu import Words, all_short, bleu_of, bleu_signature, multiple_bleu_statistics
from augrnn.metrics.cider import ORDERS, SIGMA, CiderD, Gram, grams
from augrnn.metrics.meteor import meteor_exact
from augrnn.metrics.rouge import BETA, rouge_l

CONFIDENCE = 0.95

Statistics = NDArray[np.int64] | NDArray[np.float64]


class CaptionScores(NamedTuple):
    """What each image adds to the metrics of a corpus.

    Attributes:
      bleu_N10: see `augrnn.metrics.bleu.bleu_statistics`.
      meteor_N, rouge_N, cider_N: the scores of the images.
      short: whether no reference of the split has four words; see `augrnn.metrics.bleu.bleu_of`.
    """

    bleu_N10: NDArray[np.int64]
    meteor_N: NDArray[np.float64]
    rouge_N: NDArray[np.float64]
    cider_N: NDArray[np.float64]
    short: bool

    def table(self) -> dict[str, float]:
        """All metrics of the corpus, all 0 where there is no image.

        They are `bleu1` to `bleu4`, the same with `_no_penalty`, `meteor_exact`, `rouge_l` and `cider_d`.
        """
        bleu = {f"bleu{order}": bleu_of(self.bleu_N10, order, True, self.short) for order in ORDERS}
        bare = {f"bleu{order}_no_penalty": bleu_of(self.bleu_N10, order, False, self.short) for order in ORDERS}
        means = {"meteor_exact": self.meteor_N, "rouge_l": self.rouge_N, "cider_d": self.cider_N}
        return bleu | bare | {name: float(each.mean()) if len(each) else 0.0 for name, each in means.items()}


class CaptionMetrics:
    """The metrics against the references of a split; CIDEr-D's document frequencies are those of the whole split.

    Args:
      references: the captions of each image, in words; as many as it has, and at least one.
      treatment: how text was cut into words, for signatures: "case:lower|punctuation:kept|tok:spaces".
    """

    def __init__(self, references: Sequence[Words], treatment: str) -> None:
        self.references, self.treatment = references, treatment
        if bare := [number for number, several in enumerate(references) if not any(several)]:
            raise UserError(f"image {bare[0] + 1} has no caption to compare with: leave it out")

    @cached_property
    def _cider(self) -> CiderD:
        return CiderD(self.references)

    def scores(self, captions: Words, images: Sequence[int] | None = None) -> CaptionScores:
        """What each caption scores.

        Args:
          captions: in words; one without any scores 0.
          images: for each the number of its image; 0, 1, 2 ... when None.
        """
        numbers = range(len(captions)) if images is None else images
        references = [self.references[number] for number in numbers]
        pairs = list(zip(captions, references, strict=True))
        return CaptionScores(
            multiple_bleu_statistics(captions, references),
            np.array([meteor_exact(*pair) for pair in pairs], dtype=np.float64),
            np.array([rouge_l(*pair) for pair in pairs], dtype=np.float64),
            self._cider.scores(captions, numbers),
            all_short(self.references),
        )

    def signatures(self) -> dict[str, str]:
        """What each metric is, by its name in `CaptionScores.table`."""
        counts = sorted({len(several) for several in self.references}) or [0]
        number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"
        text = f"nrefs:{number}|{self.treatment}"
        longest = [max(several, key=len) for several in self.references]
        smooth = {"smooth", "eff"}
        parts = [part for part in bleu_signature(longest).split("|") if part.split(":")[0] in smooth]
        bleu = "|".join([text, *parts, f"sacrebleu:{sacrebleu.__version__}"])
        own = {
            "meteor_exact": f"{text}|matches:exact|formula:2005",
            "rouge_l": f"{text}|beta:{BETA}",
            "cider_d": f"{text}|n:4|sigma:{SIGMA:g}|df:references of these {len(self.references)} images",
        }
        with_penalty = {f"bleu{order}": f"{bleu}|bp:closest" for order in ORDERS}
        without = {f"bleu{order}_no_penalty": f"{bleu}|bp:none" for order in ORDERS}
        return with_penalty | without | own


# Rows beside every table ---------------------------------------------------------------------------------------------


def human_row(references: Sequence[Words], treatment: str) -> dict[str, float]:
    """What people score: each reference against the others of its image, which are one fewer than a model has.

    The means over the places of the reference that is judged; all zero where no image has two captions.
    """
    several = [each for each in references if len(each) > 1]
    rows = []
    for place in range(max(map(len, several), default=0)):
        chosen = [each for each in several if len(each) > place]
        others = [[words for number, words in enumerate(each) if number != place] for each in chosen]
        rows.append(CaptionMetrics(others, treatment).scores([each[place] for each in chosen]).table())
    if not rows:
        return CaptionMetrics([], treatment).scores([]).table()
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def constant_caption(candidates: Words, references: Sequence[Words]) -> list[str]:
    """The one caption with the best BLEU-4 if every image had it; the first of several that are as good.

    Choose it on images to train or validate on, and score it on others.

    Args:
      candidates: captions to choose from, in words, at least one.
      references: the captions of each image.
    """
    table = _ConstantBleu(references)
    different = list({tuple(words): None for words in candidates})
    best = max(different, key=table.bleu)
    return list(best)


class _ConstantBleu:
    """BLEU-4 of one caption for all images, from tables over all references, so that many can be tried."""

    def __init__(self, references: Sequence[Words]) -> None:
        self.images, self.short = len(references), all_short(references)
        # matched[gram][k - 1]: how many images have the n-gram at least k times in some reference
        self.matched: dict[Gram, list[int]] = {}
        for several in references:
            most: Counter[Gram] = Counter()
            for words in several:
                for order in ORDERS:
                    most |= grams(words, order)
            for gram, count in most.items():
                row = self.matched.setdefault(gram, [])
                row += [0] * (count - len(row))
                for place in range(count):
                    row[place] += 1
        self.lengths = [sorted({len(words) for words in several}) for several in references]
        self.nearest: dict[int, int] = {}

    def bleu(self, words: Sequence[str]) -> float:
        length = len(words)
        if length not in self.nearest:
            self.nearest[length] = sum(min(each, key=lambda size: (abs(size - length), size)) for each in self.lengths)
        counted = [grams(words, order) for order in ORDERS]
        correct = [sum(sum(self.matched.get(g, ())[:count]) for g, count in each.items()) for each in counted]
        total = [self.images * sum(each.values()) for each in counted]
        row = [*correct, *total, self.images * length, self.nearest[length]]
        return bleu_of(np.array([row], dtype=np.int64), effective_order=self.short)


# Differences ---------------------------------------------------------------------------------------------------------


class Difference(NamedTuple):
    """The difference between two models in a metric, first minus second, and its 95 % interval."""

    value: float
    low: float
    high: float


def paired_bootstrap(
    first_NK: Statistics,
    second_NK: Statistics,
    metric: Callable[[Statistics], float],
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """The difference between two models on the same images, over samples of the images (Koehn 2004).

    CIDEr-D's document frequencies stay those of the whole split.

    Args:
      first_NK: what each image adds to the metric with the first model.
      second_NK: the same with the second; row i of both is of one image.
      metric: from the rows of a sample to the metric: `bleu_of`, or the mean.
      resamples: samples of as many images, drawn with replacement.
      seed: names the samples.
    """
    if len(first_NK) != len(second_NK) or not len(first_NK):
        raise UserError(f"a paired bootstrap needs the same images twice, not {len(first_NK)} and {len(second_NK)}")
    draws = np.random.default_rng(seed).integers(len(first_NK), size=(resamples, len(first_NK)))
    differences = [metric(first_NK[chosen]) - metric(second_NK[chosen]) for chosen in draws]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return Difference(metric(first_NK) - metric(second_NK), float(low), float(high))
