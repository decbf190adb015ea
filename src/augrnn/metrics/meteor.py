"""METEOR with exact matches only: no stems, no synonyms, no paraphrases, so that it needs no Java and no word lists.

The score is that of Banerjee and Lavie 2005, its first module alone. It is not comparable with numbers of the Java
program (1.5), which has other weights and matches more; its name here is `meteor_exact`.
"""

from collections import Counter
from collections.abc import Sequence

from augrnn.metrics.bleu import Words

RECALL, GAMMA, POWER = 9.0, 0.5, 3.0
"""Weight of recall in the mean, and the penalty's largest value and its exponent."""

KEPT = 200
"""Alignments in part that a search keeps: more than captions ever need."""


def meteor_exact(caption: Sequence[str], references: Words) -> float:
    """The score of a caption, 0 to 1, by the reference that fits it best; of a corpus, their mean over images.

    F = 10 P R / (R + 9 P), times 1 - .5 (chunks / matches)^3.
    """
    return max((_against(caption, reference) for reference in references), default=0.0)


def _against(caption: Sequence[str], reference: Sequence[str]) -> float:
    matches = sum((Counter(caption) & Counter(reference)).values())
    if not matches:
        return 0.0
    precision, recall = matches / len(caption), matches / len(reference)
    mean = (1 + RECALL) * precision * recall / (recall + RECALL * precision)
    return mean * (1 - GAMMA * (fewest_chunks(caption, reference) / matches) ** POWER)


def fewest_chunks(caption: Sequence[str], reference: Sequence[str]) -> int:
    """In how few runs of words that are neighbours in both texts all the words that match can be aligned.

    A search from left to right. A state is the place in the reference of the word before, -2 where it is not matched,
    and the places that are taken. Where words repeat so often that there are more than `KEPT`, those of the fewest
    chunks go on, and the result may be larger than the least.
    """
    shared = Counter(caption) & Counter(reference)
    places: dict[str, list[int]] = {}
    for place, word in enumerate(reference):
        places.setdefault(word, []).append(place)
    left = Counter(caption)  # of each word how many are still to come, this one included
    states = {(-2, 0): 0}
    for word in caption:
        spots = places.get(word, ())
        reached: dict[tuple[int, int], int] = {}
        for (before, taken), chunks in states.items():
            used = sum(taken >> spot & 1 for spot in spots)
            steps = [(spot, chunks + (spot != before + 1)) for spot in spots if not taken >> spot & 1]
            for spot, count in steps if used < shared[word] else ():
                state = spot, taken | 1 << spot
                reached[state] = min(count, reached.get(state, count))
            if left[word] > shared[word] - used:  # enough of this word are still to come
                state = -2, taken
                reached[state] = min(chunks, reached.get(state, chunks))
        left[word] -= 1
        if len(reached) > KEPT:
            reached = dict(sorted(reached.items(), key=lambda item: item[1])[:KEPT])
        states = reached
    return min(states.values())
