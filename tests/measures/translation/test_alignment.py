"""Statistics of alignments: hand-made matrices, naive oracles, and the real colours and nouns."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augrnn.measures.translation.alignment import (
    COLOURS,
    NOUNS,
    ColourNoun,
    Determiner,
    Glance,
    Looks,
    Weights,
    colour_nouns,
    determiners,
    glance,
    kendall_tau,
    largest_weight,
    looks,
    monotone_steps,
    normalised_entropy,
    shape_of,
    word_weights,
)
from augrnn.tasks.translation import Translation

UNIFORM = np.full((4, 5), 0.2)


def at(*positions: int, columns: int = 6) -> Weights:
    """All weight on these source words, one a target word."""
    return np.eye(columns)[list(positions)]


def distributions(rows: int, columns: int) -> st.SearchStrategy[Weights]:
    raw = arrays(float, (rows, columns), elements=st.floats(0.001, 1))
    return raw.map(lambda weights: weights / weights.sum(1, keepdims=True))


def test_a_monotone_alignment() -> None:
    assert shape_of([at(0, 1, 1, 3, 5)]) == pytest.approx(
        {"monotone_steps": 1, "kendall_tau": math.sqrt(9 / 10), "largest_weight": 1, "normalised_entropy": 0}
    )


def test_no_alignment_at_all() -> None:
    shape = shape_of([UNIFORM])
    assert shape["normalised_entropy"] == pytest.approx(1)
    assert shape["largest_weight"] == pytest.approx(0.2)
    assert shape["kendall_tau"] == 0


@pytest.mark.parametrize(
    ("positions", "share", "tau"),
    [((4, 3, 2, 1), 0, -1), ((0, 2, 1, 3), 2 / 3, 4 / 6), ((0, 1, 2, 3), 1, 1), ((2, 2, 2), 1, 0), ((3,), 1, 0)],
)
def test_going_back(positions: tuple[int, ...], share: float, tau: float) -> None:
    assert monotone_steps(at(*positions)) == pytest.approx(share)
    assert kendall_tau(at(*positions)) == pytest.approx(tau)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8).filter(lambda positions: len(set(positions)) > 1))
def test_kendall_tau_is_that_of_a_count_of_pairs(positions: list[int]) -> None:
    signs = [np.sign(later - earlier) for earlier, later in itertools.combinations(positions, 2)]
    untied = sum(sign != 0 for sign in signs)
    assert kendall_tau(at(*positions)) == pytest.approx(sum(signs) / math.sqrt(len(signs) * untied))


@given(distributions(3, 4))
def test_entropy_and_largest_weight_stay_in_their_ranges(weights: Weights) -> None:
    naive = -sum(w * math.log(w) for w in weights.flatten()) / 3 / math.log(4)
    assert normalised_entropy(weights) == pytest.approx(naive)
    assert 0 <= normalised_entropy(weights) <= 1 + 1e-9
    assert 0.25 <= largest_weight(weights) <= 1


def test_one_source_word_leaves_no_doubt() -> None:
    assert normalised_entropy(np.ones((3, 1))) == 0


def test_sentences_count_alike() -> None:
    shape = shape_of([at(0, 1), at(5, 4, 3, 2, 1, 0)])
    assert shape["monotone_steps"] == pytest.approx(0.5)


def test_words_sum_over_source_subwords_and_average_over_target_subwords() -> None:
    weights = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.0, 0.0, 1.0]])
    words = word_weights(weights, [0, 0, 1], [0, 0, 1])
    assert words == pytest.approx(np.array([[0.45, 0.55], [0.0, 1.0]]))


@given(distributions(4, 5), st.integers(1, 4), st.integers(1, 5))
def test_words_rows_are_distributions(weights: Weights, target_words: int, source_words: int) -> None:
    target = [min(i, target_words - 1) for i in range(4)]
    source = [min(i, source_words - 1) for i in range(5)]
    words = word_weights(weights, target, source)
    assert words.shape == (target_words, source_words)
    assert words.sum(1) == pytest.approx(np.ones(target_words))


ENGLISH = ["a", "man", "in", "a", "red", "shirt", "walks"]
FRENCH = ["un", "homme", "en", "chemise", "rouge", "marche"]
PAIR = ColourNoun(source_colour=4, source_noun=5, target_colour=4, target_noun=3)


def test_a_colour_and_its_noun_are_found() -> None:
    assert list(colour_nouns(ENGLISH, FRENCH)) == [PAIR]
    assert list(colour_nouns(ENGLISH, ["un", "homme", "en", "rouge", "chemise"])) == [ColourNoun(4, 5, 3, 4)]


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("a red and blue shirt", "une chemise rouge"),
        ("a red shirt and a red hat", "une chemise rouge et un chapeau"),
        ("a red shirt and a blue shirt", "une chemise rouge et autre"),
        ("a red shirt", "une chemise rouge et un chapeau rouge"),
        ("a red shirt", "une chemise et un maillot rouge"),
        ("a red shirt", "une chemise bleue"),
        ("a red shirt", "un objet rouge"),
        ("a red", "un rouge"),
    ],
)
def test_what_is_not_adjacent_or_not_sure_is_left_out(english: str, french: str) -> None:
    assert list(colour_nouns(english.split(), french.split())) == []


def test_looking_where_the_words_are() -> None:
    right = at(0, 1, 2, 5, 4, 6, columns=8)
    assert looks(right, PAIR) == Looks(noun=True, colour=True, crossing=True)
    assert looks(at(0, 1, 2, 4, 5, 6, columns=8), PAIR) == Looks(noun=False, colour=False, crossing=False)
    assert looks(at(0, 1, 2, 6, 4, 6, columns=8), PAIR) == Looks(noun=False, colour=True, crossing=True)
    assert looks(at(0, 1, 2, 5, 5, 6, columns=8), PAIR) == Looks(noun=True, colour=False, crossing=False)


def test_attention_that_is_one_step_off_shows_when_shifted() -> None:
    late = at(0, 0, 1, 2, 5, 4, 6, columns=8)
    assert looks(late, PAIR) == Looks(noun=False, colour=False, crossing=False)
    assert looks(late, PAIR, shift=1) == Looks(noun=True, colour=True, crossing=True)
    early = at(1, 2, 5, 4, 6, columns=8)
    assert looks(early, PAIR, shift=-1) == Looks(noun=True, colour=True, crossing=True)


def test_the_edges_are_read_where_a_shift_goes_beyond() -> None:
    pair = ColourNoun(source_colour=0, source_noun=1, target_colour=1, target_noun=0)
    assert looks(at(1, 0), pair, shift=-1) == Looks(noun=True, colour=False, crossing=False)
    assert looks(at(1, 0), pair, shift=1) == Looks(noun=False, colour=True, crossing=False)


@pytest.mark.data
def test_in_french_the_noun_comes_first(data_root: Path, tmp_path: Path) -> None:
    assert (len(COLOURS), len(NOUNS)) == (12, 18)
    task = Translation(directory=data_root / "multi30k", cache=tmp_path)
    for split, found, noun_first in (("train", 3761, 3759), ("val", 140, 140), ("test_2016_flickr", 151, 151)):
        source, target = task._words(split)
        pairs = [pair for words in zip(source, target, strict=True) for pair in colour_nouns(*words)]
        assert len(pairs) == found
        assert sum(pair.target_noun < pair.target_colour for pair in pairs) == noun_first


THE = ["the", "man", "pushes", "two", "cars", "in", "the", "snow"]
LE = ["l'", "homme", "pousse", "deux", "voitures", "dans", "la", "neige"]


def test_determiners_stand_before_words_that_are_linked() -> None:
    diagonal = {(i, i) for i in range(8)}
    three = [Determiner("elided", 0, 0), Determiner("numeral", 3, 3), Determiner("full", 6, 6)]
    assert list(determiners(THE, LE, diagonal)) == three
    assert list(determiners(THE, LE, {(1, 1), (4, 4)})) == three[:2]
    assert list(determiners(THE, LE, {(1, 7), (7, 1)})) == [Determiner("elided", 6, 0), Determiner("full", 0, 6)]


@pytest.mark.parametrize(
    ("english", "french", "link"),
    [
        ("a man", "l' homme", (1, 1)),
        ("the man", "un homme", (1, 1)),
        ("two men", "les hommes", (1, 1)),
        ("the old man", "l' homme âgé", (1, 2)),
        ("the man", "l' homme", (0, 1)),
        ("man the", "homme l'", (0, 0)),
    ],
)
def test_other_determiners_or_places_are_left_out(english: str, french: str, link: tuple[int, int]) -> None:
    assert list(determiners(english.split(), french.split(), {link})) == []


def test_a_glance_at_the_article_and_the_noun() -> None:
    weights = np.array([[0.3, 0.5, 0.2], [0.0, 0.9, 0.1], [0.6, 0.1, 0.3]])
    assert glance(weights, Determiner("elided", 0, 0)) == Glance(determiner=0.3, noun=0.5, both=True)
    assert glance(weights, Determiner("full", 0, 1)) == Glance(determiner=0.0, noun=0.9, both=False)
    assert glance(weights, Determiner("full", 0, 2)) == Glance(determiner=0.6, noun=0.1, both=False)
