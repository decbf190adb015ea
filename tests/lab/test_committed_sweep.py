"""The committed record of a sweep as a file, and the sweeps that experiments name."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from augrnn.errors import UserError
from augrnn.lab.claims import Verdict
from augrnn.lab.committed_sweep import (
    FILES,
    Row,
    SweepRecord,
    labels,
    outdated_sweeps,
    own_sweep_path,
    own_sweep_paths,
    read_sweep_record,
    record_path,
)
from augrnn.lab.experiment import discover, load, names
from augrnn.lab.sweep_tables import best_points, told

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def made(goal: Any = "maximize") -> SweepRecord:
    curve = {"updates": [1, 2], "sequences": [10, None], "values": [None, 0.5]}
    rows = (
        Row("a", {"m.lr": 0.1, "m.kind": {"class_path": "x.B"}}, {0: 0.5, 3: 0.7}, 2, False, True, 60, curve),
        Row("b", {"m.lr": 0.2, "m.kind": {"class_path": "x.B"}}, {0: 0.9, 3: None}, 2, True, True, 40),
        Row("c", {"m.lr": 0.3, "m.kind": {"class_path": "x.B"}}, {}, 2, False, True),
    )
    parameters = {"m.kind": {"value": {"class_path": "x.B"}}, "m.lr": {"values": [0.1, 0.2, 0.3]}}
    verdicts = {"good": Verdict("partly", 0.5, (0.25, None), 2, "0.5")}
    return SweepRecord("s", "f00", "grid", "val/a", goal, parameters, ["augrnn"], {}, {"commit": ["c"]}, rows, verdicts)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = own_sweep_path(tmp_path, "s")
    assert read_sweep_record(path) is None
    made().write(path)
    assert read_sweep_record(path) == made()
    assert own_sweep_paths(tmp_path) == [path]
    lines = path.read_text().splitlines()
    assert sum(line.startswith('  {"id"') for line in lines) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 0}, "is of another version, or no record of a sweep; this version reads format 2"),
        ({"rows": [{"id": 3}]}, r"is damaged \(rows.0.id: "),
        ({"rows": 7}, r"is damaged \(rows: "),
        ({"goal": "more"}, r"is damaged \(goal: "),
        ({"other": 1}, r"is damaged \(other: "),
        ({"importance": {"lr": "much"}}, r"is damaged \(importance.lr: "),
        ({"verdicts": [{"claim": "a"}]}, r"is damaged \(verdicts: KeyError 'interval'\)"),
        ({"verdicts": 7}, r"is damaged \(verdicts: TypeError"),
    ],
)
def test_a_damaged_file_is_one_line(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    made().write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UserError, match=message) as caught:
        read_sweep_record(path)
    assert "\n" not in str(caught.value)
    path.write_text("{")
    with pytest.raises(UserError, match=r"s\.json is damaged"):
        read_sweep_record(path)


def test_claims_see_points_as_variants() -> None:
    results = made().results
    assert (results.scale, dict(results.planned)) == ("s", {"lr 0.1": 2, "lr 0.2": 2, "lr 0.3": 2})
    assert results.points["lr 0.2"]["m.lr"] == 0.2
    assert results.each("lr 0.1", lambda run: run["val/a"]).missing == 1  # seed 1 has not run
    assert results.each("lr 0.2", lambda run: run["val/a"]).values == (0.9,)
    assert results.runs["lr 0.2", 3].status == "failed"
    assert results.each("lr 0.3", lambda run: run["val/a"]).missing == 2


def test_tables_say_what_the_points_are() -> None:
    record = made()
    assert record.varied == ["m.lr"]
    assert labels(record) == ["lr 0.1", "lr 0.2", "lr 0.3"]
    assert told(record) == (
        "grid: val/a, maximized; 3 points (1 with a failed seed, 1 ended early, 1 not trained), 4 runs; "
        "2 min of training."
    )
    head, rows = best_points(record)
    assert head == ["lr", "val/a, mean", "median", "least to most", "seeds"]
    assert rows == [
        ["0.1", "0.6", "0.6", "0.5 to 0.7", "2 of 2"],
        ["0.2", "failed", "failed", "0.9 to 0.9", "2 of 2, 1 failed, ended early"],
    ]


def test_every_shipped_sweep_belongs_to_one_experiment() -> None:
    named = Counter(name for experiment in discover(EXPERIMENTS) for name in experiment.sweeps)
    assert sorted(named) == sorted(path.stem for path in (EXPERIMENTS.parent / FILES).glob("*.yaml"))
    assert set(named.values()) == {1}


@pytest.mark.parametrize("name", names(EXPERIMENTS))
def test_committed_sweeps_are_those_of_today(name: str) -> None:
    experiment = load(name, EXPERIMENTS)
    assert outdated_sweeps(experiment, EXPERIMENTS) == []
    for sweep in experiment.sweeps:
        record = read_sweep_record(record_path(EXPERIMENTS, name, sweep))
        if record is not None:
            text = record_path(EXPERIMENTS, name, sweep).read_text(encoding="utf-8")
            assert record.encoded() == text
