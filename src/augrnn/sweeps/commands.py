"""The commands `sweep plan | run | register | submit | status | reap | results`, and `reproduce --launcher slurm`."""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.errors import UserError
from augrnn.lab import commands as lab
from augrnn.lab.experiment import experiments_root

if TYPE_CHECKING:
    from augrnn.cluster.slurm import Job, Profile
    from augrnn.cluster.submissions import Submissions, Task
    from augrnn.dashboard.shown import SweepPanel
    from augrnn.lab.plan import Run
    from augrnn.sweeps.plan import Standing
    from augrnn.sweeps.sweep_file import Sweep

SHOWN = 40
"""Runs that a table shows."""


def add_parsers(subparsers: Any, reproducing: argparse.ArgumentParser) -> None:
    """Add `sweep`, and to `reproduce` the places to run; each sets `run`, as the lab's commands do."""
    about = "plan, run and follow sweeps"
    sweeping = subparsers.add_parser("sweep", help=about, description=about)
    commands = sweeping.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "plan", plan, "show the points of a sweep").add_argument(
        "--json", action="store_true", help="print all runs as one JSON list"
    )
    parser = _add(commands, "run", run, "train what is left of a sweep on this machine")
    parser.add_argument("--jobs", type=int, metavar="N", help="runs at once (default: as the cores allow)")
    _again(parser)
    words = "give the sweep to W&B's server, which hands out its points from then on; to be followed by run or submit"
    _add(commands, "register", register, words)
    parser = _add(commands, "submit", submit, "hand what is left of a sweep to SLURM; a second call adds nothing")
    _cluster(parser)
    _again(parser)
    parser = _add(commands, "status", status, "how far each run of a sweep is")
    parser.add_argument("--json", action="store_true", help="print all runs as one JSON list")
    _add(commands, "reap", reap, "find what died without a word, so that it can be submitted again")
    words = "best points, importance of the parameters, pictures; from the records alone"
    parser = _add(commands, "results", results, words)
    parser.add_argument("--json", action="store_true", help="print all points as one JSON list")
    reproducing.add_argument("--launcher", choices=("local", "slurm"), default="local", help="where (default: local)")
    _cluster(reproducing)
    reproducing.set_defaults(run=reproduce)


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.add_argument("sweep", type=Path, metavar="FILE", help="a sweep file (configs/sweeps/...)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="run records (default: runs)")
    about = "Optuna's storage of a bayes sweep: a journal's path, or a URL (default: a journal in the sweep's folder)"
    parser.add_argument("--storage", metavar="PLACE", help=f"{about}; with a password rather AUGRNN_STORAGE")
    parser.set_defaults(run=run)
    return parser


def _cluster(parser: argparse.ArgumentParser) -> None:
    default = Path("configs/cluster/default.yaml")
    parser.add_argument("--cluster", type=Path, default=default, metavar="FILE", help=f"profile (default: {default})")
    parser.add_argument("--dry-run", action="store_true", help="print the batch script and submit nothing")


def _again(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--retry", action="store_true", help="start failed runs, and those of other settings, over")
    parser.add_argument("--fresh", action="store_true", help="start all runs over, finished ones too")


def _read(options: argparse.Namespace) -> tuple["Sweep", Path]:
    from augrnn.sweeps.plan import STORAGE
    from augrnn.sweeps.sweep_file import read_sweep

    if options.storage:
        os.environ[STORAGE] = options.storage  # jobs and processes get it in their environment
    return read_sweep(options.sweep, experiments_root().parent), options.runs.resolve()


def plan(options: argparse.Namespace) -> int:
    """Show the points."""
    from augrnn.sweeps import plan as sweeps

    sweep, runs = _read(options)
    whole = sweeps.plan(sweep, runs)
    if options.json:
        print(json.dumps([{"run": sweeps.name_of(run), "settings": run.settings} for run in whole], indent=1))
        return 0
    asked = "W&B's server" if sweeps.on_server(sweep, runs) else "the trials before it"
    for run in whole[:SHOWN]:
        print(
            f"{sweeps.name_of(run):24} {json.dumps(run.settings) if run.settings else f'options as {asked} will say'}"
        )
    if len(whole) > SHOWN:
        print(f"... and {len(whole) - SHOWN:,} more (--json shows all)")
    seeds = "the seed is the server's choice" if sweeps.on_server(sweep, runs) else f"{len(sweep.seeds)} seeds a point"
    print(f"{sweep.name}: {len(whole):,} runs, {seeds}")
    return 0


def run(options: argparse.Namespace) -> int:
    """Train in processes on this machine; 1 where a run broke."""
    from augrnn.lab.progress import Progress
    from augrnn.lab.provenance import cores
    from augrnn.lab.runner import Pool
    from augrnn.sweeps import plan as sweeps

    sweep, runs = _read(options)
    todo = _left(sweep, runs, options)
    file = sweeps.frozen(sweep, runs)
    slots = max(1, min(options.jobs or cores(), len(todo)))
    with Progress(lab.console(), total=len(todo), jobs=slots, seconds=60, curves=(sweep.file.metric.name,)) as progress:
        progress.say(f"{sweep.name}: {len(todo)} runs to do, {slots} at once")
        make = lambda each: sweeps.command(sweep, file, each, runs)  # noqa: E731
        broken = Pool(make, runs, slots, max(1, cores() // slots), progress).do(todo)
    for each, reason in broken.items():
        print(f"{each} broke: {reason}; the same command resumes it (log: {each.folder(runs) / 'log.txt'})")
    print(f"{sweep.name}: {sweeps.counted(sweeps.standings(sweeps.plan(sweep, runs), runs, {}))}")
    return 1 if broken else 0


def register(options: argparse.Namespace) -> int:
    """Give the sweep to W&B's server, once, and show where it is."""
    from augrnn.sweeps import plan as sweeps
    from augrnn.sweeps import wandb_agents as agents
    from augrnn.tracking.wandb_server import signed_in

    sweep, runs = _read(options)
    if not sweeps.on_server(sweep, runs) and any(run.folder(runs).exists() for run in sweeps.plan(sweep, runs)):
        raise UserError(f"{sweep.name} has runs whose points the server does not know: give the file another name")
    server = agents.register(sweep, runs, signed_in())
    print(f"{server.path}: sweep run and sweep submit start its agents; elsewhere: wandb agent {server.path}")
    return 0


def _left(sweep: "Sweep", runs: Path, options: argparse.Namespace) -> list["Run"]:
    from augrnn.lab.runner import left_to_do
    from augrnn.sweeps import plan as sweeps

    whole = sweeps.plan(sweep, runs)
    if not any(isinstance(run, sweeps.Unplanned) for run in whole):
        return left_to_do(whole, runs, options.retry, options.fresh)
    if options.retry or options.fresh:
        raise UserError("the points of this sweep depend on what ran before: to start over, rename its file")
    return [run for run in whole if sweeps.state_on_disk(run, runs) in ("new", "broken")]


def submit(options: argparse.Namespace) -> int:
    """Hand what is neither done nor in the queue to SLURM."""
    from augrnn.cluster.slurm import read_profile
    from augrnn.cluster.submissions import Submissions
    from augrnn.sweeps import plan as sweeps

    sweep, runs = _read(options)
    profile = read_profile(options.cluster)
    todo = _left(sweep, runs, options)
    if any(isinstance(run, sweeps.Unplanned) for run in todo) and profile.nodes * profile.tasks_per_node > 1:
        raise UserError("a trial, or an agent of W&B's, is one process: use a profile with one task on one node")
    file = options.sweep if options.dry_run else sweeps.frozen(sweep, runs)
    tasks = [sweeps.task_of(run, runs, sweeps.command(sweep, file, run, runs, profile.placement)) for run in todo]
    return _submitted(Submissions(sweeps.folder_of(sweep, runs)), tasks, profile, options.dry_run)


def _submitted(submissions: "Submissions", tasks: Sequence["Task"], profile: "Profile", dry: bool) -> int:
    from augrnn.cluster.submissions import parts

    if dry:
        print(submissions.script(profile), end="")
        arrays = parts(tasks, profile.largest_array)
        print(f"# {len(tasks):,} jobs in arrays of {', '.join(str(len(part)) for part in arrays) or 'none'}")
        return 0
    jobs, new = submissions.submit(tasks, profile)
    print(f"{new} jobs submitted ({', '.join(jobs) or 'none'}), {len(tasks) - new} already in the queue")
    return 0


def status(options: argparse.Namespace) -> int:
    """Show how far each run is."""
    from augrnn.cluster.submissions import Submissions
    from augrnn.sweeps import plan as sweeps

    sweep, runs = _read(options)
    found = sweeps.standings(sweeps.plan(sweep, runs), runs, _queued(Submissions(sweeps.folder_of(sweep, runs))))
    if options.json:
        rows = [{"run": sweeps.name_of(each.run), "state": each.state, "where": each.where} for each in found]
        print(json.dumps(rows, indent=1))
        return 0
    _show_standings(found, runs, (sweep.file.metric.name,))
    print(f"{sweep.name}: {sweeps.counted(found)}")
    return 0


def _queued(submissions: "Submissions") -> dict[str, "Job"]:
    from augrnn.cluster import slurm

    return submissions.queued() if slurm.available() else {}


def _show_standings(found: Sequence["Standing"], runs: Path, metrics: tuple[str, ...]) -> None:
    """Those that are neither done nor untouched, at most so many."""
    from augrnn.lab.progress import latest_metrics, training_in
    from augrnn.sweeps.plan import name_of

    shown = [each for each in found if each.state not in ("new", "waiting", "finished")]
    for each in shown[:SHOWN]:
        latest = latest_metrics(training_in(each.run.folder(runs)) / "metrics.csv", metrics)
        print(f"{name_of(each.run):24} {each.state:9} {each.where:12} {latest}".rstrip())
    if len(shown) > SHOWN:
        print(f"... and {len(shown) - SHOWN} more (--json shows all)")


def reap(options: argparse.Namespace) -> int:
    """Tell which runs broke with nobody at work on them, and give their trials back."""
    from augrnn.cluster.submissions import Submissions
    from augrnn.sweeps import plan as sweeps

    sweep, runs = _read(options)
    found = sweeps.standings(sweeps.plan(sweep, runs), runs, _queued(Submissions(sweeps.folder_of(sweep, runs))))
    if any(each.run.scale == sweeps.TRIALS for each in found):
        from augrnn.sweeps.optuna_trials import open_study, reap

        alive = {int(each.run.variant) for each in found if each.state in ("running", "waiting")}
        for number in reap(open_study(sweep, sweeps.storage_of(sweep, runs)), alive):
            print(f"trial {number:03d}: its job is gone; its parameters wait for the next job")
    for each in found:
        if each.state == "broken":
            print(f"{sweeps.name_of(each.run)}: broken, and in no queue")
    broken = sum(each.state == "broken" for each in found)
    print(f"{sweep.name}: {broken} to take up again" + (": sweep submit, or sweep run" if broken else ""))
    return 0


def results(options: argparse.Namespace) -> int:
    """Show the best points and what mattered, and draw the pictures."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from augrnn.sweeps import plan as sweeps
    from augrnn.sweeps.results import collect, draw, importance, shortened

    sweep, runs = _read(options)
    rows = collect(sweep, runs)
    if options.json:
        print(json.dumps([{**asdict(row), "mean": row.mean, "median": row.median} for row in rows], indent=1))
        return 0
    metric, names = sweep.file.metric, shortened(list(sweep.axes))
    table = Table(box=box.SIMPLE_HEAD, title=f"{sweep.name}: {metric.name}, {metric.goal}d", title_justify="left")
    for column in ("point", "mean", "by seed", "seeds", *names.values()):
        table.add_column(column, overflow="fold")
    for row in [row for row in rows if row.found][:SHOWN]:
        seeds = ", ".join("failed" if value is None else f"{value:.4g}" for value in row.found.values())
        mean = "failed" if row.mean is None else f"{row.mean:.4g}" + (" (pruned)" if row.pruned else "")
        values = (value if isinstance(value, str) else json.dumps(value) for value in row.values.values())
        table.add_row(row.id, mean, seeds, f"{len(row.found)} of {row.planned}", *map(escape, values))
    lab.console().print(table)
    for name, share in importance(rows, sweep).items():
        print(f"importance of {name}: {share:.2f}")
    for path in draw(rows, sweep, sweeps.folder_of(sweep, runs)):
        print(path)
    return 0


def panels() -> "list[SweepPanel]":
    """The sweeps of `configs/sweeps`, as the dashboard shows them."""
    from augrnn.dashboard.shown import SweepPanel
    from augrnn.sweeps.sweep_file import read_sweep

    root = experiments_root().parent
    found = [read_sweep(path, root) for path in sorted((root / "configs" / "sweeps").glob("*.yaml"))]
    return [
        SweepPanel(
            sweep.name,
            sweep.file.metric.name,
            sweep.file.metric.goal,
            tuple(name for name in sweep.axes if name != "config"),
        )
        for sweep in found
    ]


def reproduce(options: argparse.Namespace) -> int:
    """`augrnn reproduce`, here or on a cluster; there, a call when all runs have ended judges the claims."""
    if options.launcher == "local":
        return lab.reproduce(options)
    from augrnn.cluster.slurm import read_profile
    from augrnn.cluster.submissions import Submissions
    from augrnn.lab.experiment import load
    from augrnn.lab.runner import conclude, left_to_do, worker_command
    from augrnn.sweeps import plan as sweeps

    experiments, runs, profile = experiments_root().resolve(), options.runs.resolve(), read_profile(options.cluster)
    experiment = load(options.experiment, experiments)
    whole = experiment.plan(options.scale, experiments, options.seeds, options.variants)
    submissions = Submissions(runs / experiment.name / options.scale)
    placement = [f"--placement={option}" for option in profile.placement]
    todo = left_to_do(whole, runs, options.retry, options.fresh, options.measure_again)
    if not todo and not options.dry_run:
        return lab.show_outcome(conclude(experiment, whole, experiments, runs, {}), options)
    tasks = [sweeps.task_of(run, runs, [*worker_command(run, experiments, runs), *placement]) for run in todo]
    code = _submitted(submissions, tasks, profile, options.dry_run)
    if not options.dry_run:
        found = sweeps.standings(whole, runs, submissions.queued())
        _show_standings(found, runs, experiment.curves)
        print(
            f"{experiment.name} at scale {options.scale}: {sweeps.counted(found)}; the same command shows how they do"
        )
    return code
