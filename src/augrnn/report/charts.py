"""From an exhibit to the data of a chart that a page draws; exhibits that have no chart are shown as their picture."""

# T = time steps, N = memory rows, M = target words, L = source words

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augrnn.exhibits import seeds
from augrnn.exhibits.alignments import Alignments
from augrnn.exhibits.compute import AgainstSteps, StepsOverTime
from augrnn.exhibits.curves import ByBucket, BySize, LearningCurves
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.memory_trace import PANELS, MemoryTrace
from augrnn.exhibits.word_maps import WordMaps
from augrnn.files import jsonable
from augrnn.lab.results import rounded
from augrnn.measures.copy.figure import CopyTrace
from augrnn.measures.dynamic_ngrams.figure import SPAN, ExcessByPosition, NgramTrace, RowsByContext
from augrnn.measures.logic.figure import BesideGuesses
from augrnn.measures.priority_sort.figure import SortedWrites
from augrnn.measures.repeat_copy.figure import EarlyEnds
from augrnn.measures.text.figure import PonderedText

Chart = dict[str, Any]
"""What `assets/charts.js` draws: its `type`, what that needs as plain JSON values, and the `caption` under it."""

Runs = Sequence[tuple[Any, Any]]

READ_OFF = "Grey upright line: where the slider stands; the table below it has the numbers there."


@singledispatch
def chart(exhibit: Exhibit) -> Chart | None:
    """The chart of an exhibit; None for kinds that have none."""
    return None


@chart.register
def _learning(exhibit: LearningCurves) -> Chart:
    bars = {} if exhibit.bar is None else {exhibit.bar_name: exhibit.bar}
    return _curves(exhibit.curves, "training sequences", exhibit.label, bars, floor=exhibit.floor)


@chart.register
def _steps_over_time(exhibit: StepsOverTime) -> Chart:
    curves = {name: [(range(len(run)), run) for run in runs] for name, runs in exhibit.found.items()}
    return _curves(curves, "step in time", "inner steps (mean)", marks=exhibit.marks)


@chart.register
def _early_ends(exhibit: EarlyEnds) -> Chart:
    curves = {name: [(range(1, len(run) + 1), run) for run in runs] for name, runs in exhibit.found.items()}
    return _curves(curves, "repetitions given", "share with the end marker on")


@chart.register
def _excess(exhibit: ExcessByPosition) -> Chart:
    curves = {name: [((np.arange(len(run)) + 0.5) * SPAN, run) for run in runs] for name, runs in exhibit.found.items()}
    y = f"bits above the optimum in {SPAN} bits"
    return _curves(curves, "position in the sequence (bits)", y, {"the optimal estimator": 0})


def _curves(
    curves: Mapping[str, Runs],
    x: str,
    y: str,
    bars: Mapping[str, float] | None = None,
    marks: Mapping[str, int] | None = None,
    floor: float | None = None,
) -> Chart:
    found = [
        {"name": name, "runs": [_points(*run) for run in runs], "median": _median(runs)}
        for name, runs in curves.items()
        if runs
    ]
    words = [f"{_capital(y)}, by {x}. Thin lines: single runs. Thick line: their median.", _counted(curves)]
    words += [f"Dashed line: {name}, {value:.4g}." for name, value in (bars or {}).items()]
    words += [f"Upright dashed line: {name}, at {place}." for name, place in (marks or {}).items()]
    if floor is not None:
        words.append(f"The vertical axis is logarithmic; what is below {floor:g} is drawn at its lower end.")
    return {
        "type": "curves",
        "caption": f"{' '.join(words)} {READ_OFF}",
        "x": x,
        "y": y,
        "series": found,
        "bars": list((bars or {}).values()),
        "marks": list((marks or {}).values()),
        "floor": floor,
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _counted(found: Mapping[str, Sequence[Any]]) -> str:
    return seeds.counted({name: len(runs) for name, runs in found.items()}) if found else ""


def _points(places: Iterable[Any], values: Iterable[Any]) -> list[list[Any]]:
    return [[plain(place), plain(value)] for place, value in zip(places, values, strict=True)]


def _median(runs: Runs) -> list[list[Any]]:
    together = seeds.together(runs)
    return _points(together.places_X, seeds.quantiles(together.values_SX, 0.5))


def plain(value: Any) -> Any:
    """A number as a chart has it; None for none."""
    return rounded(jsonable(value if value is None else float(value)))


@chart.register
def _by_size(exhibit: BySize) -> Chart:
    sizes = sorted({size for runs in exhibit.found.values() for run in runs for size in run}, key=float)
    found = []
    for name, runs in exhibit.found.items():
        if runs:
            values = np.array([[run.get(size) for size in sizes] for run in runs], dtype=float)
            median = [plain(value) for value in seeds.quantiles(values, 0.5)]
            found.append(
                {"name": name, "runs": [[plain(run.get(size)) for size in sizes] for run in runs], "median": median}
            )
    guesses = exhibit.guesses if isinstance(exhibit, BesideGuesses) else None
    words = [f"{_capital(exhibit.label)}, by {exhibit.x}. Points: single runs. Thick line: their median."]
    words.append(_counted(exhibit.found))
    if exhibit.small is not None:
        words.append(f"The vertical axis is linear up to about {exhibit.small:g}, and logarithmic above.")
    if exhibit.even:
        words.append("The values below stand at equal distances.")
    if guesses:
        words.append(f"Thin grey lines, from top to bottom, are computed: {', '.join(guesses)}.")
    return {
        "type": "sizes",
        "caption": f"{' '.join(words)} {READ_OFF}",
        "x": exhibit.x,
        "y": exhibit.label,
        "sizes": list(map(str, sizes)),
        "even": exhibit.even,
        "small": exhibit.small,
        "series": found,
        "lines": [[line.get(size) for size in sizes] for line in (guesses or {}).values()],
    }


@chart.register
def _by_bucket(exhibit: ByBucket) -> Chart:
    runs = [(name, number, run) for name, each in exhibit.found.items() for number, run in enumerate(each)]
    points = [
        {
            "name": name,
            "seed": number,
            "bucket": " ".join(bucket.split()),
            "ends": [rounded(float(value)) for value in ends],
        }
        for name, number, run in runs
        for bucket, ends in run.items()
    ]
    buckets = list(dict.fromkeys(point["bucket"] for point in points))
    caption = (
        f"{_capital(exhibit.label)}, by {exhibit.x}. Point: one run, the median over resamples of its examples. Bar: "
        f"the 95 % interval of these resamples. {_counted(exhibit.found)}"
    )
    return {
        "type": "buckets",
        "caption": caption,
        "x": exhibit.x,
        "y": exhibit.label,
        "buckets": buckets,
        "points": points,
    }


@chart.register
def _against_steps(exhibit: AgainstSteps) -> Chart:
    found = [{"name": name, "runs": [_points_of(run) for run in runs]} for name, runs in exhibit.found.items() if runs]
    words = [f"{_capital(exhibit.label)}, by the mean number of inner steps. Point: one run."]
    words += [f"Dashed line: {name}, {value:.4g}." for name, value in exhibit.lines.items()]
    return {
        "type": "scatter",
        "caption": " ".join([*words, _counted(exhibit.found)]),
        "x": "inner steps (mean)",
        "y": exhibit.label,
        "series": found,
        "bars": list(exhibit.lines.values()),
        "small": exhibit.small,
    }


def _points_of(run: tuple[Any, Any]) -> list[Any]:
    return [plain(value) for value in run]


@chart.register
def _alignments(exhibit: Alignments) -> Chart | None:
    if not exhibit.weights:
        return None
    sentences = [
        {"source": list(source), "target": list(target), "weights": _rows(weights_ML)}
        for weights_ML, source, target in zip(exhibit.weights, exhibit.sources, exhibit.targets, strict=True)
    ]
    caption = (
        "Point at a word, or choose one, to see its weights alone. Arcs are as wide as the weight with which the model "
        "looked at the word above when it gave the word below. In the matrix black is 0 and white is 1."
    )
    return {"type": "alignments", "caption": caption, "sides": list(exhibit.sides), "sentences": sentences}


@chart.register
def _memory_trace(exhibit: MemoryTrace) -> Chart:
    kinds = {"inputs": "channel", "outputs": "channel", "write": "memory row", "read": "memory row"}
    panels = [_panel(title, getattr(exhibit, name), kinds[name]) for name, title in PANELS.items()]
    return _trace(exhibit.title, panels)


@chart.register
def _copy_trace(exhibit: CopyTrace) -> Chart:
    panels = [
        _panel("input", exhibit.inputs, "channel"),
        _panel("output", exhibit.outputs, "channel"),
        _panel("add vectors", exhibit.adds, "vector entry"),
        _panel("read vectors", exhibit.reads, "vector entry"),
        _panel("write weighting", exhibit.write, "memory row"),
        _panel("read weighting", exhibit.read, "memory row"),
    ]
    return _trace(exhibit.title, panels)


@chart.register
def _ngram_trace(exhibit: NgramTrace) -> Chart:
    panels = [
        _panel("the bit before", exhibit.inputs[:, None], ""),
        _panel("prediction", exhibit.predictions[:, None], ""),
        _panel("optimal prediction", exhibit.optimal[:, None], ""),
        _panel("write weighting", exhibit.write, "memory row"),
        _panel("read weighting", exhibit.read, "memory row"),
    ]
    return _trace(exhibit.title, panels, exhibit.first)


def _trace(title: str, panels: list[Chart], first: int = 0) -> Chart:
    caption = (
        f"{title}: one sequence. Time runs to the right. Colours: from dark, the smallest value, to bright. White "
        "frame: the step of the slider; the table below has what stands there. Choose a step by the slider or in a map."
    )
    return {"type": "trace", "caption": caption, "first": first, "panels": panels}


def _panel(title: str, values_TN: NDArray[Any], rows: str) -> Chart:
    return {"title": title, "rows": rows, "values": _rows(values_TN)}


def _rows(values: NDArray[Any]) -> list[list[Any]]:
    found: list[list[Any]] = jsonable(np.round(values, 3))
    return [[rounded(each) for each in row] for row in found]


@chart.register
def _rows_by_context(exhibit: RowsByContext) -> Chart:
    panels = [
        {
            "title": f"{kind} head, {'this' if lag == 0 else 'previous'} context",
            "x": "memory row",
            "y": "context",
            "rows": list(contexts),
            "values": _rows(shares_CN),
        }
        for kind, contexts, shares_CN, lag in zip(
            ("write", "read"), exhibit.contexts, exhibit.shares, exhibit.lags, strict=True
        )
    ]
    caption = (
        f"{exhibit.title}. Colour of a cell: the share of the context's steps at which the row has the head's largest "
        "weight, from 0, dark, to 1. A head that keeps a row for each context has one bright cell a line."
    )
    return {"type": "maps", "caption": caption, "panels": panels}


@chart.register
def _sorted_writes(exhibit: SortedWrites) -> Chart:
    line = exhibit.line
    points = [[plain(each) for each in pair] for pair in zip(exhibit.priorities, exhibit.locations, strict=True)]
    ends = [[end, plain(line.intercept + line.slope * end)] for end in (-1, 1)]
    placed = {
        "title": f"where the vectors of a batch are written, R² {line.r2:.2f}",
        "x": "priority",
        "y": "memory row",
        "points": points,
        "line": ends,
    }
    panels = [
        placed,
        _map("write weighting", exhibit.write, "vector, highest priority first"),
        _map("read weighting", exhibit.read, "step of the answer"),
    ]
    caption = (
        f"{exhibit.title}. Dots: the vectors of a batch, each at its priority and at the memory row where it is "
        "written; the line is fitted to them. Maps, of one sequence: the weights of both heads over the rows, from 0, "
        "dark, to 1."
    )
    return {"type": "maps", "caption": caption, "panels": panels}


def _map(title: str, values: NDArray[Any], y: str) -> Chart:
    return {"title": title, "x": "memory row", "y": y, "values": _rows(values)}


@chart.register
def _word_maps(exhibit: WordMaps) -> Chart:
    pixels = base64.b64encode(exhibit.picture.astype(np.uint8).tobytes()).decode()
    picture = {"side": len(exhibit.picture), "pixels": pixels}
    maps = [_rows(map_RC) for map_RC in exhibit.maps]
    caption = (
        "Point at a word, or choose one: the picture stays bright where the model looked when it gave that word, "
        "smooth between the middles of the grid's cells."
    )
    return {"type": "word_maps", "caption": caption, "picture": picture, "words": list(exhibit.words), "maps": maps}


@chart.register
def _pondered_text(exhibit: PonderedText) -> Chart:
    caption = (
        f"{exhibit.title}: part of one text, byte by byte. Bars: the inner steps that are taken when the byte below is "
        "read. Line: the bits that the byte after it then costs, on a scale of its own. ␣ is a space, ↵ the end of a "
        "line, · a byte that is no ASCII character. The slider reads off one byte."
    )
    found = {
        name: [plain(value) for value in values] for name, values in (("steps", exhibit.steps), ("bits", exhibit.bits))
    }
    return {"type": "pondered_text", "caption": caption, "text": exhibit.text, **found}
