"""Alignments have their words, the names of their sides, and a scale."""

import numpy as np
import pytest

from augrnn.exhibits.alignments import MOST, Alignments, sides


def test_alignments_have_their_words() -> None:
    words = (("a", "b"), ("c",), ("d",)), (("x", "y"), ("u", "v", "w"), ("z",))
    figure = Alignments((np.eye(2), np.ones((3, 1)), np.ones((1, 1))), *words).figure()
    *panels, scale = figure.axes
    labels = [[tick.get_text() for tick in axes.get_yticklabels()] for axes in panels if axes.get_visible()]
    assert labels == [["x", "y"], ["u", "v", "w"], ["z"]]
    assert [tick.get_text() for tick in panels[0].get_xticklabels()] == ["a", "b"]
    assert {(axes.get_xlabel(), axes.get_ylabel()) for axes in panels[:3]} == {("source", "target")}
    assert scale.get_ylim() == (0, 1)


@pytest.mark.parametrize(
    ("languages", "names"),
    [
        (("en", "fr"), ("source: English", "target: French (reference)")),
        (("de", "cs"), ("source: German", "target: Czech (reference)")),
        (("ja", "en"), ("source: ja", "target: English (reference)")),
    ],
)
def test_sides_have_the_names_of_the_languages(languages: tuple[str, str], names: tuple[str, str]) -> None:
    shown = Alignments((np.eye(2),), (("a", "b"),), (("x", "y"),), sides(*languages, "reference"))
    axes = shown.figure().axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == names
    assert all(name in shown.caption for name in names)


@pytest.mark.parametrize("word", ["$b$", "$\\x$", "a_{$}^$"])
def test_dollars_are_no_formula(word: str) -> None:
    figure = Alignments((np.eye(2),), ((word, "b"),), ((word, "y"),)).figure()
    figure.draw_without_rendering()
    assert figure.axes[0].get_xticklabels()[0].get_text() == word
    assert not figure.axes[0].get_xticklabels()[0].get_parse_math()


def test_long_sentences_have_a_word_every_so_often() -> None:
    words = tuple(f"w{i}" for i in range(3 * MOST))
    figure = Alignments((np.eye(len(words)),), (words,), (words,)).figure()
    assert len(figure.axes[0].get_xticks()) <= MOST
    assert max(figure.get_size_inches()) < 25


def test_a_model_without_attention_has_none() -> None:
    shown = Alignments((), (), ())
    assert shown.caption == "No alignments: the model has no attention."
    assert shown.figure().texts[0].get_text() == "no alignments"
