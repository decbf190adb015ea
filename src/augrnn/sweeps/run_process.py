"""One point of a sweep in a process of its own.

    python -m augrnn.sweeps.run_process FILE NAME ROOT RUNS point ID SEED

The last words are `trial NUMBER` for a task of a bayes sweep, `agent NUMBER` for one of a sweep on W&B's server, and
`rehearsal` for what precedes all of them. It exits as `augrnn.lab.run_process` does.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from augrnn.errors import UserError
from augrnn.lab import records
from augrnn.lab.plan import Run
from augrnn.lab.run_process import exit_status, lightning, work
from augrnn.sweeps.kept import kept
from augrnn.sweeps.points import point, points, run_of
from augrnn.sweeps.rehearsal import rehearse
from augrnn.sweeps.sweep_file import Sweep, read_sweep
from augrnn.sweeps.work import TRIALS, Trial, storage_of


def train_point(sweep: Sweep, identity: str, seed: int, runs: Path, placement: Sequence[str]) -> None:
    """Train a point of a grid or random sweep with one of its seeds."""
    known = {point.id: point for point in points(sweep)}
    if identity not in known:
        raise UserError(f"{sweep.name} has no point {identity}")
    work(run_of(sweep, known[identity], seed), kept(sweep), runs, lightning(), placement)


def train_trial(sweep: Sweep, task: int, runs: Path, placement: Sequence[str]) -> None:
    """Train a task's trial of a bayes sweep with one seed after the other, and tell the study."""
    from augrnn.sweeps.optuna_trials import attach, open_study, states, tell, values_of
    from augrnn.sweeps.reporting import Reporting

    study = open_study(sweep, storage_of(sweep, runs))
    trial = attach(study, sweep, task)
    if trial is not None:
        point_of_trial = point(values_of(trial, sweep))
        values: list[float | None] = []
        reporting = Reporting(trial, sweep.file.metric.name, prune=sweep.file.early_terminate is not None)
        for seed in sweep.seeds:
            run = run_of(sweep, point_of_trial, seed, TRIALS, Trial(sweep.name, task).name)
            callbacks = [reporting] if seed == sweep.seeds[0] else []
            if records.read_run(run, runs) is None:
                train = partial(lightning(), callbacks=callbacks)
                work(run, kept(sweep, lambda: reporting.pruned), runs, train, placement)
            values.append(_final(run, sweep, runs))
            if reporting.pruned:
                break
        tell(study, trial, values, pruned=reporting.pruned)
    Trial(sweep.name, task).conclude(runs, states(study)[task].name)


def _final(run: Run, sweep: Sweep, runs: Path) -> float | None:
    record = records.read_run(run, runs)
    return None if record is None or record.status == "failed" else record.final(sweep.file.metric.name)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of a point or trial."""
    parser = argparse.ArgumentParser(prog="augrnn.sweeps.run_process")
    parser.add_argument("file", type=Path)
    parser.add_argument("name")
    parser.add_argument("root", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--placement", action="append", default=[])
    kinds = parser.add_subparsers(dest="kind", required=True)
    listed = kinds.add_parser("point")
    listed.add_argument("id")
    listed.add_argument("seed", type=int)
    for name in ("trial", "agent"):
        kinds.add_parser(name).add_argument("number", type=int)
    kinds.add_parser("rehearsal")
    options = parser.parse_args(argv)

    def do() -> None:
        sweep = read_sweep(options.file, options.root, options.name)
        if options.kind == "point":
            train_point(sweep, options.id, options.seed, options.runs, options.placement)
        elif options.kind == "rehearsal":
            rehearse(sweep)
        elif options.kind == "agent":
            from augrnn.sweeps.wandb_agents import train_task

            train_task(sweep, options.number, options.runs, options.placement)
        else:
            train_trial(sweep, options.number, options.runs, options.placement)

    return exit_status(do, options.name)


if __name__ == "__main__":
    sys.exit(main())
