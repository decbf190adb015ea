import math
import random
import statistics as naive
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from augrnn.lab import statistics

NORMAL = naive.NormalDist()
finite = st.floats(-1e6, 1e6)


def naive_wilson(successes: int, trials: int) -> tuple[float, float]:
    z, share = NORMAL.inv_cdf(0.975), successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return (centre - spread) / (1 + z * z / trials), (centre + spread) / (1 + z * z / trials)


def naive_accelerated(values: list[float], resamples: int = 20_000) -> tuple[float, float]:
    """Efron's (1987) BCa interval of the mean, as the textbook has it."""
    draw, mean = random.Random(1), naive.fmean(values)
    means = sorted(naive.fmean(draw.choices(values, k=len(values))) for _ in range(resamples))
    bias = NORMAL.inv_cdf(sum(m < mean for m in means) / resamples)
    left_out = [naive.fmean(values[:i] + values[i + 1 :]) for i in range(len(values))]
    gaps = [naive.fmean(left_out) - m for m in left_out]
    acceleration = sum(g**3 for g in gaps) / (6 * sum(g**2 for g in gaps) ** 1.5)

    def end(tail: float) -> float:
        z = bias + NORMAL.inv_cdf(tail)
        return means[int(NORMAL.cdf(bias + z / (1 - acceleration * z)) * resamples)]

    return end(0.025), end(0.975)


@given(st.integers(1, 60).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_wilson_is_the_formula(case: tuple[int, int]) -> None:
    low, high = statistics.wilson(*case)
    assert (low, high) == pytest.approx(naive_wilson(*case), abs=1e-9)
    assert 0 <= low <= case[0] / case[1] <= high <= 1


def test_wilson_of_ten_of_ten() -> None:
    assert statistics.wilson(10, 10) == pytest.approx((0.722, 1.0), abs=5e-4)


@given(st.lists(finite, min_size=1))
def test_median_is_the_standard_librarys(values: list[float]) -> None:
    assert statistics.median(values) == naive.median(values)


@given(st.lists(finite, min_size=1))
def test_mean_is_the_standard_librarys(values: list[float]) -> None:
    assert statistics.mean(values) == naive.fmean(values)


@pytest.mark.parametrize(
    ("known", "new", "quantile"),
    [(2, 1, 12.706), (3, 2, 4.303), (5, 1, 2.776), (5, 5, 2.776), (10, 3, 2.262), (31, 10, 2.042)],
)
def test_prediction_is_the_formula_with_the_quantile_of_printed_tables(known: int, new: int, quantile: float) -> None:
    reach = quantile * 2 * math.sqrt(1 / known + 1 / new)
    assert statistics.prediction(7, 2, known, new) == pytest.approx((7 - reach, 7 + reach), abs=2e-3)


@pytest.mark.parametrize(("known", "new"), [(3, 1), (5, 1), (5, 5), (12, 4)])
def test_a_prediction_comes_true_about_as_often_as_it_says(known: int, new: int) -> None:
    draw, hits = random.Random(0), 0
    for _ in range(2000):
        values = [draw.gauss(5, 2) for _ in range(known)]
        low, high = statistics.prediction(naive.fmean(values), naive.stdev(values), known, new)
        hits += low <= naive.fmean(draw.gauss(5, 2) for _ in range(new)) <= high
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)


def test_a_mean_with_a_failed_seed_is_infinite() -> None:
    assert statistics.mean([1.0, math.inf, 2.0]) == math.inf
    assert statistics.mean([-math.inf, -math.inf]) == -math.inf


def test_bootstrap_of_the_mean_is_the_textbooks() -> None:
    values = [1.0, 1.2, 1.9, 2.0, 2.2, 2.5, 3.1, 4.0, 6.5, 9.0]
    assert statistics.bootstrap(values, naive.fmean) == pytest.approx(naive_accelerated(values), rel=0.05)


def test_bootstrap_covers_the_truth_about_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "RESAMPLES", 300)
    draw, hits = random.Random(0), 0
    for _ in range(100):
        interval = statistics.bootstrap([draw.gauss(5, 1) for _ in range(20)], naive.fmean)
        assert interval is not None
        low, high = interval
        assert low is not None
        assert high is not None
        hits += low <= 5 <= high
    assert 86 <= hits <= 100


@pytest.mark.parametrize("size", [2, 3, 5, 9, 20])
@pytest.mark.parametrize("statistic", [statistics.median, statistics.mean])
def test_bootstrap_of_all_resamples_at_once_is_that_of_each(
    size: int, statistic: Callable[[Sequence[float]], float]
) -> None:
    draw = random.Random(size)
    for digits in (0, 1, 6):
        values = [round(draw.gauss(0, 3), digits) for _ in range(size)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where the acceleration is undefined
            ends = stats.bootstrap(
                (values,),
                lambda sample: statistic(sample.tolist()),
                vectorized=False,
                method="BCa",
                random_state=np.random.default_rng(0),
            ).confidence_interval
        if math.isfinite(ends.low + ends.high):
            assert statistics.bootstrap(values, statistic) == pytest.approx((ends.low, ends.high), rel=1e-9, abs=1e-12)


def test_bootstrap_of_tiny_values_is_that_of_large_ones() -> None:
    low, high = statistics.bootstrap([1.0, 2.0, 4.0, 8.0, 16.0], statistics.mean) or (0, 0)
    tiny = statistics.bootstrap([each * 2.0**-600 for each in (1.0, 2.0, 4.0, 8.0, 16.0)], statistics.mean)
    assert tiny == pytest.approx(((low or 0) * 2.0**-600, (high or 0) * 2.0**-600), rel=1e-12)


@given(st.lists(finite, min_size=2, max_size=9))
@settings(max_examples=20, deadline=None)
def test_medians_taken_at_once_are_those_taken_one_by_one(values: list[float]) -> None:
    assert statistics.bootstrap(values, statistics.median) == statistics.bootstrap(values, naive.median)


def test_bootstrap_of_one_seed_says_nothing() -> None:
    assert statistics.bootstrap([3.0], statistics.median) is None


def test_bootstrap_of_equal_seeds_is_a_point() -> None:
    assert statistics.bootstrap([3.0, 3.0, 3.0], statistics.median) == (3.0, 3.0)


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 1.0, 1.0, 1.0, 5.0], [0.0, 0.0, 0.0, 1e-12]])
def test_bootstrap_where_the_acceleration_is_undefined(values: list[float]) -> None:
    interval = statistics.bootstrap(values, statistics.median)
    assert interval is not None
    low, high = interval
    assert low is not None
    assert high is not None
    assert min(values) <= low <= statistics.median(values) <= high <= max(values)


def test_bootstrap_with_failed_seeds_has_an_open_end() -> None:
    low, high = statistics.bootstrap([1.0, 2.0, 3.0, 4.0, math.inf, math.inf], statistics.median) or (None, 0.0)
    assert low is not None
    assert 1 <= low <= 3.5
    assert high is None


def test_bootstrap_is_the_same_every_time() -> None:
    values = [1.0, 4.0, 2.0, 8.0, 5.0]
    assert statistics.bootstrap(values, statistics.median) == statistics.bootstrap(values, statistics.median)


def test_medians_at_once_give_the_numbers_of_medians_one_by_one() -> None:
    draw = random.Random(2)
    for size in (2, 3, 4, 9):
        values = [round(draw.gauss(0, 1), draw.choice([1, 9])) for _ in range(size)]
        assert statistics.bootstrap(values, statistics.median) == statistics.bootstrap(values, naive.median)


def naive_difference(values: list[float], others: list[float], resamples: int = 40_000) -> tuple[float, float]:
    """The BCa interval of a difference of medians (DiCiccio and Efron 1996), by a jackknife over both samples."""
    draw = random.Random(3)

    def gap(one: list[float], other: list[float]) -> float:
        return naive.median(one) - naive.median(other)

    found = sorted(
        gap(draw.choices(values, k=len(values)), draw.choices(others, k=len(others))) for _ in range(resamples)
    )
    here = gap(values, others)
    below = sum(each < here for each in found) + sum(each == here for each in found) / 2
    bias = NORMAL.inv_cdf(below / resamples)
    cubes = squares = 0.0
    for sample, of in ((values, lambda left: gap(left, others)), (others, lambda left: gap(values, left))):
        left_out = [of(sample[:i] + sample[i + 1 :]) for i in range(len(sample))]
        influence = [(len(sample) - 1) * (naive.fmean(left_out) - each) for each in left_out]
        cubes += sum(each**3 for each in influence) / len(sample) ** 3
        squares += sum(each**2 for each in influence) / len(sample) ** 2
    acceleration = cubes / (6 * squares**1.5)

    def end(tail: float) -> float:
        z = bias + NORMAL.inv_cdf(tail)
        return found[int(NORMAL.cdf(bias + z / (1 - acceleration * z)) * resamples)]

    return end(0.025), end(0.975)


def test_the_interval_of_a_difference_is_the_textbooks() -> None:
    draw = random.Random(4)
    values, others = [draw.gauss(1, 1) for _ in range(20)], [draw.expovariate(1) for _ in range(15)]
    found = statistics.median_difference(values, others)
    assert found == pytest.approx(naive_difference(values, others), abs=0.06)
    assert found == statistics.median_difference(values, others)


def test_the_interval_of_a_difference_of_few_seeds() -> None:
    assert statistics.median_difference([1.0, 1.0], [3.0, 3.0, 3.0]) == (-2.0, -2.0)
    assert statistics.median_difference([1.0], [3.0, 4.0]) is None
    low, high = statistics.median_difference([1.0, 2.0, 4.0], [7.0, 7.0]) or (0.0, 0.0)
    assert -6 <= low <= -5 <= high <= -3


def test_the_interval_of_a_difference_of_rates_is_newcombes() -> None:
    # Newcombe 1998, table II, the first example by method 10
    assert statistics.rate_difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    low, high = statistics.rate_difference(0, 5, 5, 5)
    assert (low, high) == pytest.approx((-1.0, -0.3852), abs=1e-3)
