"""What a sweep has found: a table of its points, which parameters matter, and pictures.

All of it comes from the run records, so that it can be had wherever they are copied to, without a study's storage.
"""

import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import matplotlib.pyplot as plt
import optuna
from matplotlib.axes import Axes
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from augrnn.errors import UserError
from augrnn.exhibits.style import PALETTE, save
from augrnn.files import read_json
from augrnn.lab.plan import Run
from augrnn.lab.records import read_run
from augrnn.option_names import shortened
from augrnn.sweeps.kept import ENDED_EARLY
from augrnn.sweeps.points import Point, point, points, run_of
from augrnn.sweeps.sweep_file import Parameter, Sweep
from augrnn.sweeps.work import AGENTS, TRIALS, folder_of, on_server

FEWEST = 4
"""Points without which the importance of parameters is not worth a number."""

MANY = 30
"""Points below which shares can still be chance."""

LONGEST = 24
"""Letters of a value in a picture."""


@dataclass(frozen=True)
class Row:
    """A point of a sweep, and how its runs have ended.

    Attributes:
      id: the point's id, or the number of the trial's task.
      values: its options.
      found: for each seed that has ended the metric at the end of training; None where it failed (diverged).
      planned: the number of seeds; where W&B's server chooses them, of those that have begun.
      pruned: whether its training was ended early.
      maximize: whether more of the metric is better.
    """

    id: str
    values: Mapping[str, Any]
    found: Mapping[int, float | None]
    planned: int
    pruned: bool = False
    maximize: bool = False

    @property
    def mean(self) -> float | None:
        """What is searched for: the mean over seeds; None where one has failed, or none has ended."""
        numbers = [value for value in self.found.values() if value is not None]
        return fmean(numbers) if numbers and len(numbers) == len(self.found) else None

    @property
    def median(self) -> float | None:
        """The median over seeds, failed ones being worse than all others; None where that is a failed one."""
        worst = -math.inf if self.maximize else math.inf
        numbers = [worst if value is None else value for value in self.found.values()]
        middle = median(numbers) if numbers else worst
        return middle if math.isfinite(middle) else None

    @property
    def failed(self) -> bool:
        """Whether a seed has failed."""
        return None in self.found.values()

    @property
    def rank(self) -> tuple[int, float]:
        """Its place among others: whole ones, pruned ones, failed ones, and those of which nothing is known."""
        group = 3 if not self.found else 2 if self.failed else 1 if self.pruned else 0
        value = self.median if self.failed else self.mean
        return group, math.inf if value is None else -value if self.maximize else value


# The table


def collect(sweep: Sweep, runs: Path) -> list[Row]:
    """The points of a sweep from the best one down. Those of a bayes sweep are the ones that have begun.

    Raises:
      UserError: a run does not know the sweep's metric.
    """
    planned = _given(sweep, runs) if on_server(sweep, runs) else _planned(sweep, runs)
    return sorted((_row(sweep, name, where, its, runs) for name, where, its in planned), key=lambda row: row.rank)


def require_ended(rows: Sequence[Row], sweep: Sweep) -> None:
    """Refuse to show a sweep of which no point has ended, with a UserError."""
    if not any(row.found for row in rows):
        raise UserError(f"no point of {sweep.name} has ended: there is nothing to show yet")


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


def _given(sweep: Sweep, runs: Path) -> Iterator[tuple[str, Point, list[Run]]]:
    """The points that W&B's server has handed out, each with the runs that agents made of it."""
    found: dict[str, tuple[Point, list[Run]]] = {}
    for task in sorted((folder_of(sweep, runs) / AGENTS).glob("*")):
        for each, seed in _begun(sweep, task):
            found.setdefault(each.id, (each, []))[1].append(run_of(sweep, each, seed, AGENTS, task.name))
    for name, (each, its) in found.items():
        yield name, each, its


def _begun(sweep: Sweep, task: Path) -> Iterator[tuple[Point, int]]:
    """The point of a task with each seed that has begun; none where the sweep has other options by now."""
    for path in sorted(task.glob("seed-*/provenance.json")):
        begun, axes = read_json(path, "seed"), sweep.axes
        values = begun.get("values", {})  # a record of before has none, and is of other options
        choices = {name: axis.listed or () for name, axis in axes.items() if axis.kind in ("constant", "categorical")}
        if set(values) == set(axes) and all(values[name] in listed for name, listed in choices.items()):
            yield point({name: values[name] for name in axes}), begun["seed"]


def _row(sweep: Sweep, name: str, where: Point, planned: list[Run], runs: Path) -> Row:
    metric, found, pruned = sweep.file.metric, {}, False
    for run in planned:
        record = read_run(run, runs)
        if record is None:
            continue
        if record.status == "finished" and metric.name not in record.curves:
            raise UserError(
                f"{run.folder(runs)} has no curve of {metric.name}, the metric of {sweep.name}: it has "
                f"{', '.join(record.curves) or 'none'}"
            )
        found[run.seed] = record.final(metric.name) if record.status == "finished" else None
        pruned = pruned or bool(record.measures.get(ENDED_EARLY))
    return Row(name, where.values, found, len(planned), pruned, metric.goal == "maximize")


# What matters


def importance(rows: Sequence[Row], sweep: Sweep) -> dict[str, float]:
    """The share of each parameter in what tells the best points from the others, largest first (PED-ANOVA).

    Parameters that are the same in all points have none, and Optuna finds none for one of a single branch. Empty where
    too few points have ended to tell, or all are equally good.
    """
    whole = _whole(rows)
    names = {name: name for name in sweep.axes if len({json.dumps(row.values[name], default=str) for row in whole}) > 1}
    if len(whole) < FEWEST or not names or len({row.mean for row in whole}) == 1:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=_best(whole))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Some regimes for parameter|Target and region quantiles", UserWarning)
        found = optuna.importance.get_param_importances(_study(whole, sweep, names), evaluator=evaluator)
    return {name: share for name, share in found.items() if share > 0}


def importance_told(rows: Sequence[Row], sweep: Sweep) -> list[str]:
    """Lines that say how much each parameter matters and what the numbers mean; none with nothing to compare."""
    shares, whole = importance(rows, sweep), _whole(rows)
    if len(shares) < 2:
        return []
    meaning = f"shares in what tells the best {_best(whole):.0%} of {len(whole)} points from the others (PED-ANOVA)"
    caveat = f"; fewer than {MANY} points: a hint at most" if len(whole) < MANY else ""
    lines = [f"importance, as {meaning}, not sizes of effects{caveat}:"]
    return lines + [f"importance of {name}: {share:.2f}" for name, share in shares.items()]


def _whole(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.rank[0] == 0]


def _best(whole: Sequence[Row]) -> float:
    """The share of points that count as the best: five at least, as Optuna advises, but never more than half."""
    return min(0.5, max(0.1, 5 / len(whole)))


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
    return list(values) if numbers else shown(values)


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


# Names


def shown(values: Sequence[Any]) -> list[str]:
    """For each value a short text that tells it from the others."""
    whole = [json.dumps(value, sort_keys=True, default=str) for value in values]
    short = [_short(value) for value in values]
    number = {text: i for i, text in enumerate(dict.fromkeys(whole))}
    meant: dict[str, set[str]] = {}
    for brief, text in zip(short, whole, strict=True):
        meant.setdefault(brief, set()).add(text)
    return [
        brief if len(meant[brief]) == 1 else f"{brief} ({number[text] + 1})"
        for brief, text in zip(short, whole, strict=True)
    ]


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and "class_path" in value:
        arguments = [f"{name}={_short(each)}" for name, each in (value.get("init_args") or {}).items()]
        return _cut(", ".join([str(value["class_path"]).rpartition(".")[2], *arguments]))
    if isinstance(value, Mapping):
        return _cut(", ".join(f"{name}={_short(each)}" for name, each in value.items()))
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str) and value.endswith(".yaml"):
        return _cut(Path(value).stem)
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value):  # a class
        return _cut(value.rpartition(".")[2])
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


# Pictures


def draw(rows: Sequence[Row], sweep: Sweep, folder: Path) -> list[Path]:
    """Draw the points of a sweep: parallel_coordinates.png and slice.png.

    Args:
      rows: the points, as `collect` gives them.
      sweep: the sweep.
      folder: where the pictures go.

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
    paths = [folder / "parallel_coordinates.png", folder / "slice.png"]
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
        slanted = max(map(len, labels)) > 6
        axes.set_xticks(range(len(labels)), labels, rotation=30 * slanted, ha="right" if slanted else "center")
        axes.set_xlim(-0.5, len(labels) - 0.5)
    elif failed:  # Optuna's limits are those of the other points
        axes.update_datalim([(value, 0.0) for value in failed], updatey=False)
        axes.autoscale(axis="x")
