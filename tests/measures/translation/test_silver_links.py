"""The silver aligner against naive loops, planted dictionaries and real colours; the error rate by hand."""

import gzip
import math
import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma

from augrnn.measures.translation import silver_links as module
from augrnn.measures.translation.alignment import Link, Weights, colour_nouns, determiners
from augrnn.measures.translation.silver_links import (
    SilverLinks,
    aligned,
    alignment_error,
    diagonal_links,
    diagonal_prior,
    hard_links,
    silver_links,
    symmetrised,
)
from augrnn.tasks.translation import Translation

Corpus = list[list[str]]


# The aligner ---------------------------------------------------------------------------------------------------------


def naive_prior(i: int, j: int, m: int, n: int) -> float:
    if j == 0:
        return 0.08 if n else 1.0
    near = [math.exp(-4 * abs(i / m - k / n)) for k in range(1, n + 1)]
    return 0.92 * near[j - 1] / sum(near)


def naive_scores(sources: Corpus, targets: Corpus) -> list[list[list[float]]]:
    """What each target word is likely to translate after five rounds of EM, first of all nothing, then each word."""
    table: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)

    def scores() -> list[list[list[float]]]:
        return [
            [
                [
                    naive_prior(i, j, len(target), len(source)) * table[candidate, word]
                    for j, candidate in enumerate(["", *source])
                ]
                for i, word in enumerate(target, 1)
            ]
            for source, target in zip(sources, targets, strict=True)
        ]

    for _ in range(5):
        counts: dict[tuple[str, str], float] = defaultdict(lambda: 0.01)
        for source, target, rows in zip(sources, targets, scores(), strict=True):
            for word, row in zip(target, rows, strict=True):
                for candidate, score in zip(["", *source], row, strict=True):
                    counts[candidate, word] += score / sum(row)
        for (candidate, word), value in counts.items():
            total = sum(each for (other, _), each in counts.items() if other == candidate)
            table[candidate, word] = math.exp(digamma(value) - digamma(total))
    return scores()


SENTENCES = st.lists(st.sampled_from("abcd"), max_size=4)


@given(st.lists(st.tuples(SENTENCES, SENTENCES), max_size=5))
def test_words_are_linked_as_naive_loops_say(corpus: list[tuple[list[str], list[str]]]) -> None:
    sources, targets = [source for source, _ in corpus], [target for _, target in corpus]
    found = aligned(sources, targets)
    assert [len(columns) for columns in found] == [len(target) for target in targets]
    for columns, rows in zip(found, naive_scores(sources, targets), strict=True):
        for column, row in zip(columns, rows, strict=True):
            assert row[column + 1] == pytest.approx(max(row))


def planted(sentences: int) -> tuple[Corpus, Corpus, list[list[int]]]:
    """Sentences of ten words out of forty, two neighbours of which change places; some translations add a word."""
    draw = random.Random(0)
    sources, targets, truth = [], [], []
    for _ in range(sentences):
        words = draw.sample(range(40), 10)
        order = list(range(10))
        place = draw.randrange(9)
        order[place], order[place + 1] = order[place + 1], order[place]
        if draw.random() < 0.5:
            order.insert(draw.randrange(11), -1)
        sources.append([f"s{word}" for word in words])
        targets.append([f"t{words[i]}" if i >= 0 else "extra" for i in order])
        truth.append(order)
    return sources, targets, truth


def test_a_planted_dictionary_is_found() -> None:
    sources, targets, truth = planted(200)
    assert aligned(sources, targets) == truth
    for links, order in zip(map(symmetrised, truth, aligned(targets, sources)), truth, strict=True):
        assert links.sure == {(row, column) for row, column in enumerate(order) if column >= 0}
    assert aligned(sources, targets) == aligned(sources, targets)


def test_sentences_without_words() -> None:
    assert aligned([], []) == []
    assert aligned([["a"], []], [[], []]) == [[], []]
    assert aligned([["a"], [], ["a"]], [["b"], ["b"], []]) == [[0], [-1], []]
    with pytest.raises(ValueError, match="shorter"):
        aligned([["a"], ["b"]], [["a"]])


@given(st.integers(0, 6), st.integers(0, 6))
def test_the_prior_is_a_distribution_over_words_and_no_word(rows: int, columns: int) -> None:
    prior = diagonal_prior(rows, columns)
    assert prior.shape == (rows, columns + 1)
    for i, row in enumerate(prior, 1):
        assert row.sum() == pytest.approx(1)
        assert row == pytest.approx(np.array([naive_prior(i, j, rows, columns) for j in range(columns + 1)]))


def test_both_directions_make_sure_and_possible_links() -> None:
    links = symmetrised([0, 0, -1], [1, 2])
    assert links == SilverLinks(frozenset({(1, 0)}), frozenset({(0, 0), (1, 0), (2, 1)}))
    assert symmetrised([], [-1]) == SilverLinks(frozenset(), frozenset())


def corpus(folder: Path) -> Path:
    sources, targets, _ = planted(60)
    for split, part in {"train": slice(0, 40), "val": slice(40, 60)}.items():
        for language, sentences in {"de": sources, "fr": targets}.items():
            text = "\n".join(" ".join(words) for words in sentences[part])
            (folder / f"{split}.{language}.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def test_a_split_is_aligned_once_in_any_direction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [
        Translation(source=source, target=target, directory=corpus(tmp_path), cache=tmp_path, vocabulary=60)
        for source, target in (("de", "fr"), ("fr", "de"))
    ]
    links, turned = (silver_links(task, "val") for task in tasks)
    pairs = tasks[0].parallel("val")
    assert len(links) == 20
    for number, (sure, possible) in enumerate(links):
        assert sure <= possible
        assert {(column, row) for row, column in sure} == turned[number].sure
        assert {(column, row) for row, column in possible} == turned[number].possible
        words = pairs.target_words[number], pairs.source_words[number]
        assert all(words[0][row][1:] == words[1][column][1:] for row, column in sure)
    monkeypatch.setattr(module, "aligned", None)
    assert silver_links(tasks[0], "val") == links


@pytest.mark.data
def test_real_colours_and_nouns_are_linked(data_root: Path, tmp_path: Path) -> None:
    task = Translation(directory=data_root / "multi30k", cache=tmp_path)
    english, french = (val + train for val, train in zip(task._words("val"), task._words("train"), strict=True))
    both = aligned(english, french)[:1014], aligned(french, english)[:1014]
    hits, kinds = [], Counter[str]()
    for source, target, there, back in zip(english, french, *both, strict=False):
        sure = symmetrised(there, back).sure
        for pair in colour_nouns(source, target):
            hits += [(pair.target_noun, pair.source_noun) in sure, (pair.target_colour, pair.source_colour) in sure]
        kinds.update(place.kind for place in determiners(source, target, sure))
    assert len(hits) == 280
    assert np.mean(hits) >= 0.95
    assert kinds == {"elided": 66, "full": 195, "numeral": 170}


# The alignment error -------------------------------------------------------------------------------------------------

LINKS = st.frozensets(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6)


def test_the_error_by_hand() -> None:
    sure = frozenset({(0, 0), (1, 1)})
    silver = SilverLinks(sure, sure | {(2, 1)})
    found = {(0, 0), (2, 1), (2, 2)}
    assert alignment_error([found], [silver]) == pytest.approx(1 - (1 + 2) / (3 + 2))
    # Over two sentences the counts are summed, not the rates averaged.
    assert alignment_error([found, {(0, 0)}], [silver, SilverLinks(sure, sure)]) == pytest.approx(1 - 5 / 8)


@given(LINKS, LINKS, LINKS)
def test_between_sure_and_possible_there_is_no_error(
    some: frozenset[Link], more: frozenset[Link], found: set[Link]
) -> None:
    silver = SilverLinks(some, some | more)
    assert alignment_error([silver.sure], [silver]) == 0
    assert alignment_error([some | (found & more)], [silver]) == 0
    assert 0 <= alignment_error([found], [silver]) <= 1
    if not found & silver.possible and (found or some):
        assert alignment_error([found], [silver]) == 1


@given(LINKS, LINKS)
def test_where_all_links_are_sure_it_is_one_minus_f1(truth: frozenset[Link], found: set[Link]) -> None:
    both = len(truth & found)
    f1 = 2 * both / (len(truth) + len(found)) if truth or found else 1
    assert alignment_error([found], [SilverLinks(truth, truth)]) == pytest.approx(1 - f1)


def test_pairs_must_be_the_same() -> None:
    assert alignment_error([], []) == 0
    with pytest.raises(ValueError, match="shorter"):
        alignment_error([set(), set()], [SilverLinks(frozenset(), frozenset())])


def at(*positions: int, columns: int = 4) -> Weights:
    return np.eye(columns)[list(positions)]


def test_the_end_of_a_sentence_is_no_word() -> None:
    assert hard_links(at(1, 0, 3, 3)) == {(0, 1), (1, 0)}
    assert hard_links(at(1, 0, 2, 2)) == {(0, 1), (1, 0), (2, 2)}
    assert hard_links(at(0, columns=1)) == set()


def test_attention_that_is_one_step_off_links_when_shifted() -> None:
    truth = hard_links(at(2, 0, 1, 3))
    assert hard_links(at(0, 2, 0, 1), shift=1) == truth
    assert hard_links(at(0, 1, 3, 3), shift=-1) == {(0, 0), (1, 0), (2, 1)}
    assert hard_links(at(2, 1), shift=5) == {(0, 1)}


def test_the_diagonal_goes_from_corner_to_corner() -> None:
    assert diagonal_links(3, 3) == {(0, 0), (1, 1), (2, 2)}
    assert diagonal_links(2, 4) == {(0, 1), (1, 3)}
    assert diagonal_links(4, 2) == {(0, 0), (1, 0), (2, 1), (3, 1)}
    assert diagonal_links(3, 1) == {(0, 0), (1, 0), (2, 0)}
    assert diagonal_links(2, 0) == diagonal_links(0, 2) == set()
