"""What a sweep has found: a table of its points, which parameters matter, and pictures.

All of it comes from the run records, so that it can be had wherever they are copied to, without a study's storage.
"""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import optuna
from matplotlib.axes import Axes
from matplotlib.ticker import ScalarFormatter
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from augrnn.errors import UserError
from augrnn.exhibits import seeds
from augrnn.exhibits.style import PALETTE, save
from augrnn.files import jsonable, read_json
from augrnn.lab.committed_sweep import PICTURES, Row, best_share, whole_ones
from augrnn.lab.plan import Run
from augrnn.lab.records import read_curves, read_run
from augrnn.lab.results import Curve, RunRecord
from augrnn.lab.work import ENDED
from augrnn.option_names import shortened, value_texts
from augrnn.run_folder import METRICS
from augrnn.sweeps.kept import ENDED_EARLY
from augrnn.sweeps.points import POINTS, Point, point, points, run_of
from augrnn.sweeps.sweep_file import Parameter, Sweep
from augrnn.sweeps.work import AGENTS, SERVER, TRIALS, folder_of, on_server, plan

FEWEST = 4
"""Points without which the importance of parameters is not worth a number."""


# The table


def collect(sweep: Sweep, runs: Path) -> list[Row]:
    """The points of a sweep from the best one down. Those of a bayes sweep are the ones that have begun.

    Raises:
      UserError: a run does not know the sweep's metric.
    """
    rows = [_row(sweep, name, where, its, runs) for name, where, its in _runs_of_points(sweep, runs)]
    return sorted(rows, key=lambda row: row.rank)


def require_ended(rows: Sequence[Row], sweep: Sweep) -> None:
    """Refuse to show a sweep of which no point has ended, with a UserError."""
    if not any(row.found for row in rows):
        raise UserError(f"no point of {sweep.name} has ended: there is nothing to show yet")


def left(sweep: Sweep, runs: Path) -> tuple[int, int]:
    """How many runs of a sweep have not ended, and how many it has in all; of trials and agents where it has these."""
    if on_server(sweep, runs) or not _elsewhere(sweep, runs):
        states = [each.state(runs) for each in plan(sweep, runs)]
        return sum(state not in ENDED for state in states), len(states)
    whole = len(points(sweep)) * len(sweep.seeds) if sweep.file.method == "grid" else sweep.file.run_cap or 0
    return max(0, whole - len(ended_folders(sweep, runs))), whole


def ended_folders(sweep: Sweep, runs: Path) -> list[Path]:
    """The folders of the runs that have ended."""
    every = [run for _, _, its in _runs_of_points(sweep, runs) for run in its]
    return [run.folder(runs) for run in every if run.state(runs) in ENDED]


def _runs_of_points(sweep: Sweep, runs: Path) -> Iterator[tuple[str, Point, list[Run]]]:
    """The points of a sweep by their names, each with the runs that train it."""
    if on_server(sweep, runs):
        return _given(_handed_out(sweep, runs, sweep.name))
    found = _elsewhere(sweep, runs)
    return _given(found) if found else _planned(sweep, runs)


def _planned(sweep: Sweep, runs: Path) -> Iterator[tuple[str, Point, list[Run]]]:
    if sweep.file.method != "bayes":
        for each in points(sweep):
            yield each.id, each, [run_of(sweep, each, seed) for seed in sweep.seeds]
        return
    for task in range(sweep.file.run_cap or 0):
        name = f"{task:03d}"
        begun = next(_begun(sweep, folder_of(sweep, runs) / TRIALS / name), None)
        if begun is not None:
            yield name, begun[0], [run_of(sweep, begun[0], seed, TRIALS, name) for seed in sweep.seeds]


def _given(handed_out: Iterable[tuple[Point, Run]]) -> Iterator[tuple[str, Point, list[Run]]]:
    """The points that W&B's server has handed out, each with the runs that agents made of it."""
    found: dict[str, tuple[Point, list[Run]]] = {}
    for each, run in handed_out:
        found.setdefault(each.id, (each, []))[1].append(run)
    for name, (each, its) in found.items():
        yield name, each, its


def _handed_out(sweep: Sweep, runs: Path, folder: str) -> Iterator[tuple[Point, Run]]:
    """The points that agents have begun in a sweep's folder, each with its run."""
    for task in sorted((runs / "sweeps" / folder / AGENTS).glob("*")):
        for each, seed in _begun(sweep, task):
            yield each, replace(run_of(sweep, each, seed, AGENTS, task.name), experiment=f"sweeps/{folder}")


def _elsewhere(sweep: Sweep, runs: Path) -> list[tuple[Point, Run]]:
    """What agents have made of a sweep that `wandb sweep` gave to the server, in a folder called after the server's id.

    These are the runs with the settings that the sweep's points have; none where the sweep has runs under its own name.
    A point and seed that was trained twice counts once.
    """
    if any((folder_of(sweep, runs) / kind).exists() for kind in (POINTS, TRIALS)):
        return []
    found: dict[tuple[str, int], tuple[Point, Run]] = {}
    for path in sorted((runs / "sweeps").glob(f"*/{AGENTS}")):
        if not (path.parent / SERVER).exists():
            for each, run in _handed_out(sweep, runs, path.parent.name):
                if run.state(runs) != "outdated":
                    found.setdefault((each.id, run.seed), (each, run))
    return list(found.values())


def _begun(sweep: Sweep, task: Path) -> Iterator[tuple[Point, int]]:
    """The point of a task with each seed that has begun; none where the sweep has other options by now."""
    for path in sorted(task.glob("seed-*/provenance.json")):
        begun, axes = read_json(path, "seed"), sweep.axes
        values = begun.get("values", {})  # a record of before has none, and is of other options
        choices = {name: axis.listed or () for name, axis in axes.items() if axis.kind in ("constant", "categorical")}
        if set(values) == set(axes) and all(values[name] in listed for name, listed in choices.items()):
            yield point({name: values[name] for name in axes}), begun["seed"]


def _row(sweep: Sweep, name: str, where: Point, planned: list[Run], runs: Path) -> Row:
    metric = sweep.file.metric
    ended = {run: record for run in planned if (record := read_run(run, runs)) is not None}
    curves = {run: _curve(run, record, sweep, runs) for run, record in ended.items()}
    return Row(
        name,
        where.values,
        {run.seed: _final(curves[run]) if record.status == "finished" else None for run, record in ended.items()},
        len(planned),
        any(bool(record.measures.get(ENDED_EARLY)) for record in ended.values()),
        metric.goal == "maximize",
        sum(record.seconds or 0.0 for record in ended.values()),
        median_curve([curve for curve in curves.values() if curve is not None]),
    )


def _curve(run: Run, record: RunRecord, sweep: Sweep, runs: Path) -> Curve | None:
    """The metric over a run's training; None where a failed run has none."""
    metric, curves = sweep.file.metric.name, record.curves
    if metric not in curves:  # as of agents whose sweep is not registered here
        curves = {**read_curves(run.folder(runs) / METRICS), **curves}
    if metric not in curves and record.status == "finished":
        raise UserError(
            f"{run.folder(runs)} has no curve of {metric}, the metric of {sweep.name}: it has "
            f"{', '.join(curves) or 'none'}"
        )
    return curves.get(metric)


def _final(curve: Curve | None) -> float | None:
    return None if curve is None else curve["values"][-1]


def median_curve(curves: Sequence[Curve]) -> Curve | None:
    """The median of some curves, of each place those that have a value there, where the longest one has its places."""
    if not curves:
        return None
    joined = seeds.together([(curve["updates"], curve["values"]) for curve in curves])
    longest = max(curves, key=lambda curve: len(curve["updates"]))
    middle = seeds.quantiles(joined.values_SX, 0.5)
    return {**longest, "values": jsonable(middle)}


# What matters


def importance(rows: Sequence[Row], sweep: Sweep) -> dict[str, float]:
    """The share of each parameter in what tells the best points from the others, largest first (PED-ANOVA).

    Parameters that are the same in all points have none, and Optuna finds none for one of a single branch. Empty where
    too few points have ended to tell, or all are equally good.
    """
    whole = whole_ones(rows)
    names = {name: name for name in sweep.axes if len({json.dumps(row.values[name], default=str) for row in whole}) > 1}
    if len(whole) < FEWEST or not names or len({row.mean for row in whole}) == 1:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=best_share(len(whole)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Some regimes for parameter|Target and region quantiles", UserWarning)
        found = optuna.importance.get_param_importances(_study(whole, sweep, names), evaluator=evaluator)
    return {name: share for name, share in found.items() if share > 0}


def _study(rows: Sequence[Row], sweep: Sweep, names: Mapping[str, str]) -> optuna.Study:
    """Some points as the trials of a study in memory, with other names for the parameters."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction=sweep.file.metric.goal)
    columns = {name: _column([row.values[name] for row in rows]) for name in names}
    spaces = {name: _space(sweep.axes[name], column) for name, column in columns.items()}
    for number, row in enumerate(rows):
        study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.FAIL if row.mean is None else TrialState.COMPLETE,
                value=row.mean,
                params={names[name]: column[number] for name, column in columns.items()},
                distributions={names[name]: space for name, space in spaces.items()},
            )
        )
    return study


def _column(values: Sequence[Any]) -> list[Any]:
    """Values as a picture has them: numbers as they are, choices of another kind as short texts."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return list(values) if numbers else value_texts(values)


def _space(parameter: Parameter, values: Sequence[Any]) -> BaseDistribution:
    """A space that has all values; what random draws need not keep to the limits (roundings, normal)."""
    if parameter.kind in ("constant", "categorical"):
        different = list(dict.fromkeys(values))
        return CategoricalDistribution(different if isinstance(different[0], str) else sorted(different))
    limits = [limit for limit in (parameter.min, parameter.max) if limit is not None]
    low, high = min([*values, *limits]), max([*values, *limits])
    log = "log" in parameter.kind and low > 0
    if all(isinstance(value, int) for value in (*values, low, high)):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


# Pictures


def draw(rows: Sequence[Row], sweep: Sweep, folder: Path, form: str = "png") -> list[Path]:
    """Draw the points of a sweep: the PICTURES.

    Args:
      rows: the points, as `collect` gives them.
      sweep: the sweep.
      folder: where the pictures go.
      form: "png", "svg" or "pdf".

    Returns:
      their paths.

    Raises:
      UserError: no point has ended well, so there is nothing to draw.
    """
    ended = [row for row in rows if row.found]
    if sweep.file.method == "bayes":
        ended.sort(key=lambda row: row.id)  # the colour then is the time
    names = shortened([name for name, parameter in sweep.axes.items() if parameter.kind != "constant"])
    require_ended(rows, sweep)
    if all(row.mean is None for row in ended):
        raise UserError(f"all {len(ended)} points of {sweep.name} that have ended have failed: nothing to draw")
    if not names:
        raise UserError(f"{sweep.name} has no parameter but the seed: nothing to draw")
    study, title = _study(ended, sweep, names), _title(rows, sweep)
    paths = [(folder / name).with_suffix(f".{form}") for name in PICTURES]
    with plt.rc_context(), warnings.catch_warnings():  # Optuna leaves its style behind
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", "Attempting to set identical low and high", UserWarning)  # one point
        _draw_parallel(study, list(names.values()), title, sweep, paths[0])
        _draw_slices(study, list(names.values()), title, sweep, paths[1])
    return paths


def _title(rows: Sequence[Row], sweep: Sweep) -> str:
    counts = {
        "failed": sum(row.failed for row in rows),
        "pruned": sum(row.pruned for row in rows),
        "not ended": sum(not row.found for row in rows),
    }
    told = [f"{count} {what}" for what, count in counts.items() if count]
    return ", ".join([f"{sweep.name}: {len(rows)} points", *told])


def _draw_parallel(study: optuna.Study, names: list[str], title: str, sweep: Sweep, path: Path) -> None:
    axes = optuna.visualization.matplotlib.plot_parallel_coordinate(study, names, target_name=sweep.file.metric.name)
    figure = plt.gcf()
    figure.set_size_inches(2.2 + 1.9 * (len(names) + 1), 4.4)
    axes.set_title(title, y=1.03, fontsize=10)
    axes.tick_params(axis="x", labelrotation=20)
    axes.collections[0].set_cmap(_colours(sweep.file.metric.goal == "minimize"))
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right")
    for one in figure.axes:
        one.grid(visible=False)
        for label in one.get_yticklabels():  # lines run behind them
            label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1})
    save(figure, path)


def _colours(dark_first: bool) -> str:
    """A scale of colours whose light end can still be seen on white, as that of Optuna's cannot."""
    return "viridis" if dark_first else "viridis_r"


def _draw_slices(study: optuna.Study, names: list[str], title: str, sweep: Sweep, path: Path) -> None:
    optuna.visualization.matplotlib.plot_slice(study, names, target_name=sweep.file.metric.name)
    figure = plt.gcf()
    every = figure.axes[:-1]  # the last one is the scale of colours
    figure.set_size_inches(1.8 + 2.6 * len(every), 3.8)
    for one in every:
        one.set(title="", facecolor="white")
        if isinstance(formatter := one.yaxis.get_major_formatter(), ScalarFormatter):
            formatter.set_useOffset(False)  # or values near 1 are told by how far they are from it
        one.grid(color="0.9")
        one.collections[0].set_cmap(_colours(sweep.file.method != "bayes"))
        _mark_failed(one, study)
    figure.suptitle(title, fontsize=10)
    figure.axes[-1].set_ylabel("trial" if sweep.file.method == "bayes" else "rank, 0 the best")
    save(figure, path)


def _mark_failed(axes: Axes, study: optuna.Study) -> None:
    """Crosses along the top where points have failed, and the labels of choices."""
    name = axes.get_xlabel()
    space = study.trials[0].distributions[name]
    failed = [trial.params[name] for trial in study.trials if trial.state == TrialState.FAIL]
    listed = isinstance(space, CategoricalDistribution)
    places = [repr(value) for value in failed] if listed else failed
    axes.scatter(places, [0.97] * len(places), marker="x", color=PALETTE[1], transform=axes.get_xaxis_transform())
    if listed:
        labels = [label.get_text().strip("'\"") for label in axes.get_xticklabels()]
        slanted = max(map(len, labels)) > 6 or len(" ".join(labels)) > 25  # as many fit beside each other
        axes.set_xticks(range(len(labels)), labels, rotation=30 * slanted, ha="right" if slanted else "center")
        axes.set_xlim(-0.5, len(labels) - 0.5)
    elif failed:  # Optuna's limits are those of the other points
        axes.update_datalim([(value, 0.0) for value in failed], updatey=False)
        axes.autoscale(axis="x")
