"""Every kind goes to a file and back, rounded; what is no exhibit is one clear line."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augrnn.errors import UserError
from augrnn.exhibits.alignments import Alignments
from augrnn.exhibits.compute import AgainstSteps, StepsOverTime
from augrnn.exhibits.curves import ByBucket, BySize, LearningCurves
from augrnn.exhibits.exhibit import Exhibit, from_content, read_exhibits, write_exhibits
from augrnn.exhibits.memory_trace import Frame, MemoryTrace
from augrnn.exhibits.text_table import TextTable
from augrnn.measures.copy.figure import CopyTrace
from augrnn.measures.dynamic_ngrams.figure import ExcessByPosition, NgramTrace, RowsByContext
from augrnn.measures.priority_sort.figure import Line, SortedWrites
from augrnn.measures.repeat_copy.figure import EarlyEnds

RANDOM = np.random.default_rng(0)
MAP, VECTOR = RANDOM.random((5, 3)), RANDOM.random(5)
FRAMES = (Frame("inputs", "query", (1, 2), (0, 3)), Frame("write", "answer", (3, 4), (1, 2)))
KINDS: dict[str, tuple[Exhibit, int]] = {
    "learning": (LearningCurves({"a": [([1, 2], [3.0, None])], "b": []}, "cost", floor=0.1, bar=1.0), 1),
    "by size": (BySize({"a": [{"10": 0.0, "5": 3.0}, {"10": 2.0, "5": None}], "b": []}, "wrong", "length", 0.1), 1),
    "against steps": (
        AgainstSteps({"a": [(1.0, 0.5), (2.5, 0.0)], "b": [(3.0, None)], "c": []}, "wrong", {"a guess": 0.5}, 0.01),
        1,
    ),
    "steps over time": (StepsOverTime({"a": [[1.0, 2.5, 1.0], [1.0, None, 2.0]], "b": []}, {"delimiter": 1}), 1),
    "by bucket": (ByBucket({"a": [{"1-9": [1.0, 2.0, 3.0]}], "b": []}, "BLEU", "words"), 1),
    "alignments": (Alignments((np.eye(2), np.ones((3, 1))), (("a", "b"), ("c",)), (("x", "y"), ("u", "v", "w"))), 3),
    "texts": (TextTable(("source", "translation"), (("a é", "b"), ("c", "d"))), 1),
    "memory": (MemoryTrace("t", MAP, MAP, MAP, MAP, marks={"read": [2]}, frames=FRAMES), 6),
    "copy": (CopyTrace("t", MAP, MAP, MAP, MAP, MAP, MAP), 6),
    "sort": (SortedWrites("t", VECTOR, VECTOR, Line(1.25, 0.5, 0.9), MAP, MAP), 3),
    "ngrams": (NgramTrace("t", 7, VECTOR, VECTOR, VECTOR, MAP, MAP), 3),
    "contexts": (RowsByContext("t", (("00", "01"), ("00",)), (np.eye(2), np.ones((1, 2))), (0, 1)), 3),
    "excess": (ExcessByPosition({"a": [[1.0, None], [2.0, 0.5]], "b": []}), 1),
    "ends": (EarlyEnds({"a": [[0.5, 1.0]], "b": []}), 1),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_goes_to_a_file_and_back_and_draws_itself(name: str, tmp_path: Path) -> None:
    exhibit, panels = KINDS[name]
    write_exhibits(tmp_path / "x.json", {name: exhibit})
    read = read_exhibits(tmp_path / "x.json")[name]
    assert type(read) is type(exhibit)
    assert read.content() == exhibit.content()
    for each in (exhibit, read):
        assert len(each.figure().axes) == panels


MARKS = {
    "learning": "Line: one seed. | Dashed line: | 1. | logarithmic | Seeds: a 1, b 0.",
    "by size": "Points: single seeds. | Line: their median. | linear from 0 to 0.1 | 1 seed lacks values",
    "against steps": "Point: one run. | Runs: a 2, b 1, c 0. | a guess, 0.5. | Not drawn: 1 | from 0 to 0.01",
    "steps over time": "each step in time | Thick line: the median | Upright dashed line: delimiter, at step 1.",
    "by bucket": "Point: one seed | Bar: the 95 % interval",
    "alignments": "Each panel | Columns: source. | Rows: target. | Brightness of a cell | black | (white)",
    "texts": "Columns: source, translation. | Each row",
    "memory": "Colours: | Thin white lines: | Frames: query, answer. | enlarged | outputs | write head | read head",
    "copy": "Left: | Right: | Colours: | input | output | adds | reads | weights of both heads",
    "sort": "dots | line | R² 0.90 | write weighting | read weighting | Colours:",
    "ngrams": "thin line | thick grey line | dots | write head | read head | Colours:",
    "contexts": "Each line of a panel | each column | Colour of a cell",
    "excess": "Thick line: the median | Thin faint lines: single seeds | 1 seed lacks values | Dashed line at 0",
    "ends": "Line: one seed. | end marker",
}


@pytest.mark.parametrize("name", KINDS)
def test_the_caption_names_every_mark_and_stands_under_the_picture(name: str) -> None:
    exhibit, _ = KINDS[name]
    for words in MARKS[name].split(" | "):
        assert words in exhibit.caption
    assert len(re.findall(r"[A-Za-z]+", exhibit.caption)) < 120
    plain, captioned = exhibit.figure(captioned=False), exhibit.figure()
    assert " ".join(captioned.get_supxlabel().split()) == exhibit.caption
    assert plain.get_supxlabel() == ""
    assert captioned.get_figheight() > plain.get_figheight()


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_written_outside_the_picture(name: str) -> None:
    figure = KINDS[name][0].figure()
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 > -0.02
    assert box.y0 > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02


@pytest.mark.parametrize("width", [3.0, 6.4, 12.0])
def test_a_caption_of_any_script_is_as_wide_as_its_picture(width: float) -> None:
    from augrnn.exhibits.style import add_caption, plt

    for caption in ("W" * 20 + " WWWW" * 40, "illi " * 80, "x" * 300):
        figure = plt.figure(figsize=(width, 2))
        add_caption(figure, caption)
        box = figure._supxlabel.get_window_extent()  # type: ignore[attr-defined]
        assert box.width < width * figure.dpi
        assert box.height < (figure.get_figheight() - 2) * figure.dpi
        plt.close(figure)


def test_named_tuples_and_arrays_come_back_as_such(tmp_path: Path) -> None:
    write_exhibits(tmp_path / "x.json", {name: exhibit for name, (exhibit, _) in KINDS.items()})
    read: dict[str, Any] = read_exhibits(tmp_path / "x.json")
    assert list(read) == list(KINDS)
    assert isinstance(read["memory"].frames[1], Frame)
    assert read["sort"].line == Line(1.25, 0.5, 0.9)
    assert read["memory"].write.shape == (5, 3)
    assert read["alignments"].weights[1].shape == (3, 1)


def test_numbers_are_rounded_and_whole_ones_are_written_as_such(tmp_path: Path) -> None:
    weights = np.array([[0.12345, 1.0], [np.nan, 0.00004]])
    shown = Alignments((weights,), (("a", "b"),), (("x", "y"),))
    assert json.dumps(shown.content()["weights"]) == "[[[0.123, 1], [null, 0]]]"
    write_exhibits(tmp_path / "x.json", {"alignment": shown})
    assert "\n    [0.123, 1],\n    [null, 0]\n" in (tmp_path / "x.json").read_text()
    back: Any = read_exhibits(tmp_path / "x.json")["alignment"]
    assert np.isnan(back.weights[0][1, 0])
    assert LearningCurves({}, "cost", bar=1 / 3).content()["bar"] == 0.333333333


def test_no_file_is_no_exhibits(tmp_path: Path) -> None:
    assert read_exhibits(tmp_path / "x.json") == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"kind": "augrnn.exhibits.nothing.None"}, "there is no kind of exhibit called augrnn.exhibits.nothing.None"),
        ({"kind": "augrnn.exhibits.curves.Nothing"}, "there is no kind of exhibit called"),
        ({"kind": "Nothing"}, "there is no kind of exhibit called Nothing"),
        ({"kind": "augrnn.errors.UserError"}, "is no kind of exhibit: it must be a subclass of"),
        ({"kind": "augrnn.exhibits.text_table.TextTable", "rows": []}, "the fields do not fit the kind"),
        ({"kind": "augrnn.exhibits.text_table.TextTable", "columns": [], "rows": 3}, "the fields do not fit the kind"),
        (
            {"kind": "augrnn.exhibits.alignments.Alignments", "weights": [["x"]], "sources": [], "targets": []},
            "the fields do not fit the kind",
        ),
        ({"rows": []}, "an exhibit needs a kind"),
        ([1], "an exhibit needs a kind"),
    ],
)
def test_what_is_no_exhibit_is_one_line(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        from_content(content)
    (tmp_path / "x.json").write_text(json.dumps({"broken": content}))
    with pytest.raises(UserError, match=f"x.json, exhibit broken: .*{message}") as raised:
        read_exhibits(tmp_path / "x.json")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_file_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UserError, match=r"x\.json is damaged .*delete it, or restore it with git"):
        read_exhibits(tmp_path / "x.json")


def test_exhibits_need_no_matplotlib_until_they_are_drawn() -> None:
    program = """
import sys
import augrnn.exhibits.curves, augrnn.exhibits.memory_trace, augrnn.exhibits.seeds, augrnn.exhibits.text_table
import augrnn.exhibits.alignments, augrnn.measures.copy.figure, augrnn.measures.measure
assert augrnn.exhibits.curves.LearningCurves({"a": [([1], [2])]}, "cost", floor=.1).caption
slow = {"matplotlib", "torch", "lightning"} & set(sys.modules)
assert not slow, slow
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
