"""What the heads of a memory do over one sequence, after figures 9 and 12 of the Neural Turing Machine paper."""

# T = time steps, N = memory rows shown

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS = {"inputs": "inputs", "outputs": "outputs", "write": "write weighting", "read": "read weighting"}
"""From top to bottom: a field, and the title of its panel."""


class Frame(NamedTuple):
    """A frame around part of a panel.

    Attributes:
      panel: the field that the panel shows.
      label: what is framed; frames of one label have one colour.
      steps: the first step inside, and the one after the last.
      rows: the first row or channel inside, and the one after the last, counted among those shown.
    """

    panel: str
    label: str
    steps: tuple[int, int]
    rows: tuple[int, int]


@dataclass(frozen=True, eq=False)
class MemoryTrace(Exhibit):
    """Inputs, outputs, write and read weighting below each other over one axis of time.

    Attributes:
      title: over the picture.
      inputs, outputs: (T, channels).
      write, read: weightings (T, N).
      marks: for a panel the steps before which a line stands.
      frames: what is framed.
    """

    title: str
    inputs: Array
    outputs: Array
    write: Array
    read: Array
    marks: dict[str, list[int]] = field(default_factory=dict)
    frames: tuple[Frame, ...] = ()

    def figure(self) -> "Figure":
        from matplotlib.patches import Rectangle

        from augrnn.exhibits.style import PALETTE, WIDTH, plt

        figure, stack = plt.subplots(len(PANELS), 1, figsize=(WIDTH, 5.6), height_ratios=(1, 1, 2, 2), sharex=True)
        panels = dict(zip(PANELS, stack, strict=True))
        for name, axes in panels.items():
            axes.imshow(getattr(self, name).T, aspect="auto", origin="upper")
            axes.set_title(PANELS[name], fontsize=9)
            axes.set_yticks([])
            axes.grid(False)
            for step in self.marks.get(name, ()):
                axes.axvline(step - 0.5, color="white", lw=0.6, alpha=0.7)
        panels["write"].set_ylabel("memory rows")
        panels["read"].set(ylabel="memory rows", xlabel="time")
        figure.suptitle(self.title, fontsize=10)
        colours: dict[str, str] = {}
        for panel, label, (start, end), (top, bottom) in self.frames:
            known = label in colours
            colour = colours.setdefault(label, (PALETTE[5], PALETTE[1])[len(colours) % 2])
            corner, size = (start - 0.5, top - 0.5), (end - start, bottom - top)
            named = None if known else label
            frame = Rectangle(corner, *size, fill=False, edgecolor=colour, lw=1.5, label=named, clip_on=False)
            panels[panel].add_patch(frame)
        if colours:
            figure.legend(loc="outside lower center", ncols=len(colours))
        return figure
