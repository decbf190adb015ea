"""Intervals over seeds. Everything random here is seeded, so a verdict computed twice is the same verdict."""

import math
import warnings
from collections.abc import Callable, Sequence

CONFIDENCE = 0.95
RESAMPLES = 9999

Interval = tuple[float | None, float | None]
"""Both ends of a 95 % interval; None where an end is unbounded because failed seeds reach that far."""


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a success rate (Wilson 1927), for at least one trial."""
    from scipy.stats import binomtest

    ends = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(ends.low), float(ends.high)


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones; infinite values are allowed."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def mean(values: Sequence[float]) -> float:
    """The sum over the number; infinite values of one sign are allowed."""
    return math.fsum(values) / len(values)


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
    from scipy import stats

    if not all(map(math.isfinite, values)):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns where the method is undefined; its nan says the same
        ends = stats.bootstrap(
            (np.asarray(values, dtype=float),),
            lambda sample: statistic(sample.tolist()),
            vectorized=False,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="BCa",
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
