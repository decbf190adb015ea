"""Curves of several seeds: the median as a line, the middle half as a band, every seed faint; and the words for it."""

# S = seeds, X = places on the axis

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from augrnn.exhibits.style import Look

Floats = NDArray[np.float64]

FEWEST = 4
"""Seeds without which there is no band."""


class Curves(NamedTuple):
    """The seeds of a variant on one axis.

    Attributes:
      places_X: the places of the seed that has the most.
      values_SX: a seed's values joined by straight lines, and kept for half a step before its first and after its last
        one, because seeds need not be measured at exactly the same places; nan beyond.
    """

    places_X: Floats
    values_SX: Floats


def known(values: Any) -> Floats:
    """The values of a run, with nan for those that are none or not finite."""
    found = np.array(values, dtype=float)
    return np.where(np.isfinite(found), found, np.nan)


def together(runs: Sequence[tuple[Any, Any]]) -> Curves:
    """The (places, values) of runs, of which there is at least one, on one axis."""
    pairs = [(np.array(places, dtype=float), known(values)) for places, values in runs]
    places_X = max((places for places, _ in pairs), key=len)
    return Curves(places_X, np.array([_at(places_X, *one) for one in pairs]))


def _at(places_X: Floats, places: Floats, values: Floats) -> Floats:
    if not len(places):
        return np.full_like(places_X, np.nan)
    half = (places[-1] - places[0]) / max(len(places) - 1, 1) / 2
    near = (places_X >= places[0] - half) & (places_X <= places[-1] + half)
    return np.where(near, np.interp(places_X, places, values), np.nan)


def quantiles(values_SX: Floats, share: float) -> Floats:
    """A quantile over the seeds that have a value, at each place; nan where none has, (X,)."""
    known = (column[np.isfinite(column)] for column in values_SX.T)
    return np.array([np.quantile(column, share) if column.size else np.nan for column in known])


def draw(
    axes: "Axes",
    runs: Sequence[tuple[Any, Any]],
    look: "Look",
    label: str | None = None,
    below: tuple[float, float] | None = None,
) -> None:
    """Draw the seeds of a variant, of which there is at least one.

    Args:
      axes: where they are drawn.
      runs: for each seed (places, values).
      look: of the variant.
      label: its name in the legend.
      below: a value, and the height at which those below it are drawn.
    """
    floor, height = below or (-np.inf, -np.inf)

    def shown(values: Floats) -> Floats:
        return np.where(values < floor, height, values)

    places_X, values_SX = together(runs)
    marker = look.marker if len(places_X) == 1 else None
    if len(runs) > 1:
        for places, values in runs:
            there = known(values)
            single = "." if np.isfinite(there).sum() == 1 else None
            axes.plot(places, shown(there), color=look.colour, lw=0.7, alpha=0.35, marker=single, ms=3)
    if len(runs) >= FEWEST:
        low, high = (shown(quantiles(values_SX, share)) for share in (0.25, 0.75))
        axes.fill_between(places_X, low, high, color=look.colour, alpha=0.18, lw=0)
    median = shown(quantiles(values_SX, 0.5))
    axes.plot(places_X, median, color=look.colour, ls=look.line, lw=1.8, marker=marker, ms=4, label=label)


def told(found: Mapping[str, Sequence[tuple[Any, Any]]]) -> str:
    """What `draw` shows of each variant, in sentences."""
    counts = {name: len(runs) for name, runs in found.items()}
    if not any(counts.values()):
        return "No run has ended."
    if max(counts.values()) == 1:
        most = max(len(places) for runs in found.values() for places, _ in runs)
        return " ".join([f"{'Line' if most > 1 else 'Point'}: one seed.", counted(counts)])
    sentences = ["Thick line: the median over seeds. Thin faint lines: single seeds."]
    if max(counts.values()) >= FEWEST:
        sentences.insert(1, f"Band: the middle half of the seeds (where there are at least {FEWEST}).")
    sentences.append(counted(counts))
    short = sum(int(np.isnan(together(runs).values_SX).any(axis=1).sum()) for runs in found.values() if runs)
    if short:
        sentences.append(missing(short))
    return " ".join(sentences)


def missing(count: int) -> str:
    """How seeds are drawn that lack values."""
    return (
        f"{count} seed{'s lack' if count > 1 else ' lacks'} values (failed, or stopped earlier) and "
        f"{'are' if count > 1 else 'is'} left out of the median there."
    )


def counted(counts: Mapping[str, int]) -> str:
    """How many seeds each variant has."""
    if len(set(counts.values())) == 1:
        return f"Seeds: {next(iter(counts.values()))}{' of each variant' if len(counts) > 1 else ''}."
    return f"Seeds: {', '.join(f'{name} {count}' for name, count in counts.items())}."
