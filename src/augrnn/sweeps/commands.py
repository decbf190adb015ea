"""The commands `sweep plan | run | register | submit | status | reap | results`."""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.cluster.commands import SHOWN
from augrnn.counts import MOST_JOBS, count
from augrnn.errors import UserError
from augrnn.lab import commands as lab
from augrnn.lab.places import config_path, places

if TYPE_CHECKING:
    from augrnn.dashboard.shown import SweepPanel
    from augrnn.lab.experiment import Experiment
    from augrnn.sweeps.sweep_file import Sweep
    from augrnn.sweeps.work import SweepWork


def add_parsers(subparsers: Any) -> None:
    """Add `sweep`; each of its commands sets `run`, as the lab's commands do."""
    from augrnn.cluster.commands import add_options

    about = "plan, run and follow sweeps"
    sweeping = subparsers.add_parser("sweep", help=about, description=about)
    commands = sweeping.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "plan", plan, "show the points of a sweep").add_argument(
        "--json", action="store_true", help="print all runs as one JSON list"
    )
    parser = _add(commands, "run", run, "train what is left of a sweep on this machine")
    parser.add_argument(
        "--jobs", type=count("--jobs", MOST_JOBS), metavar="N", help="runs at once (default: as the cores allow)"
    )
    _again(parser)
    words = "give the sweep to W&B's server, which hands out its points from then on; to be followed by run or submit"
    _add(commands, "register", register, words)
    parser = _add(commands, "submit", submit, "hand what is left of a sweep to SLURM; a second call adds nothing")
    add_options(parser)
    _again(parser)
    parser = _add(commands, "status", status, "how far each run of a sweep is")
    parser.add_argument("--json", action="store_true", help="print all runs as one JSON list")
    _add(commands, "reap", reap, "find what died without a word, so that it can be submitted again")
    words = "best points, importance of the parameters, pictures; from the records alone"
    parser = _add(commands, "results", results, words)
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--json", action="store_true", help="print all points as one JSON list")
    words = "write the committed record and pictures too, with the experiment that names the sweep; once all has run"
    said.add_argument("--record", action="store_true", help=words)


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.add_argument("sweep", type=Path, metavar="FILE", help="a sweep file (configs/sweeps/...)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="run records (default: runs)")
    about = "Optuna's storage of a bayes sweep: a journal's path, or a URL (default: a journal in the sweep's folder)"
    parser.add_argument("--storage", metavar="PLACE", help=f"{about}; with a password rather AUGRNN_STORAGE")
    parser.set_defaults(run=run)
    return parser


def _again(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--retry", action="store_true", help="start failed runs, and those of other settings, over")
    parser.add_argument("--fresh", action="store_true", help="start all runs over, finished ones too")


def _read(options: argparse.Namespace) -> tuple["Sweep", Path]:
    from augrnn.sweeps.sweep_file import read_sweep
    from augrnn.sweeps.work import STORAGE

    if options.storage:
        os.environ[STORAGE] = options.storage  # jobs and processes get it in their environment
    return read_sweep(config_path(Path.cwd(), options.sweep), Path.cwd()), options.runs.resolve()


def plan(options: argparse.Namespace) -> int:
    """Show the points."""
    from augrnn.sweeps import work as sweeps

    sweep, runs = _read(options)
    whole = sweeps.plan(sweep, runs)
    if options.json:
        print(json.dumps([{"run": each.name, "what": each.shown()} for each in whole], indent=1))
        return 0
    asked = "W&B's server" if sweeps.on_server(sweep, runs) else "the trials before it"
    for each in whole[:SHOWN]:
        print(f"{each.name:24} {each.shown() or f'options as {asked} will say'}")
    if len(whole) > SHOWN:
        print(f"... and {len(whole) - SHOWN:,} more (--json shows all)")
    seeds = "the seed is the server's choice" if sweeps.on_server(sweep, runs) else f"{len(sweep.seeds)} seeds a point"
    print(f"{sweep.name}: {len(whole):,} runs, {seeds}")
    return 0


def run(options: argparse.Namespace) -> int:
    """Train in processes on this machine; 1 where a run broke."""
    from augrnn.cluster.standings import counted, standings
    from augrnn.sweeps import work as sweeps
    from augrnn.sweeps.local import train_here

    sweep, runs = _read(options)
    todo = _left(sweep, runs, options)
    _rehearse(sweep, runs)
    if sweep.file.method == "bayes" and not sweeps.on_server(sweep, runs):
        from augrnn.sweeps.optuna_trials import open_study

        open_study(sweep, sweeps.storage_of(sweep, runs))  # what it refuses is told before a trial has a folder
    broken = train_here(sweep, todo, runs, options.jobs)
    for each, reason in broken.items():
        print(f"{each} broke: {reason}; the same command resumes it (log: {each.folder(runs) / 'log.txt'})")
    print(f"{sweep.name}: {counted(standings(sweeps.plan(sweep, runs), runs, {}))}")
    return 1 if broken else 0


def register(options: argparse.Namespace) -> int:
    """Give the sweep to W&B's server, once, and show where it is."""
    from augrnn.sweeps import wandb_agents as agents
    from augrnn.sweeps import work as sweeps
    from augrnn.tracking.wandb_server import signed_in

    sweep, runs = _read(options)
    if not sweeps.on_server(sweep, runs) and any(run.folder(runs).exists() for run in sweeps.plan(sweep, runs)):
        raise UserError(f"{sweep.name} has runs whose points the server does not know: give the file another name")
    entity = signed_in()
    _rehearse(sweep, runs)
    server = agents.register(sweep, runs, entity)
    print(f"{server.path}: sweep run and sweep submit start its agents; elsewhere: wandb agent {server.path}")
    return 0


def _rehearse(sweep: "Sweep", runs: Path) -> None:
    """Before a sweep's first run, train one update in a process of its own; a UserError where that finds a mistake."""
    from augrnn.sweeps import work as sweeps
    from augrnn.sweeps.rehearsal import rehearsed

    if sweeps.on_server(sweep, runs) or any(each.state(runs) != "new" for each in sweeps.plan(sweep, runs)):
        return
    print(f"{sweep.name}: trying one update, to see what is logged", flush=True)
    status, told = rehearsed(sweeps.command(sweep, sweep.path, ["rehearsal"], runs))
    if status == 2:
        raise UserError(told)
    if status != 0:
        print(f"{sweep.name}: that did not work here, so the metric's name is not checked ({told})", flush=True)


def _left(sweep: "Sweep", runs: Path, options: argparse.Namespace) -> "list[SweepWork]":
    from augrnn.lab.runner import left_to_do
    from augrnn.sweeps import work as sweeps

    whole = sweeps.plan(sweep, runs)
    if sweeps.known_beforehand(sweep, runs):
        return left_to_do(whole, runs, options.retry, options.fresh)
    if options.retry or options.fresh:
        raise UserError("the points of this sweep depend on what ran before: to start over, rename its file")
    return [each for each in whole if each.state(runs) in ("new", "broken")]


def submit(options: argparse.Namespace) -> int:
    """Hand what is neither done nor in the queue to SLURM."""
    from augrnn.cluster.commands import submit_tasks
    from augrnn.cluster.slurm import read_profile, require_here
    from augrnn.cluster.submissions import Submissions, task_of
    from augrnn.sweeps import work as sweeps

    sweep, runs = _read(options)
    profile = read_profile(config_path(Path(), options.cluster))
    if not options.dry_run:
        require_here()
    todo = _left(sweep, runs, options)
    if not sweeps.known_beforehand(sweep, runs) and profile.nodes * profile.tasks_per_node > 1:
        raise UserError("a trial, or an agent of W&B's, is one process: use a profile with one task on one node")
    if not options.dry_run:
        _rehearse(sweep, runs)
    file = options.sweep if options.dry_run else sweeps.frozen(sweep, runs)
    tasks = [task_of(each, runs, sweeps.command(sweep, file, each.words(), runs, profile.placement)) for each in todo]
    return submit_tasks(Submissions(sweeps.folder_of(sweep, runs)), tasks, profile, options.dry_run)


def status(options: argparse.Namespace) -> int:
    """Show how far each run is."""
    from augrnn.cluster.commands import queued, show_standings
    from augrnn.cluster.standings import counted, standings
    from augrnn.cluster.submissions import Submissions
    from augrnn.sweeps import work as sweeps

    sweep, runs = _read(options)
    found = standings(sweeps.plan(sweep, runs), runs, queued(Submissions(sweeps.folder_of(sweep, runs))))
    if options.json:
        rows = [{"run": each.work.name, "state": each.state, "where": each.where} for each in found]
        print(json.dumps(rows, indent=1))
        return 0
    show_standings(found, runs, (sweep.file.metric.name,))
    print(f"{sweep.name}: {counted(found)}")
    return 0


def reap(options: argparse.Namespace) -> int:
    """Tell which runs broke with nobody at work on them, and give their trials back."""
    from augrnn.cluster.commands import queued
    from augrnn.cluster.standings import standings
    from augrnn.cluster.submissions import Submissions
    from augrnn.sweeps import work as sweeps

    sweep, runs = _read(options)
    found = standings(sweeps.plan(sweep, runs), runs, queued(Submissions(sweeps.folder_of(sweep, runs))))
    begun = any(each.state != "new" for each in found)
    if begun and sweep.file.method == "bayes" and not sweeps.on_server(sweep, runs):
        from augrnn.sweeps.optuna_trials import open_study, reap

        alive = {number for number, each in enumerate(found) if each.state in ("running", "waiting")}
        for number in reap(open_study(sweep, sweeps.storage_of(sweep, runs)), alive):
            print(f"trial {number:03d}: its job is gone; its parameters wait for the next job")
    for each in found:
        if each.state == "broken":
            print(f"{each.work.name}: broken, and in no queue")
    broken = sum(each.state == "broken" for each in found)
    print(f"{sweep.name}: {broken} to take up again" + (": sweep submit, or sweep run" if broken else ""))
    return 0


def results(options: argparse.Namespace) -> int:
    """Show the best points and what mattered, draw the pictures, and write the record."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from augrnn.lab.claims_tables import judged, with_marks
    from augrnn.lab.committed_sweep import importance_told, own_sweep_path
    from augrnn.option_names import shortened
    from augrnn.sweeps import recording
    from augrnn.sweeps import work as sweeps
    from augrnn.sweeps.results import collect, draw, require_ended

    sweep, runs = _read(options)
    owned = recording.owner(sweep) if options.record else None
    rows = collect(sweep, runs)
    if options.json:
        print(json.dumps([{**asdict(row), "mean": row.mean, "median": row.median} for row in rows], indent=1))
        return 0
    require_ended(rows, sweep)
    if owned:
        recording.require_whole(sweep, runs)
    judging = owned[0] if owned else recording.judging(sweep)
    record = recording.distilled(rows, sweep, runs, judging)
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
    for line in importance_told(rows, record.importance):
        print(line)
    if judging and record.verdicts:
        lab.show(judged(judging, with_marks(judging, record), record.sweep))
    record.write(own_sweep_path(runs, sweep.name))
    for path in draw(rows, sweep, sweeps.folder_of(sweep, runs)):
        print(path)
    for path in recording.commit(record, sweep, owned) if owned else ():
        print(path)
    return 0


def draw_committed(experiment: "Experiment", experiments: Path, out: Path | None, form: str) -> list[Path]:
    """Draw the committed sweeps of an experiment again; gives the paths of the pictures.

    Args:
      experiment: the experiment.
      experiments: the folder of all experiments.
      out: a folder of the user's, which gets `<experiment>/sweeps/<sweep>/<picture>.<form>`; None to draw the committed
        pictures.
      form: "png", "svg" or "pdf".

    Raises:
      UserError: a picture cannot be written.
    """
    from augrnn.lab.committed_sweep import SWEEPS, committed_sweeps, pictures_path

    found: list[Path] = []
    for name, record in committed_sweeps(experiment, experiments).items():
        from augrnn.sweeps.recording import draw_again  # slow to import

        own = None if out is None else out / experiment.name / SWEEPS / name
        found += draw_again(record, own or pictures_path(experiments, experiment.name, name), form)
    return found


def panels() -> "list[SweepPanel]":
    """The sweeps of `configs/sweeps`, as the dashboard shows them."""
    from augrnn.dashboard.shown import SweepPanel
    from augrnn.sweeps.sweep_file import read_sweep

    root = places()[0].parent
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
