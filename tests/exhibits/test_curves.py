"""Learning curves and quantities by size and bucket, drawn from small numbers, some of them missing."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from augrnn.exhibits.curves import ByBucket, BySize, LearningCurves, intervals


def heights(axes: Axes) -> list[Any]:
    return [np.asarray(line.get_ydata()).tolist() for line in axes.lines]


def ticks(axes: Axes) -> list[str]:
    axes.figure.draw_without_rendering()
    return [label.get_text() for label in axes.get_yticklabels()]


def test_a_panel_for_each_variant_with_runs() -> None:
    curves = {"a": [([1.0, 2.0], [3.0, 1.0])], "b": [], "c": [([1.0, 2.0], [4.0, 4.5])], "d": [([1.0], [1.0])]}
    figure = LearningCurves(curves, "cost (bits)").figure()
    assert [axes.get_title() for axes in figure.axes if axes.get_visible()] == ["a", "c", "d"]
    assert figure.get_suptitle() == "Learning curves: cost (bits)"
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    colours = [axes.lines[0].get_color() for axes in figure.axes]
    styles = [axes.lines[0].get_linestyle() for axes in figure.axes]
    assert len(set(colours)) == len(set(styles)) == 3


@pytest.mark.parametrize("floor", [0.1, 1e-3, 1e-2])
def test_values_below_the_floor_are_in_a_strip_that_says_so(floor: float) -> None:
    shown = LearningCurves({"a": [([1, 2, 3], [30.0, floor, floor / 100])]}, "cost", floor=floor, bar=1.0)
    (axes,) = shown.figure().axes
    (seed, bar) = heights(axes)
    assert seed[:2] == [30.0, floor]
    assert floor / 100 < seed[2] < floor
    assert bar == [1.0, 1.0]
    assert axes.get_yscale() == "log"
    names = ticks(axes)
    assert names[0] == f"below {floor:g}"
    assert names[-2:] == ["1", "10"]
    assert axes.get_yticks()[0] == seed[2]
    assert f"all values below {floor:g} are drawn there" in shown.caption


def test_without_values_below_the_floor_there_is_no_strip() -> None:
    shown = LearningCurves({"a": [([1, 2], [30.0, 0.5])]}, "cost", floor=1e-3)
    (axes,) = shown.figure().axes
    assert not axes.patches
    assert "strip" not in shown.caption
    assert not any("below" in name or "$" in name for name in ticks(axes))


@pytest.mark.parametrize("values", [[2.1, 4.0], [3.0, 3.0], [12.0, 95.0], [0.02, 700.0]])
def test_a_logarithmic_axis_has_a_number_however_short_it_is(values: list[float]) -> None:
    (axes,) = LearningCurves({"a": [([1, 2], values)]}, "cost", floor=1e-3).figure().axes
    low, high = axes.get_ylim()
    assert [name for name, at in zip(ticks(axes), axes.get_yticks(), strict=True) if low <= at <= high and name]


def test_the_median_the_middle_half_and_every_seed() -> None:
    runs = [([1, 2, 3], [value, 2 * value, 3 * value]) for value in (1.0, 2.0, 3.0, 4.0, 100.0)]
    (axes,) = LearningCurves({"a": runs}, "cost").figure().axes
    *seeds, median = heights(axes)
    assert len(seeds) == 5
    assert median == [3.0, 6.0, 9.0]
    (band,) = axes.collections
    assert sorted({y for x, y in band.get_paths()[0].vertices if x == 1}) == [2.0, 4.0]


@pytest.mark.parametrize("count", [2, 3])
def test_few_seeds_have_no_band(count: int) -> None:
    shown = LearningCurves({"a": [([1, 2], [1.0, 2.0])] * count}, "cost")
    (axes,) = shown.figure().axes
    assert len(axes.lines) == count + 1
    assert not axes.collections
    assert "Band" not in shown.caption


def test_one_seed_is_one_line() -> None:
    shown = LearningCurves({"a": [([1, 2], [1.0, 2.0])], "b": [([1, 2], [1.0, 2.0])]}, "cost")
    assert [len(axes.lines) for axes in shown.figure().axes] == [1, 1]
    assert "Line: one seed. Seeds: 1 of each variant." in shown.caption


@pytest.mark.parametrize(
    ("runs", "median"),
    [
        ([([1, 2, 3], [1.0, 2.0, 3.0]), ([1, 2, 3], [3.0, None, None])], [2.0, 2.0, 3.0]),
        ([([1, 2, 3], [1.0, 2.0, 3.0]), ([1], [3.0])], [2.0, 2.0, 3.0]),
        ([([1, 2, 3], [1.0, 2.0, 3.0]), ([1, 2, 3], [3.0, None, 5.0])], [2.0, 2.0, 4.0]),
        ([([1, 2, 3], [1.0, 2.0, 3.0]), ([], [])], [1.0, 2.0, 3.0]),
        ([([1, 2, 3], [1.0, 2.0, 3.0]), ([1, 2, 3], [None] * 3)], [1.0, 2.0, 3.0]),
    ],
)
def test_a_seed_without_a_value_is_left_out_there_and_counted(runs: list[Any], median: list[float]) -> None:
    shown = LearningCurves({"a": runs}, "cost", floor=1e-3)
    (axes,) = shown.figure().axes
    assert heights(axes)[-1] == median
    assert "1 seed lacks values (failed, or stopped earlier) and is left out of the median there." in shown.caption


def test_seeds_measured_at_almost_the_same_places_lack_nothing() -> None:
    shown = LearningCurves({"a": [([4000, 7984], [1.0, 2.0]), ([4000, 8000], [3.0, 4.0])]}, "cost")
    (axes,) = shown.figure().axes
    assert heights(axes)[-1] == pytest.approx([2.0, 3.0], abs=0.01)
    assert "lack" not in shown.caption


@pytest.mark.parametrize("values", [[2.0], [1e-9], [None]])
def test_a_single_point_is_seen(values: list[float | None]) -> None:
    shown = LearningCurves({"a": [([5], values)]}, "cost", floor=1e-3)
    (axes,) = shown.figure().axes
    assert "Point: one seed." in shown.caption
    assert axes.lines[0].get_marker() != "None"


NAMES = ["$a$", "_hidden", "x" * 90, "a_{b}^$c$", *(f"variant {i}" for i in range(9))]
KINDS = {
    "learning": LearningCurves({name: [([1, 2], [1.0, 2.0])] for name in NAMES}, "cost ($ and $)", bar=1.0),
    "size": BySize({name: [{"1": 1.0, "2": 2.0}] for name in NAMES}, "cost ($ and $)", "$x$", 0.1),
    "bucket": ByBucket({name: [{"$1$": [1.0, 2.0, 3.0]}] for name in NAMES}, "$B$", "$x$"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_names_and_any_number_of_variants_are_drawn(kind: str) -> None:
    figure = KINDS[kind].figure()
    figure.draw_without_rendering()
    legend = figure.axes[0].get_legend()
    named = [text.get_text() for text in legend.get_texts()] if legend else [axes.get_title() for axes in figure.axes]
    assert [name.replace("\n", "") for name in named][:4] == NAMES[:4]
    looks = {(line.get_color(), line.get_linestyle()) for axes in figure.axes for line in axes.lines}
    assert len(looks) >= len(NAMES) or kind == "bucket"


def test_infinite_values_are_missing() -> None:
    shown = LearningCurves({"a": [([1, 2], [1.0, float("inf")]), ([1, 2], [3.0, 4.0])]}, "cost", floor=1e-3)
    (axes,) = shown.figure().axes
    assert heights(axes)[-1] == [2.0, 4.0]
    assert "1 seed lacks values" in shown.caption


@pytest.mark.parametrize(
    "shown",
    [
        LearningCurves({}, "cost", floor=1e-3, bar=0.1),
        LearningCurves({"a": []}, "cost"),
        BySize({"a": [], "b": []}, "wrong", "length", 0.1),
        ByBucket({}, "BLEU", "words"),
    ],
)
def test_no_run_is_said(shown: LearningCurves | BySize | ByBucket) -> None:
    assert shown.figure().texts[0].get_text() == "no run has ended"
    assert "No run has ended." in shown.caption


def test_values_by_size_have_the_median_as_a_line() -> None:
    found = {"a": [{"10": 0.0, "5": 3.0}, {"10": 2.0, "5": 4.0}], "b": []}
    (axes,) = BySize(found, "wrong", "length", 0.1).figure().axes
    assert axes.lines[0].get_xdata().tolist() == [5, 10]
    assert axes.lines[0].get_ydata().tolist() == [3.5, 1.0]
    assert [tick for tick in axes.get_xticks() if tick in (5, 10)] == [5, 10]
    assert not any("$" in name for name in ticks(axes))


@pytest.mark.parametrize(("largest", "top"), [(0.0, 0.1), (0.002, 0.1), (0.3, 0.3), (90.0, 90.0)])
def test_values_at_or_near_zero_stand_on_an_axis_from_zero_on(largest: float, top: float) -> None:
    (axes,) = BySize({"a": [{"5": 0.0, "10": largest}]}, "wrong", "length", 0.1).figure().axes
    bottom, end = axes.get_ylim()
    assert bottom == pytest.approx(-0.02)
    assert top <= end <= 2 * top  # with a margin


def test_a_failed_seed_by_size_is_left_out_and_counted() -> None:
    found = {"a": [{"5": 3.0, "10": None}, {"5": 4.0, "10": 2.0}], "b": [{"5": None, "10": None}]}
    shown = BySize(found, "wrong", "length")
    (axes,) = shown.figure().axes
    assert axes.lines[0].get_ydata().tolist() == [3.5, 2.0]
    assert "2 seeds lack values" in shown.caption


def test_sizes_need_not_be_whole_and_stand_evenly_where_asked() -> None:
    found = {"a": [{"0.02": 3.0, "0": 1.0, "1e-4": 2.0}]}
    for even, places in ((False, [0, 1e-4, 0.02]), (True, [0, 1, 2])):
        shown = BySize(found, "wrong", "tau", even=even)
        (axes,) = shown.figure().axes
        assert axes.lines[0].get_xdata().tolist() == places
        assert axes.lines[0].get_ydata().tolist() == [1.0, 2.0, 3.0]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1e-4", "0.02"]
        assert ("equal distances" in shown.caption) == even


def test_values_by_bucket_have_a_bar_for_each_run() -> None:
    run = {"1-9": [40.0, 42.0, 44.0], "20+": [10.0, 20.0, 30.0]}
    shown = ByBucket(intervals({"a": [run, run], "b": [run], "c": []}), "BLEU", "words")
    (axes,) = shown.figure().axes
    assert len(axes.containers) == 3
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1-9", "20+"]
    assert shown.found["b"][0]["1-9"] == pytest.approx([40.1, 42, 43.9])
    assert "Seeds: a 2, b 1, c 0." in shown.caption


@pytest.mark.parametrize("variants", [1, 2, 3, 5])
@pytest.mark.parametrize("last", [640, 9_000, 99_999, 300_000, 2_500_000])
def test_numbers_of_sequences_stand_apart(variants: int, last: int) -> None:
    run = ([last / 10, last / 2, last], [3.0, 2.0, 1.0])
    figure = LearningCurves({f"v{number}": [run] for number in range(variants)}, "cost").draw()
    figure.canvas.draw()
    for axes in (each for each in figure.axes if each.get_visible()):
        low, high = axes.get_xlim()
        labels = [tick.label1 for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
        boxes = [label.get_window_extent() for label in labels if label.get_visible()]
        assert all(right.x0 - left.x1 > 6 for left, right in pairwise(boxes))
