"""Intervals over seeds. Everything random here is seeded, so a verdict computed twice is the same verdict."""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

CONFIDENCE = 0.95
RESAMPLES = 9999
NORMAL = NormalDist()

Interval = tuple[float | None, float | None]
"""Both ends of a 95 % interval; None where an end is unbounded because failed seeds reach that far."""


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a success rate (Wilson 1927), for at least one trial."""
    z, rate = NORMAL.inv_cdf((1 + CONFIDENCE) / 2), successes / trials
    spread = z * math.sqrt(rate * (1 - rate) / trials + (z / (2 * trials)) ** 2)
    centre, scale = rate + z * z / (2 * trials), 1 + z * z / trials
    low = (centre - spread) / scale if successes else 0.0
    return low, (centre + spread) / scale if successes < trials else 1.0


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


def _accelerated(values: Sequence[float], statistic: Callable[[Sequence[float]], float]) -> Interval | None:
    import numpy as np

    if not all(map(math.isfinite, values)):
        return None
    known, count, found = np.asarray(values, dtype=float), len(values), statistic(values)
    draws = np.random.default_rng(0).integers(count, size=(RESAMPLES, count))
    resampled = _each(statistic, known[draws])
    left_out = _each(statistic, np.stack([np.delete(known, i) for i in range(count)]))
    gaps = left_out.mean() - left_out
    largest = float(np.abs(gaps).max())
    below = float((resampled < found).mean() + (resampled <= found).mean()) / 2
    if largest == 0 or not 0 < below < 1:
        return None
    gaps = gaps / largest  # else the squares of tiny ones are zero
    bias, acceleration = NORMAL.inv_cdf(below), float((gaps**3).sum() / (gaps**2).sum() ** 1.5) / 6
    tails = [bias + NORMAL.inv_cdf(tail) for tail in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)]
    low, high = (NORMAL.cdf(bias + z / (1 - acceleration * z)) for z in tails)
    return float(np.percentile(resampled, 100 * low)), float(np.percentile(resampled, 100 * high))


def _each(statistic: Callable[[Sequence[float]], float], samples: Any) -> Any:
    """A statistic of each sample; the samples are the last dimension of an array."""
    import numpy as np

    if statistic is median:
        return np.median(samples, axis=-1)  # the same numbers, and `list` waits for them
    found = [statistic(sample) for sample in samples.reshape(-1, samples.shape[-1]).tolist()]
    return np.asarray(found).reshape(samples.shape[:-1])


def _percentiles(values: Sequence[float], statistic: Callable[[Sequence[float]], float]) -> Interval:
    import numpy as np

    draws = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    resampled = sorted(statistic([values[i] for i in draw]) for draw in draws.tolist())
    tail = (1 - CONFIDENCE) / 2
    return _bounded(resampled[int(tail * RESAMPLES)]), _bounded(resampled[math.ceil((1 - tail) * RESAMPLES) - 1])


def _bounded(value: float) -> float | None:
    return value if math.isfinite(value) else None
