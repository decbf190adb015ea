"""What an alignment is like: how sharp, how monotone, and whether it crosses where two languages differ in order.

All functions take one sentence's weights: rows are target words, columns source words, each row a distribution. Both
keep their end-of-sentence word, as the figures of Bahdanau et al. 2014 and of Olah and Carter 2016 do.
"""

# M = target words, L = source words, m = target subwords, l = source subwords

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

Weights = NDArray[np.floating]

Link = tuple[int, int]
"""A target word and a source word, as numbers in their sentences."""


def word_weights(weights_ml: Weights, target_word_of: Sequence[int], source_word_of: Sequence[int]) -> Weights:
    """Weights between words from weights between their subwords.

    A source word has the sum of its subwords' weights, since attending to it is attending to any part of it. A target
    word has the mean of its subwords' rows, since each of them is one act of looking; so rows still sum to one.

    Args:
      weights_ml: one row a target subword.
      target_word_of: for each row the number of its word; words are numbered from 0 in order.
      source_word_of: the same for each column.

    Returns:
      (M, L), one row a target word.
    """
    return _members(target_word_of, mean=True) @ np.asarray(weights_ml) @ _members(source_word_of).T


def _members(word_of: Sequence[int], mean: bool = False) -> Weights:
    members = np.arange(max(word_of) + 1)[:, None] == np.asarray(word_of)
    return members / members.sum(1, keepdims=True) if mean else members.astype(float)


def largest_weight(weights_ML: Weights) -> float:
    """The mean over target words of the largest weight; 1 is an attention that always looks at one word."""
    return float(weights_ML.max(axis=1).mean())


def normalised_entropy(weights_ML: Weights) -> float:
    """The mean over target words of the weights' entropy over its greatest, log L: 0 is one word, 1 is uniform."""
    rows, columns = weights_ML.shape
    if columns == 1:
        return 0.0
    logs_ML = np.log(weights_ML, out=np.zeros_like(weights_ML, dtype=float), where=weights_ML > 0)
    return float(-(weights_ML * logs_ML).sum() / rows / np.log(columns))


def monotone_steps(weights_ML: Weights) -> float:
    """The share of steps from a target word to the next in which the most attended source word does not go back.

    1 for a single word, which takes no step.
    """
    steps = np.diff(weights_ML.argmax(axis=1))
    return float((steps >= 0).mean()) if len(steps) else 1.0


def kendall_tau(weights_ML: Weights) -> float:
    """Kendall's tau-b between the target words' order and that of the source words most attended to: 1 is monotone.

    0 where all look at the same source word, so that there is no order.
    """
    positions = weights_ML.argmax(axis=1)
    if len(set(positions.tolist())) < 2:
        return 0.0
    return float(kendalltau(np.arange(len(positions)), positions).statistic)


def shape_of(sentences: Iterable[Weights]) -> dict[str, float]:
    """The four statistics above, each averaged over sentences."""
    kinds = {
        "monotone_steps": monotone_steps,
        "kendall_tau": kendall_tau,
        "largest_weight": largest_weight,
        "normalised_entropy": normalised_entropy,
    }
    values = [[kind(weights_ML) for kind in kinds.values()] for weights_ML in sentences]
    return dict(zip(kinds, np.mean(values, axis=0).tolist(), strict=True))


# Colours and nouns: English says "red shirt", French "chemise rouge" -------------------------------------------------

COLOURS = {
    "black": "noir noire noirs noires",
    "blue": "bleu bleue bleus bleues",
    "brown": "marron marrons brun brune bruns brunes",
    "gray": "gris grise grises",
    "green": "vert verte verts vertes",
    "orange": "orange oranges",
    "pink": "rose roses",
    "purple": "violet violette violets violettes mauve mauves",
    "red": "rouge rouges",
    "tan": "beige beiges",
    "white": "blanc blanche blancs blanches",
    "yellow": "jaune jaunes",
}
"""The twelve commonest English colours of Multi30k's training split (it spells "gray" only), and their French forms."""

NOUNS = {
    "ball": "balle ballon boule",
    "car": "voiture",
    "coat": "manteau veste blouse blouson",
    "dog": "chien",
    "dress": "robe",
    "hat": "chapeau casquette bonnet béret",
    "helmet": "casque",
    "jacket": "veste blouson manteau gilet",
    "outfit": "tenue costume ensemble",
    "pants": "pantalon pantalons",
    "shirt": "t-shirt chemise maillot polo chemisier haut",
    "shorts": "short shorts",
    "suit": "costume combinaison tenue",
    "sweater": "sweat pull chandail",
    "t-shirt": "t-shirt",
    "umbrella": "parapluie parasol ombrelle",
    "uniform": "uniforme tenue maillot",
    "vest": "gilet veste",
}
"""The eighteen commonest English nouns behind a colour there (one thing in one word), and their French forms."""


class ColourNoun(NamedTuple):
    """Where a sentence pair has a colour and its noun, as numbers of words."""

    source_colour: int
    source_noun: int
    target_colour: int
    target_noun: int


def colour_nouns(english: Sequence[str], french: Sequence[str]) -> Iterator[ColourNoun]:
    """The colours directly before a noun whose translations can be told without doubt.

    Both English words and one form of each in French must occur exactly once. No order is asked of the French.
    """
    for colour, (first, second) in enumerate(pairwise(english)):
        if first not in COLOURS or second not in NOUNS or english.count(first) > 1 or english.count(second) > 1:
            continue
        colours = [i for i, word in enumerate(french) if word in COLOURS[first].split()]
        nouns = [i for i, word in enumerate(french) if word in NOUNS[second].split()]
        if len(colours) == len(nouns) == 1:
            yield ColourNoun(colour, colour + 1, colours[0], nouns[0])


class Looks(NamedTuple):
    """Whether attention looks where a pair of colour and noun says, at the largest weight of each row.

    Attributes:
      noun: the French noun looks at the English noun.
      colour: the French colour looks at the English colour.
      crossing: the French noun, which comes first, looks further right than the French colour.
    """

    noun: bool
    colour: bool
    crossing: bool


def looks(weights_ML: Weights, pair: ColourNoun, shift: int = 0) -> Looks:
    """Judge one pair.

    Args:
      weights_ML: the alignment of the sentence pair (English in the columns).
      pair: where its colour and noun are.
      shift: read the rows of this many target words later. Attention that is right by one step off is a known mistake,
        of which only the shifted numbers tell; beyond the edges the outermost row is read.
    """
    last = len(weights_ML) - 1
    at_noun, at_colour = (
        int(weights_ML[min(max(row + shift, 0), last)].argmax()) for row in (pair.target_noun, pair.target_colour)
    )
    return Looks(at_noun == pair.source_noun, at_colour == pair.source_colour, at_noun > at_colour)


# Articles: "the" says nothing of the next word, French "le", "la", "les" and "l'" do ---------------------------------

DETERMINERS = {
    "elided": {"l'": "the"},
    "full": {"le": "the", "la": "the", "les": "the"},
    "numeral": {"deux": "two", "trois": "three", "quatre": "four", "cinq": "five", "six": "six"},
}
"""French determiners and the English ones they translate. Those of the first two kinds take the form that the next word
asks for; numerals, the control, stand in the same place and have one form."""


class Determiner(NamedTuple):
    """Where a sentence pair has a determiner directly before a noun (or its adjective), as numbers of words.

    Attributes:
      kind: a key of `DETERMINERS`.
      source: the English determiner; the next word is its noun.
      target: the French determiner.
    """

    kind: str
    source: int
    target: int


def determiners(english: Sequence[str], french: Sequence[str], links: Collection[Link]) -> Iterator[Determiner]:
    """The determiners that can be told without doubt: both stand directly before a word, and these two are linked.

    The links, French word first, should be sure ones. The determiners' own link is not asked for.
    """
    for target, source in sorted(links):
        for kind, forms in DETERMINERS.items():
            if target and source and forms.get(french[target - 1]) == english[source - 1]:
                yield Determiner(kind, source - 1, target - 1)


class Glance(NamedTuple):
    """Where attention is when a French determiner is written.

    Attributes:
      determiner: the weight of the English determiner.
      noun: the weight of the word after it.
      both: these two have the largest weights. It says little alone, since a sharp attention's second weight is small.
    """

    determiner: float
    noun: float
    both: bool


def glance(weights_ML: Weights, place: Determiner) -> Glance:
    """The observation of Bahdanau et al. 2014, section 5.2.1, on one determiner.

    A hard alignment sends [l'] to [the], which does not tell it from [le], [la] and [les]; a soft one can look at [man]
    as well (Fig. 3 d, [the man] to [l' homme]).
    """
    row, noun = weights_ML[place.target], place.source + 1
    both = set(row.argsort()[-2:].tolist()) == {place.source, noun}
    return Glance(float(row[place.source]), float(row[noun]), both)
