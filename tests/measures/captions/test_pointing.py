"""Pointing on maps made by hand."""

import numpy as np
import pytest

from augrnn.measures.captions.pointing import (
    TOLERANCE,
    Pointing,
    centre_map,
    centre_share,
    interval,
    overlap,
    pointed,
    summary,
    uniform_map,
    variations,
)


def at(row: int, column: int, size: int = 4) -> np.ndarray:
    map_RC = np.zeros((size, size))
    map_RC[row, column] = 1
    return map_RC


def test_a_hit_is_the_centre_of_the_winning_cell_inside_the_box() -> None:
    box = (0.25, 0.5, 0.5, 1.0)  # columns 1, rows 2 and 3
    assert pointed(at(2, 1), [box]) == Pointing(1, 1, 0.125, 1.0)
    assert pointed(at(1, 1), [box]).hit == 0
    assert pointed(at(2, 2), [box]).hit == 0


def test_x_is_of_columns_and_y_of_rows() -> None:
    right_top = (0.75, 0.0, 1.0, 0.25)
    assert pointed(at(0, 3), [right_top]).hit == 1
    assert pointed(at(3, 0), [right_top]).hit == 0


def test_the_tolerant_figure_is_half_a_cell_wider() -> None:
    box = (0.0, 0.0, 0.125 - TOLERANCE + 1e-6, 0.25)
    assert pointed(at(0, 0), [box])[:2] == (0, 1)
    assert pointed(at(0, 0), [(0.0, 0.0, 0.125 - TOLERANCE - 1e-6, 0.25)])[:2] == (0, 0)


def test_mass_is_by_the_share_of_each_cell() -> None:
    box = (0.125, 0.0, 0.5, 0.125)
    assert overlap(4, 4, box)[0].tolist() == [0.25, 0.5, 0, 0]
    assert not overlap(4, 4, box)[1:].any()
    map_RC = 0.5 * at(0, 0) + 0.3 * at(0, 1) + 0.2 * at(3, 3)
    assert pointed(map_RC, [box]).mass == pytest.approx(0.125 + 0.15)


def test_several_boxes_are_one_region() -> None:
    boxes = [(0.0, 0.0, 0.25, 0.25), (0.75, 0.75, 1.0, 1.0)]
    assert pointed(at(3, 3), boxes) == Pointing(1, 1, 0.125, 1.0)


def test_the_mass_of_a_uniform_map_is_the_area_and_its_hits_by_chance_the_cells() -> None:
    box = (0.1, 0.2, 0.55, 0.9)
    found = pointed(uniform_map(7, 7), [box])
    assert found.mass == pytest.approx(found.area) == pytest.approx(0.45 * 0.7)
    assert centre_share(7, 7, [box]) == pytest.approx(3 * 5 / 49)


def test_the_centre_prior_looks_at_the_middle() -> None:
    assert centre_map(7, 5).argmax() == 3 * 5 + 2
    assert centre_map(7, 5).sum() == pytest.approx(1)


def test_summary_is_of_means() -> None:
    found = summary([Pointing(1, 1, 0.1, 0.5), Pointing(0, 1, 0.3, 0.5)])
    assert found == {
        "cases": 2,
        "hit": 0.5,
        "tolerant": 1,
        "area": pytest.approx(0.2),
        "mass": 0.5,
        "mass_ratio": pytest.approx(2.5),
    }
    assert summary([])["cases"] == 0


def test_variation_is_half_the_absolute_difference() -> None:
    assert variations(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0.5, 0.5]])).tolist() == [1, 0.5, 0]
    assert len(variations(np.ones((1, 3)))) == 0


def test_the_interval_is_about_the_standard_errors() -> None:
    values = np.random.default_rng(1).normal(3, 2, 1000)
    low, high = interval(values)
    assert high - low == pytest.approx(2 * 1.96 * 2 / 1000**0.5, rel=0.1)
    assert low < values.mean() < high
