"""What a sweep has found, from made-up records: the table, what matters, and the pictures."""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from augrnn.errors import UserError
from augrnn.files import write_json
from augrnn.lab.committed_sweep import Row, importance_told
from augrnn.lab.plan import Run
from augrnn.option_names import shortened, value_texts
from augrnn.sweeps.points import draw as drawn
from augrnn.sweeps.points import point, points, run_of
from augrnn.sweeps.results import collect, draw, importance
from augrnn.sweeps.sweep_file import Sweep
from tests.sweeps.made_up import BAYES, GRID, record, sweep_of


def started(run: Run, runs: Path) -> None:
    write_json(
        run.folder(runs) / "provenance.json", {"fingerprint": run.fingerprint, "seed": run.seed, "values": run.values}
    )


def trial_of(sweep: Sweep, task: int, seed: int, values: Mapping[str, Any]) -> Run:
    return run_of(sweep, point(values), seed, "trials", f"{task:03d}")


def found(*values: float | None, pruned: bool = False, maximize: bool = False) -> Row:
    return Row("id", {}, dict(enumerate(values)), 3, pruned, maximize)


# The table


def test_a_grid_has_a_row_for_every_point(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, GRID)
    a, b, c, d, *rest = points(sweep)
    record(run_of(sweep, a, 0), tmp_path, 3.0)
    record(run_of(sweep, a, 1), tmp_path, 5.0)
    record(run_of(sweep, b, 0), tmp_path, 1.0)
    record(run_of(sweep, b, 1), tmp_path, 9.0, status="failed")
    record(run_of(sweep, c, 1), tmp_path, 2.5)
    started(run_of(sweep, d, 0), tmp_path)
    rows = collect(sweep, tmp_path)
    assert [row.id for row in rows] == [c.id, a.id, b.id, d.id, *(each.id for each in rest)]
    assert [dict(row.found) for row in rows[:4]] == [{1: 2.5}, {0: 3.0, 1: 5.0}, {0: 1.0, 1: None}, {}]
    assert [row.mean for row in rows[:4]] == [2.5, 4.0, None, None]
    assert {row.planned for row in rows} == {2}
    assert rows[1].values == a.values


def test_records_of_other_settings_do_not_count(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, GRID)
    record(run_of(sweep, points(sweep)[0], 0), tmp_path, 3.0)
    changed = sweep_of(tmp_path, GRID.replace('lstm.yaml, "', 'lstm.yaml, --trainer.max_steps=3, "'))
    assert all(not row.found for row in collect(changed, tmp_path))


def test_a_metric_that_no_run_has(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, GRID)
    record(run_of(sweep, points(sweep)[0], 0), tmp_path, 3.0)
    other = sweep_of(tmp_path, GRID.replace("name: val/cost_bits", "name: val/cots"))
    with pytest.raises(UserError, match="no curve of val/cots, the metric of search: it has val/cost_bits"):
        collect(other, tmp_path)


def test_trials_are_read_without_their_study(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, BAYES)
    values = {
        "model.init_args.optimizer.init_args.lr": 0.0012345678901234567,
        "model.init_args.optimizer.class_path": "torch.optim.SGD",
        "model.init_args.cell.init_args.hidden_size": 17,
        "model.init_args.cell.init_args.layers": 1,
        "config": "configs/copy/ntm-lstm.yaml",
    }
    for seed, final in enumerate([2.0, 4.0]):
        record(trial_of(sweep, 7, seed, values), tmp_path, final)
    better = {**values, "config": "configs/copy/lstm.yaml"}
    record(trial_of(sweep, 3, 0, better), tmp_path, 1.0, ended_early=True)
    started(trial_of(sweep, 12, 1, values), tmp_path)
    rows = collect(sweep, tmp_path)
    assert [row.id for row in rows] == ["007", "003", "012"]
    assert [dict(row.values) for row in rows] == [values, better, values]
    assert [row.pruned for row in rows] == [False, True, False]
    assert rows[0].found == {0: 2.0, 1: 4.0}
    changed = BAYES.replace("torch.optim.SGD", "torch.optim.RMSprop")
    assert collect(sweep_of(tmp_path, changed), tmp_path) == []


@pytest.mark.parametrize(
    ("row", "mean", "middle"),
    [
        (found(), None, None),
        (found(1.0, 2.0, 6.0), 3.0, 2.0),
        (found(1.0, 2.0, None), None, 2.0),
        (found(1.0, None, maximize=True), None, None),
        (found(None, None, 1.0), None, None),
        (found(1.0, 2.0, None, maximize=True), None, 1.0),
    ],
)
def test_a_failed_seed_counts(row: Row, mean: float | None, middle: float | None) -> None:
    assert (row.mean, row.median) == (mean, middle)


def test_ranks() -> None:
    order = [found(1.0), found(2.0, 2.0), found(0.5, pruned=True), found(1.0, 0.0, None), found(None), found()]
    shuffled = [order[i] for i in (3, 5, 0, 2, 4, 1)]
    assert sorted(shuffled, key=lambda row: row.rank) == order
    assert found(2.0, maximize=True).rank < found(1.0, maximize=True).rank


# Names


def test_names_are_as_short_as_they_can_be() -> None:
    names = ["model.init_args.optimizer.lr", "model.init_args.scheduler.lr", "data.batch_size", "lr", "batch_size"]
    assert list(shortened(names).values()) == ["optimizer.lr", "scheduler.lr", "data.batch_size", "lr", "batch_size"]
    assert shortened(["a.b.c"]) == {"a.b.c": "c"}


def test_values_are_told_apart() -> None:
    adam = {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.001}}
    assert value_texts([adam, {"class_path": "SGD"}, "configs/copy/lstm.yaml", 0.00012345678, None]) == [
        "Adam, lr=0.001",
        "SGD",
        "lstm",
        "0.0001235",
        "None",
    ]
    sizes = [{"class_path": "a.Kind", "init_args": {"query": 64, "size": size}} for size in (16, 64)]
    other = {"class_path": "a.Other", "init_args": {"query": 64}}
    assert value_texts([sizes[1], other, sizes[0], sizes[1]]) == [
        "Kind, size=64",
        "Other, query=64",
        "Kind, size=16",
        "Kind, size=64",
    ]
    assert value_texts([sizes[0], sizes[0]]) == ["Kind, query=64, size=16"] * 2
    assert value_texts([{**other, "init_args": {}}, other]) == ["Other", "Other, query=64"]
    assert value_texts(["x" * 50 + "a", "x" * 50 + "b", "x" * 50 + "a"])[::2] == ["x" * 31 + "… (1)"] * 2
    assert len(set(value_texts([1, "1", True, [1], [1, 2], "a/b.yaml", "c/b.yaml", "a.Adam"]))) == 8


# What matters, and pictures


def rows_of(sweep: Sweep, count: int, cost: Callable[[Mapping[str, Any]], float | None], seed: int = 0) -> list[Row]:
    """Points at random places, with what they cost."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        values = {name: drawn(parameter, random) for name, parameter in sweep.axes.items()}
        maximize = sweep.file.metric.goal == "maximize"
        rows.append(Row(f"{number:03d}", values, {0: cost(values)}, 1, maximize=maximize))
    return sorted(rows, key=lambda row: row.rank)


LR = "model.init_args.optimizer.init_args.lr"
ONE_AXIS = GRID.split("parameters:", maxsplit=1)[0] + "parameters:\n"
COMMAND = 'command: [augrnn, fit, --config, configs/copy/lstm.yaml, "${args}"]\n'


def distance(values: Mapping[str, Any]) -> float:
    return abs(math.log10(values[LR]) + 2.5) * 20 + 1


def told(rows: list[Row], sweep: Sweep) -> list[str]:
    return importance_told(rows, importance(rows, sweep))


def test_the_parameter_that_matters_comes_first(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, BAYES)
    shares = importance(rows_of(sweep, 40, distance), sweep)
    assert next(iter(shares)) == LR
    assert shares[LR] > 0.5
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == set(sweep.axes) - {"model.init_args.cell.init_args.layers"}
    maximizing = sweep_of(tmp_path, BAYES.replace("minimize", "maximize"))
    assert next(iter(importance(rows_of(maximizing, 40, lambda values: -distance(values)), maximizing))) == LR


def test_importance_of_too_few_points(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, BAYES)
    assert importance(rows_of(sweep, 3, distance), sweep) == {}
    assert importance(rows_of(sweep, 9, lambda values: None), sweep) == {}
    assert importance(rows_of(sweep, 4, lambda values: 1.0), sweep) == {}
    assert told(rows_of(sweep, 40, lambda values: 1.0), sweep) == []


@pytest.mark.parametrize("same", [LR, "model.init_args.cell.init_args.hidden_size", "config"])
def test_what_is_the_same_in_all_points_has_no_importance(same: str, tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, BAYES)
    rows = rows_of(sweep, 20, distance)
    alike = [replace(row, values={**row.values, same: rows[0].values[same]}) for row in rows]
    shares = importance(alike, sweep)
    assert same not in shares
    assert sum(shares.values()) == pytest.approx(1)
    assert 0 not in shares.values()


def test_the_meaning_of_importance_is_told(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, BAYES)
    few, many = (told(rows_of(sweep, count, distance), sweep) for count in (8, 40))
    assert "the best 50% of 8 points" in few[0]
    assert few[0].endswith("not sizes of effects; fewer than 30 points: a hint at most:")
    assert many[0].endswith("the best 12% of 40 points from the others (PED-ANOVA), not sizes of effects:")
    assert many[1].startswith(f"importance of {LR}: 0.")
    only = sweep_of(
        tmp_path, BAYES.split("parameters:", maxsplit=1)[0] + "parameters: {lr: {min: 0.0, max: 1.0}}\n" + COMMAND
    )
    assert told(rows_of(only, 9, lambda values: values["lr"]), only) == []


def pictures(folder: Path) -> list[tuple[int, int]]:
    images = [plt.imread(folder / name) for name in ("parallel_coordinates.png", "slice.png")]
    assert all(image[..., :3].std() > 0.01 for image in images)
    return [image.shape[:2] for image in images]


@pytest.mark.parametrize("method", ["grid", "bayes", "random"])
def test_pictures(method: str, tmp_path: Path) -> None:
    text = GRID if method == "grid" else BAYES.replace("method: bayes", f"method: {method}")
    sweep = sweep_of(tmp_path, text)

    def cost(values: Mapping[str, Any]) -> float | None:
        size = values["model.init_args.cell.init_args.hidden_size"]
        return None if size % 4 == 3 else float(size)

    if method == "grid":
        rows = [Row(each.id, each.values, {0: cost(each.values)}, 2) for each in points(sweep)]
        rows[-1] = Row(rows[-1].id, rows[-1].values, {}, 2)
    else:
        rows = rows_of(sweep, 24, cost)
    style = dict(plt.rcParams)
    assert [path.name for path in draw(rows, sweep, tmp_path / "out")] == ["parallel_coordinates.png", "slice.png"]
    pictures(tmp_path / "out")
    assert dict(plt.rcParams) == style
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "axis",
    [
        "lr: {distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-1}",
        "lr: {distribution: normal, mu: 0, sigma: 10}",
        "lr: {distribution: log_normal}",
        "lr: {distribution: q_log_uniform_values, min: 0.1, max: 100}",
        "lr: {min: 1, max: 9}",
        "lr: {values: [{a: 1}, {a: [1, 2, 3]}, {a: null}]}",
        "lr: {values: [true, 1, 1.0, '1']}",
    ],
)
def test_one_parameter_of_each_kind(axis: str, tmp_path: Path) -> None:
    head, _, rest = BAYES.replace("bayes", "random").partition("parameters:\n")
    command = rest[rest.index("command:") :].replace("fit,", "fit, --config, configs/copy/lstm.yaml,")
    sweep = sweep_of(tmp_path, f"{head}parameters:\n  {axis}\n{command}")
    costs = iter([None, *map(float, range(40))])
    rows = rows_of(sweep, 12, lambda values: next(costs))
    draw(rows, sweep, tmp_path)
    pictures(tmp_path)
    assert importance(rows, sweep) == {"lr": 1.0}


@pytest.mark.parametrize("values", ["0.0, 1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3", "1, 2, 3", "false, true"])
def test_labels_of_choices_do_not_run_into_each_other(
    values: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gaps = []

    def look(figure: Figure, path: Path) -> None:
        if path.name == "slice.png":
            figure.draw_without_rendering()
            labels = figure.axes[0].get_xticklabels()
            height = labels[0].get_fontsize() * figure.dpi / 72
            for left, right in itertools.pairwise(labels):
                ours, theirs = left.get_window_extent(), right.get_window_extent()
                slant = math.sin(math.radians(left.get_rotation()))
                gaps.append((theirs.x1 - ours.x1) * slant - height if slant else theirs.x0 - ours.x1)
        plt.close(figure)

    monkeypatch.setattr("augrnn.sweeps.results.save", look)
    sweep = sweep_of(tmp_path, f"{ONE_AXIS}  lr: {{values: [{values}]}}\n{COMMAND}")
    draw([Row(each.id, each.values, {0: 1.0}, 1) for each in points(sweep)], sweep, tmp_path)
    assert len(gaps) == values.count(",")
    assert min(gaps) > 3


def test_one_good_point_among_failed_ones(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, BAYES)
    costs = iter([1.0, *[None] * 5])
    draw(rows_of(sweep, 6, lambda values: next(costs)), sweep, tmp_path)
    pictures(tmp_path)


def test_nothing_to_draw(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, GRID)
    with pytest.raises(UserError, match="no point of search has ended"):
        draw(collect(sweep, tmp_path), sweep, tmp_path)
    for each in points(sweep)[:2]:
        record(run_of(sweep, each, 0), tmp_path, 1.0, status="failed")
    with pytest.raises(UserError, match="all 2 points of search that have ended have failed"):
        draw(collect(sweep, tmp_path), sweep, tmp_path)
    assert not list(tmp_path.glob("*.png"))
