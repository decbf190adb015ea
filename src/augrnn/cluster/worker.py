"""One point of a sweep in a process of its own: `python -m augrnn.cluster.worker FILE NAME ROOT RUNS point ID SEED`.

The last words are `trial NUMBER` for a task of a bayes sweep. It exits as `augrnn.lab.worker` does.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn import files
from augrnn.cluster.grammar import Sweep, read_sweep
from augrnn.cluster.points import point, points, run_of
from augrnn.cluster.sweeps import folder_of, storage_of
from augrnn.errors import UserError
from augrnn.lab import records
from augrnn.lab.experiment import Experiment, Run
from augrnn.lab.worker import exit_status, lightning, work

if TYPE_CHECKING:
    from augrnn.training import Trained


def as_experiment(sweep: Sweep, pruned: Callable[[], bool] = lambda: False) -> Experiment:
    """What the record of a sweep's run keeps: the curve of the sweep's metric, and whether the pruner has ended it."""
    metric = sweep.file.metric.name

    def measure(trained: "Trained") -> tuple[dict[str, Any], dict[str, Any]]:
        logged = records.read_curves(Path(trained.trainer.default_root_dir) / "metrics.csv")
        if metric not in logged:
            raise UserError(f"the metric of {sweep.name}, {metric}, was not logged; there are: {', '.join(logged)}")
        return {"pruned": pruned()}, {}

    title = sweep.file.description or sweep.name
    return Experiment(f"sweeps/{sweep.name}", title, "", {}, {}, measure, (), (metric,))


def train_point(sweep: Sweep, identity: str, seed: int, runs: Path, placement: Sequence[str]) -> None:
    """Train a point of a grid or random sweep with one of its seeds."""
    known = {point.id: point for point in points(sweep)}
    if identity not in known:
        raise UserError(f"{sweep.name} has no point {identity}")
    work(run_of(sweep, known[identity], seed), as_experiment(sweep), runs, lightning(), placement)


def train_trial(sweep: Sweep, task: int, runs: Path, placement: Sequence[str]) -> None:
    """Train a task's trial of a bayes sweep with one seed after the other, and tell the study."""
    from augrnn.cluster.trials import Reporting, attach, open_study, states, tell, values_of

    study = open_study(sweep, storage_of(sweep, runs))
    trial = attach(study, sweep, task)
    if trial is not None:
        point_of_trial = point(values_of(trial, sweep))
        values: list[float | None] = []
        reporting = Reporting(trial, sweep.file.metric.name, prune=sweep.file.early_terminate is not None)
        for seed in sweep.seeds:
            run = run_of(sweep, point_of_trial, seed, "trials", f"{task:03d}")
            callbacks = [reporting] if seed == sweep.seeds[0] else []
            if records.read_run(run, runs) is None:
                train = partial(lightning(), callbacks=callbacks)
                work(run, as_experiment(sweep, lambda: reporting.pruned), runs, train, placement)
            values.append(_final(run, sweep, runs))
            if reporting.pruned:
                break
        tell(study, trial, values, pruned=reporting.pruned)
    path = folder_of(sweep, runs) / "trials" / f"{task:03d}" / "trial.json"
    files.write_json(path, {"state": states(study)[task].name})


def _final(run: Run, sweep: Sweep, runs: Path) -> float | None:
    record = records.read_run(run, runs)
    return None if record is None or record.status == "failed" else record.final(sweep.file.metric.name)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of a point or trial."""
    parser = argparse.ArgumentParser(prog="augrnn.cluster.worker")
    parser.add_argument("file", type=Path)
    parser.add_argument("name")
    parser.add_argument("root", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--placement", action="append", default=[])
    kinds = parser.add_subparsers(dest="kind", required=True)
    listed = kinds.add_parser("point")
    listed.add_argument("id")
    listed.add_argument("seed", type=int)
    trial = kinds.add_parser("trial")
    trial.add_argument("number", type=int)
    options = parser.parse_args(argv)

    def do() -> None:
        sweep = read_sweep(options.file, options.root, options.name)
        if options.kind == "point":
            train_point(sweep, options.id, options.seed, options.runs, options.placement)
        else:
            train_trial(sweep, options.number, options.runs, options.placement)

    return exit_status(do, options.name)


if __name__ == "__main__":
    sys.exit(main())
