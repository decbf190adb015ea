"""What a chart draws is what its exhibit holds."""

from __future__ import annotations

import base64
import json
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from augrnn.exhibits.alignments import Alignments
from augrnn.exhibits.compute import AgainstSteps, StepsOverTime
from augrnn.exhibits.curves import ByBucket, BySize, LearningCurves
from augrnn.exhibits.text_table import TextTable
from augrnn.exhibits.word_maps import WordMaps
from augrnn.measures.text.figure import PonderedText
from augrnn.report.charts import chart
from tests.report.conftest import EXPERIMENTS

if TYPE_CHECKING:
    from augrnn.report.contents import Shown


def test_curves_keep_every_run_and_have_its_median() -> None:
    runs = [([10, 20, 30], [3.0, 2.0, 1.0]), ([10, 20, 30], [5.0, None, 0.5]), ([10, 20, 30], [4.0, 4.0, 4.0])]
    found = chart(LearningCurves({"a": runs, "none": []}, "cost", floor=0.1, bar=0.5, bar_name="solved"))
    assert found is not None
    (series,) = found["series"]
    assert series["runs"][1] == [[10, 5], [20, None], [30, 0.5]]
    assert [value for _, value in series["median"]] == [
        statistics.median(each) for each in ([3, 5, 4], [2, 4], [1, 0.5, 4])
    ]
    assert (found["floor"], found["bars"]) == (0.1, [0.5])
    assert "Dashed line: solved, 0.5." in found["caption"]
    assert "Seeds: a 3, none 0." in found["caption"]


def test_sizes_are_in_order_and_what_lacks_is_none() -> None:
    found = chart(BySize({"a": [{"10": 1.0, "2": 3.0}, {"2": 5.0}]}, "wrong", "length", small=0.01))
    assert found is not None
    assert found["sizes"] == ["2", "10"]
    assert found["series"][0]["runs"] == [[3, 1], [5, None]]
    assert found["series"][0]["median"] == [4, 1]
    assert chart(BySize({}, "wrong", "length"))["series"] == []  # type: ignore[index]


def test_buckets_points_and_steps_are_kept_as_they_are() -> None:
    found = chart(ByBucket({"a": [{"1-9": [1.0, 2.0, 3.0]}]}, "BLEU", "words"))
    assert found is not None
    assert found["points"] == [{"name": "a", "seed": 0, "bucket": "1-9", "ends": [1, 2, 3]}]
    found = chart(AgainstSteps({"a": [(1.5, 0.25), (None, None)]}, "error", {"a guess": 0.5}))
    assert found is not None
    assert found["series"][0]["runs"] == [[1.5, 0.25], [None, None]]
    assert found["bars"] == [0.5]
    found = chart(StepsOverTime({"a": [[1.0, 2.0]]}, {"the delimiter": 1}))
    assert found is not None
    assert found["series"][0]["median"] == [[0, 1], [1, 2]]
    assert found["marks"] == [1]


def test_alignments_and_maps_are_rows_of_weights() -> None:
    weights = np.array([[0.25, 0.75], [1, 0]])
    found = chart(Alignments((weights,), (("a", "b"),), (("x", "y"),)))
    assert found is not None
    assert found["sentences"] == [{"source": ["a", "b"], "target": ["x", "y"], "weights": weights.tolist()}]
    assert chart(Alignments((), (), ())) is None
    picture = np.random.default_rng(0).integers(0, 256, (6, 6, 3))
    found = chart(WordMaps(picture, np.full((1, 2, 2), 0.25), ("dog",)))
    assert found is not None
    pixels = np.frombuffer(base64.b64decode(found["picture"]["pixels"]), np.uint8)
    assert np.array_equal(pixels.reshape(found["picture"]["side"], -1, 3), picture)
    assert found["maps"] == [[[0.25, 0.25], [0.25, 0.25]]]


def test_a_pondered_text_has_steps_and_bits_for_each_sign() -> None:
    found = chart(PonderedText("a model", "ab␣", [1, 2, 3], [0.5, None, 2.25]))  # type: ignore[arg-type]
    assert found is not None
    assert (found["text"], found["steps"], found["bits"]) == ("ab␣", [1, 2, 3], [0.5, None, 2.25])
    assert found["caption"].startswith("a model: ")


def test_other_kinds_have_none() -> None:
    assert chart(TextTable(("a",), (("b",),))) is None


@pytest.mark.parametrize("name", ["ntm/copy", "ntm/associative-recall", "ntm/dynamic-ngrams", "ntm/repeat-copy"])
def test_traces_have_the_numbers_that_are_committed(name: str, committed: list[Shown]) -> None:
    (one,) = [each for each in committed if each.experiment.name == name]
    kept: dict[str, Any] = json.loads((EXPERIMENTS / name / "exhibits/small.json").read_text(encoding="utf-8"))["heads"]
    found = chart(one.exhibits["small"]["heads"])
    assert found is not None
    panels = {panel["title"]: panel["values"] for panel in found["panels"]}
    assert panels["write weighting"] == kept["write"]
    assert panels["read weighting"] == kept["read"]
    assert len({len(values) for values in panels.values()}) == 1


def test_maps_have_the_numbers_that_are_committed(committed: list[Shown]) -> None:
    experiments = {each.experiment.name: each for each in committed}
    kept = json.loads((EXPERIMENTS / "ntm/priority-sort/exhibits/small.json").read_text(encoding="utf-8"))["heads"]
    found = chart(experiments["ntm/priority-sort"].exhibits["small"]["heads"])
    assert found is not None
    placed, write, read = found["panels"]
    assert placed["points"] == [list(pair) for pair in zip(kept["priorities"], kept["locations"], strict=True)]
    slope, intercept, _ = kept["line"]
    assert placed["line"] == [[end, pytest.approx(intercept + end * slope, rel=1e-5)] for end in (-1, 1)]
    assert (write["values"], read["values"]) == (kept["write"], kept["read"])
    kept = json.loads((EXPERIMENTS / "ntm/dynamic-ngrams/exhibits/small.json").read_text(encoding="utf-8"))["contexts"]
    found = chart(experiments["ntm/dynamic-ngrams"].exhibits["small"]["contexts"])
    assert found is not None
    assert [panel["values"] for panel in found["panels"]] == kept["shares"]
    assert [panel["rows"] for panel in found["panels"]] == kept["contexts"]


def test_every_chart_is_plain_json_with_a_caption(committed: list[Shown]) -> None:
    found = [chart(exhibit) for each in committed for shown in each.exhibits.values() for exhibit in shown.values()]
    charts = [each for each in found if each is not None]
    assert len(charts) > 50
    for each in charts:
        assert json.loads(json.dumps(each, allow_nan=False)) == each
        assert each["caption"].endswith(".")
