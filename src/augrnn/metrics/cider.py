"""CIDEr-D (Vedantam, Zitnick and Parikh 2015, section 6): how much a caption shares of what its references agree on."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augrnn.metrics.bleu import Words

ORDERS = (1, 2, 3, 4)
"""The n-grams that count, each order as much as any other."""

SIGMA = 6.0
"""Width of the penalty on lengths, in words."""

SCALE = 10.0
"""What the mean cosine is multiplied with."""

Gram = tuple[str, ...]


def grams(words: Sequence[str], order: int) -> Counter[Gram]:
    """How often each n-gram of an order stands in a text."""
    return Counter(tuple(words[start : start + order]) for start in range(len(words) - order + 1))


class DocumentFrequencies:
    """In how many images each n-gram stands: of an image, in any of its references.

    Args:
      references: the captions of each image, in words.
    """

    def __init__(self, references: Sequence[Words]) -> None:
        self.images = len(references)
        self.counts: Counter[Gram] = Counter()
        for several in references:
            self.counts.update({gram for words in several for order in ORDERS for gram in grams(words, order)})

    def inverse(self, gram: Gram) -> float:
        """The logarithm of all images over those that have the n-gram; over one where none has it."""
        return math.log(max(1, self.images)) - math.log(max(1, self.counts[gram]))


class _Vectors(NamedTuple):
    """A caption: the weights of its n-grams and their norm, for each order, and its length in words."""

    weights: tuple[dict[Gram, float], ...]
    norms: tuple[float, ...]
    length: int


class CiderD:
    """Captions of images against these references.

    The mean over orders 1 to 4 and over the references of a cosine: weights are count x inverse document frequency,
    those of the caption cut to the reference's, times a Gaussian penalty on the difference in length. A caption that is
    all that its references are has 10, or 2.5, 5 and 7.5 with one, two and three words, for want of longer n-grams.
    Where an n-gram stands with every image it weighs nothing, so that a set of one image, or in which all have the same
    captions, has 0 throughout; frequencies of a larger set mend that.

    Args:
      references: the captions of each image, in words; as many as it has.
      frequencies: of other references; of these when None.
    """

    def __init__(self, references: Sequence[Words], frequencies: DocumentFrequencies | None = None) -> None:
        self.frequencies = frequencies or DocumentFrequencies(references)
        self._references = [[self._vectors(words) for words in several] for several in references]

    def scores(self, captions: Words, images: Sequence[int] | None = None) -> NDArray[np.float64]:
        """The score of each caption, (N,), 0 to 10; the score of a corpus is their mean.

        Args:
          captions: in words.
          images: for each caption the number of its image; 0, 1, 2 ... when None.
        """
        numbers = range(len(captions)) if images is None else images
        pairs = zip(captions, numbers, strict=True)
        return np.array([self._score(words, self._references[number]) for words, number in pairs])

    def _vectors(self, words: Sequence[str]) -> _Vectors:
        weights = tuple(
            {gram: count * self.frequencies.inverse(gram) for gram, count in grams(words, order).items()}
            for order in ORDERS
        )
        norms = tuple(math.sqrt(sum(weight * weight for weight in each.values())) for each in weights)
        return _Vectors(weights, norms, len(words))

    def _score(self, words: Sequence[str], references: Sequence[_Vectors]) -> float:
        caption = self._vectors(words)
        total = sum(_similarity(caption, reference) for reference in references)
        return SCALE * total / len(references) if references else 0.0


def _similarity(caption: _Vectors, reference: _Vectors) -> float:
    total = 0.0
    for ours, theirs, norm, other in zip(
        caption.weights, reference.weights, caption.norms, reference.norms, strict=True
    ):
        if norm and other:
            shared = ours.keys() & theirs.keys()
            total += sum(min(ours[gram], theirs[gram]) * theirs[gram] for gram in shared) / (norm * other)
    penalty = math.exp(-((caption.length - reference.length) ** 2) / (2 * SIGMA**2))
    return penalty * total / len(ORDERS)
