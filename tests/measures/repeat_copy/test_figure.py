"""Where end markers stand, drawn from small numbers."""

from augrnn.exhibits.exhibit import from_content
from augrnn.measures.repeat_copy.figure import EarlyEnds


def test_early_ends_of_variants_with_and_without_runs() -> None:
    shown = EarlyEnds({"a": [[0.0, 0.5, 1.0], [0.0, 0.0, 1.0]], "b": [], "c": [[0.1, 0.2]]})
    (axes,) = from_content(shown.content()).figure().axes
    assert [line.get_ydata().tolist() for line in axes.lines[:3]] == [[0, 0.5, 1], [0, 0, 1], [0, 0.25, 1]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "c"]
