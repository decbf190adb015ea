"""Repeat copy: where the end marker stands, after figure 8 of the Neural Turing Machine paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augrnn.exhibits import seeds
from augrnn.exhibits.exhibit import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class EarlyEnds(Exhibit):
    """The share of sequences with the end marker on after each repetition but the last: median and every seed.

    Attributes:
      found: for each variant and each of its runs the shares after repetition 1, 2, ...
    """

    found: Mapping[str, Sequence[Sequence[float | None]]]

    @property
    def _curves(self) -> dict[str, list[tuple[Any, Any]]]:
        """Each run's repetitions given and its shares."""
        return {variant: [(range(1, len(run) + 1), run) for run in runs] for variant, runs in self.found.items()}

    @property
    def caption(self) -> str:
        return (
            "Share of sequences in which the end marker is on too early, after so many repetitions (the last one, "
            f"where it belongs, is left out). {seeds.told(self._curves)}"
        )

    def draw(self) -> "Figure":
        from matplotlib.ticker import MaxNLocator

        from augrnn.exhibits.style import WIDTH, legend, looks, plt

        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        every = looks(self.found)
        for variant, runs in self._curves.items():
            if runs:
                seeds.draw(axes, runs, every[variant], variant)
        axes.set(xlabel="repetitions given", ylabel="share with the end marker on", ylim=(-0.03, 1.03))
        axes.set_title("End markers that come too early")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend(axes)
        return figure
