"""Repeat copy: where the end marker stands, after figure 8 of the Neural Turing Machine paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from augrnn.exhibits.exhibit import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class EarlyEnds(Exhibit):
    """The share of sequences with the end marker on after each repetition but the last: median and every seed.

    Attributes:
      found: for each variant and each of its runs the shares after repetition 1, 2, ...
    """

    found: Mapping[str, Sequence[Sequence[float]]]

    def figure(self) -> "Figure":
        from matplotlib.ticker import MaxNLocator

        from augrnn.exhibits.style import WIDTH, colours, plt

        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        for variant, colour in colours(self.found).items():
            if not self.found[variant]:
                continue
            values = np.array(self.found[variant], dtype=float)
            after = np.arange(1, values.shape[1] + 1)
            axes.plot(after, values.T, color=colour, lw=0.6, alpha=0.5)
            axes.plot(after, np.median(values, axis=0), color=colour, lw=1.5, label=variant)
        axes.set(xlabel="repetitions given", ylabel="share with the end marker on", ylim=(-0.03, 1.03))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return figure
