"""Intervals over seeds. Everything random here is seeded, so a verdict computed twice is the same verdict."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

CONFIDENCE = 0.95
RESAMPLES = 9999

Interval = tuple[float | None, float | None]
"""Both ends of a 95 % interval; None where an end is unbounded because failed seeds reach that far."""


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a success rate (Wilson 1927), for at least one trial."""
    from scipy.stats import binomtest

    ends = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(ends.low), float(ends.high)


def rate_difference(successes: int, trials: int, others: int, of_others: int) -> Interval:
    """Interval of a success rate minus another one, from Wilson's of both (Newcombe 1998, method 10)."""
    one, other = successes / trials, others / of_others
    (low, high), (other_low, other_high) = wilson(successes, trials), wilson(others, of_others)
    assert low is not None and high is not None and other_low is not None and other_high is not None  # noqa: PT018
    below, above = math.hypot(one - low, other_high - other), math.hypot(high - one, other - other_low)
    return one - other - below, one - other + above


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones; infinite values are allowed."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def mean(values: Sequence[float]) -> float:
    """The sum over the number; infinite values of one sign are allowed."""
    return math.fsum(values) / len(values)


def prediction(mean: float, deviation: float, known: int, new: int) -> tuple[float, float]:
    """Student's prediction interval for the mean of new values, from known ones (Hahn and Meeker 1991, chapter 4).

    Args:
      mean: of the known values.
      deviation: their standard deviation, that of a sample.
      known: how many there are, at least 2.
      new: how many the new mean will be of.
    """
    from scipy.stats import t

    reach = float(t.ppf((1 + CONFIDENCE) / 2, known - 1)) * deviation * math.sqrt(1 / known + 1 / new)
    return mean - reach, mean + reach


def bootstrap(values: Sequence[float], statistic: Callable[[Sequence[float]], float]) -> Interval | None:
    """Bootstrap interval of a statistic over seeds.

    Bias-corrected and accelerated (Efron 1987) where that is defined; plain percentiles where it is not: with infinite
    values (failed seeds), or where leaving out a seed never changes the statistic.

    Returns:
      The interval, or None for a single value, which says nothing of the spread.
    """
    if len(values) < 2:
        return None
    if len(set(values)) == 1:
        return _bounded(values[0]), _bounded(values[0])
    return _accelerated(values, statistic) or _percentiles(values, statistic)


def median_difference(values: Sequence[float], others: Sequence[float]) -> Interval | None:
    """Bootstrap interval of the median of some seeds minus that of others, all finite, each set resampled by itself.

    Bias-corrected and accelerated (Efron 1987; of two samples, DiCiccio and Efron 1996) where that is defined; plain
    percentiles where it is not.

    Returns:
      The interval, or None where either has a single value.
    """
    import numpy as np

    def difference(one: Any, other: Any, axis: int = -1) -> Any:
        return np.median(one, axis=axis) - np.median(other, axis=axis)

    if min(len(values), len(others)) < 2:
        return None
    samples = values, others
    return _resampled(samples, difference, "BCa") or _resampled(samples, difference, "percentile")


def _accelerated(values: Sequence[float], statistic: Callable[[Sequence[float]], float]) -> Interval | None:
    import numpy as np

    if not all(map(math.isfinite, values)):
        return None
    if statistic is median:  # numpy's median of all resamples at once is the same number, sooner
        return _resampled([values], np.median, "BCa")
    return _resampled([values], lambda sample: statistic(sample.tolist()), "BCa", at_once=False)


def _resampled(
    samples: Sequence[Sequence[float]], statistic: Callable[..., Any], method: str, at_once: bool = True
) -> Interval | None:
    """Scipy's interval of a statistic of some samples; None where the method is undefined.

    Args:
      samples: each resampled by itself.
      statistic: of arrays, one for each sample.
      method: as scipy calls it.
      at_once: whether the statistic takes all resamples as one array, along whose last axis it is taken.
    """
    import numpy as np
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns where the method is undefined; its nan says the same
        ends = stats.bootstrap(
            [np.asarray(sample, dtype=float) for sample in samples],
            statistic,
            vectorized=at_once,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method=method,
            random_state=np.random.default_rng(0),
        ).confidence_interval
    return (float(ends.low), float(ends.high)) if math.isfinite(ends.low + ends.high) else None


def _percentiles(values: Sequence[float], statistic: Callable[[Sequence[float]], float]) -> Interval:
    import numpy as np

    draws = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    resampled = sorted(statistic([values[i] for i in draw]) for draw in draws.tolist())
    tail = (1 - CONFIDENCE) / 2
    return _bounded(resampled[int(tail * RESAMPLES)]), _bounded(resampled[math.ceil((1 - tail) * RESAMPLES) - 1])


def _bounded(value: float) -> float | None:
    return value if math.isfinite(value) else None
