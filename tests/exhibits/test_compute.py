"""A point for each run, with its method's look; inner steps along a sequence."""

import numpy as np

from augrnn.exhibits.compute import AgainstSteps, StepsOverTime


def test_each_run_is_a_point_of_its_method() -> None:
    found = {"ACT": [(1.5, 0.2), (2.0, 0.0)], "none": [], "Repeat": [(2.0, 0.3), (2.0, None), (float("inf"), 0.1)]}
    (axes,) = AgainstSteps(found, "share wrong").figure().axes
    act, repeat = axes.lines
    assert (act.get_label(), repeat.get_label()) == ("ACT", "Repeat")
    assert np.asarray(act.get_xydata()).tolist() == [[1.5, 0.2], [2.0, 0.0]]
    drawn = np.asarray(repeat.get_xydata())
    assert drawn[np.isfinite(drawn).all(axis=1)].tolist() == [[2.0, 0.3]]
    assert len({(line.get_marker(), line.get_markeredgecolor()) for line in axes.lines}) == 2
    assert all(line.get_linestyle() == "None" for line in axes.lines)


def test_methods_keep_their_looks_whoever_has_run() -> None:
    alone = AgainstSteps({"ACT": [], "Repeat": [(2.0, 0.3)]}, "wrong").figure().axes[0].lines[0]
    both = AgainstSteps({"ACT": [(1.0, 0.1)], "Repeat": [(2.0, 0.3)]}, "wrong").figure().axes[0].lines[1]
    assert (alone.get_marker(), alone.get_markeredgecolor()) == (both.get_marker(), both.get_markeredgecolor())


def test_lines_across_are_named() -> None:
    shown = AgainstSteps({"ACT": [(1.0, 0.1)]}, "wrong", {"a guess": 0.5, "the last two gates": 0.2})
    (axes,) = shown.figure().axes
    assert [line.get_ydata()[0] for line in axes.lines[1:]] == [0.5, 0.2]
    assert [text.get_text() for text in axes.texts] == ["a guess", "the last two gates"]
    assert "Dashed line: a guess, 0.5. Dashed line: the last two gates, 0.2." in shown.caption


def test_no_run_is_said() -> None:
    for shown in (AgainstSteps({}, "wrong"), AgainstSteps({"ACT": []}, "wrong"), StepsOverTime({"ACT": []})):
        assert shown.figure().texts[0].get_text() == "no run has ended"
        assert "No run has ended." in shown.caption


def test_steps_over_time_are_a_line_of_medians_and_a_mark() -> None:
    shown = StepsOverTime({"a": [[1.0, 3.0], [2.0, 3.0], [3.0, 6.0]], "b": [[2.0, 2.0]]}, {"delimiter": 1})
    (axes,) = shown.figure().axes
    medians = {line.get_label(): np.asarray(line.get_ydata()).tolist() for line in axes.lines}
    assert (medians["a"], medians["b"]) == ([2.0, 3.0], [2.0, 2.0])
    assert [line.get_xdata() for line in axes.lines][-1] == [1, 1]
    assert axes.texts[0].get_text() == " delimiter"
