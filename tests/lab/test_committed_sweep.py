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


VERDICT = {"claim": "a", "verdict": "partly", "value": 1.0, "interval": [0.5, None], "seeds": 5, "text": "1"}


def made(goal: Any = "maximize") -> SweepRecord:
    curve = {"updates": [1, 2], "sequences": [10, None], "values": [None, 0.5]}
    rows = (
        Row("a", {"m.lr": 0.1, "m.kind": {"class_path": "x.B"}}, {0: 0.5, 3: 0.7}, 2, False, True, 60, curve),
        Row("b", {"m.lr": 0.2, "m.kind": {"class_path": "x.B"}}, {0: 0.9, 3: None}, 2, True, True, 40),
        Row("c", {"m.lr": 0.3, "m.kind": {"class_path": "x.B"}}, {}, 2, False, True),
    )
    parameters = {"m.kind": {"value": {"class_path": "x.B"}}, "m.lr": {"values": [0.1, 0.2, 0.3]}}
    verdicts = {"good": Verdict("partly", 0.5, (0, None), 2, "0.5")}
    return SweepRecord("s", "f00", "grid", "val/a", goal, parameters, ["augrnn"], {}, {"commit": ["c"]}, rows, verdicts)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = own_sweep_path(tmp_path, "s")
    assert read_sweep_record(path) is None
    made().write(path)
    found = read_sweep_record(path)
    assert found == made()
    assert found.encoded() == path.read_text()
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
        ({"verdicts": [{**VERDICT, "verdict": "bogus"}]}, r"is damaged \(verdicts.a.state: "),
        ({"verdicts": [{**VERDICT, "value": "much"}]}, r"is damaged \(verdicts.a.value: "),
        ({"verdicts": [{**VERDICT, "interval": "ab"}]}, r"is damaged \(verdicts.a.interval.0: "),
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
    at_the_end = {name: results.each(name, lambda run: run["val/a"]) for name in results.points}
    assert at_the_end["lr 0.1"].values == (0.5, 0.7)
    assert at_the_end["lr 0.2"].values == (None, None)  # ended early
    assert at_the_end["lr 0.3"].missing == 2
    assert results.runs["lr 0.2", 1].measures == {}


@pytest.mark.parametrize("listed", [{"values": [7, 3, 12]}, {"value": 7}, {"min": 3, "max": 12}, None])
def test_seeds_of_any_numbers_are_paired(listed: Any) -> None:
    found = {7: 1.0} if listed == {"value": 7} else {12: 3.0, 3: 1.0, 7: None}
    parameters = {"lr": {"values": [1, 2]}, **({"seed_everything": listed} if listed else {})}
    planned = 10 if listed and "min" in listed else len(found)
    rows = tuple(Row(str(lr), {"lr": lr}, {seed: v and v * lr for seed, v in found.items()}, planned) for lr in (1, 2))
    record = SweepRecord("s", "f", "grid", "m", "minimize", parameters, [], {}, {}, rows)
    both = record.results.paired(("lr 1", "lr 2"), lambda one, other: other["m"] - one["m"])
    expected = [found[seed] for seed in sorted(found)]
    assert both.values == tuple(expected)
    assert both.missing == planned - len(found)


def test_points_that_are_alike_are_told_apart() -> None:
    rows = tuple(Row(f"00{i}", {"k": k}, {0: float(i)}, 1) for i, k in enumerate((1, 1, 2)))
    record = SweepRecord("s", "f", "bayes", "m", "minimize", {"k": {"min": 1, "max": 2}}, [], {}, {}, rows)
    assert labels(record) == ["k 1 (000)", "k 1 (001)", "k 2"]
    assert len(record.results.runs) == 3


def test_a_point_keeps_its_label_whichever_is_best() -> None:
    kinds = [{"class_path": "x.AdditiveAttention", "init_args": {"query": 64, "size": size}} for size in (16, 64, 256)]
    rows = [Row(str(i), {"kind": kind}, {0: float(i)}, 1) for i, kind in enumerate(kinds)]
    names = []
    for order in ((0, 1, 2), (2, 0, 1)):
        record = SweepRecord("s", "f", "grid", "m", "minimize", {"kind": {}}, [], {}, {}, tuple(rows[i] for i in order))
        names.append({row.id: name for row, name in zip(record.rows, labels(record), strict=True)})
    assert names[0] == names[1]
    assert len(set(names[0].values())) == 3


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
