"""What the heads of a memory do over one sequence, after figures 9 and 12 of the Neural Turing Machine paper."""

# T = time steps, N = memory rows shown

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = {"inputs": "inputs", "outputs": "outputs", "write": "write weighting", "read": "read weighting"}
"""From top to bottom: a field, and the title of its panel."""

ENLARGED = ("write", "read")
"""The panels of which the framed parts are drawn again, larger."""

MARGIN = 2
"""Steps and rows around the frames in an enlarged part."""


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
    """Inputs, outputs, write and read weighting below each other over one axis of time; framed parts again, enlarged.

    Attributes:
      title: over the picture.
      inputs, outputs: (T, channels).
      write, read: weightings (T, N).
      marks: for a panel the steps before which a line stands.
      frames: what is framed.
      frames_are: what the frames mean, in sentences.
    """

    vector: ClassVar[bool] = False

    title: str
    inputs: Array
    outputs: Array
    write: Array
    read: Array
    marks: dict[str, list[int]] = field(default_factory=dict)
    frames: tuple[Frame, ...] = ()
    frames_are: str = ""

    @property
    def caption(self) -> str:
        parts = [
            "One sequence; time runs to the right. From top to bottom: the inputs, the outputs (probability of a "
            "one), and the weights of a write head and of a read head over the memory rows that are used. Colours: "
            "the value, on the scale beside each panel."
        ]
        if any(self.marks.values()):
            parts.append("Thin white lines: where the next part of the answer (a repetition, the end) should begin.")
        if self.frames:
            labels = ", ".join(dict.fromkeys(frame.label for frame in self.frames))
            parts.append(f"Frames: {labels}. {self.frames_are}".rstrip())
            parts.append("The two lowest panels show the framed parts of both weightings enlarged.")
        return " ".join(parts)

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, heat, plt

        figure = plt.figure(figsize=(WIDTH, 8.0 if self.frames else 5.8))
        ratios = (1, 1, 1.7, 1.7, 2.2) if self.frames else (1, 1, 2, 2)
        grid = figure.add_gridspec(len(ratios), 2, height_ratios=ratios)
        panels: dict[str, Axes] = {}
        for row, (name, title) in enumerate(PANELS.items()):
            shared = next(iter(panels.values()), None)
            axes = panels[name] = figure.add_subplot(grid[row, :], sharex=shared)
            heat(axes, getattr(self, name), title, "memory row" if name in ENLARGED else "channel")
            axes.tick_params(labelbottom=row == len(PANELS) - 1)
            for step in self.marks.get(name, ()):
                axes.axvline(step - 0.5, color="white", lw=0.8, alpha=0.8)
        panels["read"].set_xlabel("time step")
        figure.suptitle(self.title)
        for name, axes in panels.items():
            self._frame(axes, name)
        if self.frames:
            rows = [row for frame in self.frames if frame.panel in ENLARGED for row in frame.rows]
            for column, name in enumerate(ENLARGED):
                self._enlarge(figure.add_subplot(grid[-1, column]), name, (min(rows), max(rows)))
        return figure

    def _enlarge(self, axes: "Axes", name: str, rows: tuple[int, int]) -> None:
        from augrnn.exhibits.style import heat

        weighting_TN = getattr(self, name)
        steps = [step for frame in self.frames if frame.panel == name for step in frame.steps] or [0, len(weighting_TN)]
        (left, right), (top, bottom) = (
            (max(min(ends) - MARGIN, 0) - 0.5, min(max(ends) + MARGIN, size) - 0.5)
            for ends, size in zip((steps, rows), weighting_TN.shape, strict=True)
        )
        heat(axes, weighting_TN, f"{PANELS[name]}, enlarged", "memory row")
        axes.set(xlim=(left, right), ylim=(bottom, top), xlabel="time step")
        self._frame(axes, name, named=True)

    def _frame(self, axes: "Axes", name: str, named: bool = False) -> None:
        """Draw a panel's frames, with their labels above and below in turn so that neighbours do not overlap."""
        from matplotlib.patches import Rectangle

        from augrnn.exhibits.style import PALETTE

        labels = list(dict.fromkeys(frame.label for frame in self.frames))
        for panel, label, (start, end), (top, bottom) in self.frames:
            if panel != name:
                continue
            number = labels.index(label)
            colour = (PALETTE[5], PALETTE[1], "white")[number % 3]
            corner, size = (start - 0.5, top - 0.5), (end - start, bottom - top)
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, lw=1.5, clip_on=False))
            if named:
                edge, away, side = (bottom, -2, "top") if number % 2 else (top, 2, "bottom")
                place: dict[str, Any] = {"xytext": (0, away), "textcoords": "offset points", "va": side}
                axes.annotate(label, (start - 0.5, edge - 0.5), color=colour, size=8, **place)
