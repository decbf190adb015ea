"""A sweep's runs on this machine's disk: what there is to do, what has become of it, and the tasks that do it."""

import hashlib
import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from augrnn import files
from augrnn.cluster import slurm
from augrnn.cluster.submissions import Task
from augrnn.errors import UserError
from augrnn.lab import records
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Run
from augrnn.sweeps.points import points, runs_of
from augrnn.sweeps.sweep_file import Sweep

if TYPE_CHECKING:
    from augrnn.measures.measure import Measured
    from augrnn.training.command import Trained

STORAGE = "AUGRNN_STORAGE"
"""The variable that names Optuna's storage. It may hold a password, so it is passed on in the environment alone."""

PRUNED = "pruned"
"""The measure of a run whose training was ended early."""

TRIALS, AGENTS = "trials", "agents"
"""The folders of tasks whose options are not known before they have begun: Optuna's trials, and W&B's agents."""

State = Literal["new", "waiting", "running", "broken", "finished", "failed", "outdated"]
"""How far a run is: `records.RunState`, and whether it is in the queue or at work."""


def folder_of(sweep: Sweep, runs: Path) -> Path:
    """Where a sweep lives."""
    return runs / "sweeps" / sweep.name


def storage_of(sweep: Sweep, runs: Path) -> str:
    """Optuna's storage: a URL, or the path of a journal in the sweep's folder."""
    return os.environ.get(STORAGE) or str(folder_of(sweep, runs) / "study.journal")


def on_server(sweep: Sweep, runs: Path) -> bool:
    """Whether W&B's server hands out the points; see `augrnn.sweeps.wandb_agents`."""
    return (folder_of(sweep, runs) / "server.json").exists()


@dataclass(frozen=True)
class Unplanned(Run):
    """A run of a plan whose options are not known before it has begun: a trial of Optuna's, or what an agent is given.

    Its folder holds those of its seeds, and its own `summary.json` once all is done.
    """

    def folder(self, runs: Path) -> Path:
        return runs / self.experiment / self.scale / self.variant

    def __str__(self) -> str:
        return f"{self.scale.removesuffix('s')} {self.variant}"


def plan(sweep: Sweep, runs: Path) -> list[Run]:
    """What a sweep trains: a run for each point and seed, for each trial of a bayes sweep, or for each of W&B's agents.

    To W&B's server the seed is a parameter like others, and `run_cap` counts runs.
    """
    if on_server(sweep, runs):
        listed = len(points(sweep)) * len(sweep.seeds) if sweep.file.method == "grid" else math.inf
        return _unplanned(sweep, AGENTS, int(min(listed, sweep.file.run_cap or listed)))
    if sweep.file.method == "bayes":
        return _unplanned(sweep, TRIALS, sweep.file.run_cap or 0)
    return runs_of(sweep, points(sweep))


def _unplanned(sweep: Sweep, kind: str, count: int) -> list[Run]:
    return [unplanned(sweep, kind, number) for number in range(count)]


def unplanned(sweep: Sweep, kind: str, number: int) -> Unplanned:
    """A task of a sweep; `kind` is TRIALS or AGENTS."""
    return Unplanned(f"sweeps/{sweep.name}", kind, f"{number:03d}", sweep.seeds[0], "", {})


def conclude(task: Unplanned, runs: Path, state: str) -> None:
    """Put on record what has become of a task: the state of its trial, in Optuna's words."""
    status = "failed" if state == "FAIL" else "finished"
    files.write_json(task.folder(runs) / "summary.json", {"status": status, "state": state})


def as_experiment(sweep: Sweep, pruned: Callable[[], bool] = lambda: False) -> Experiment:
    """What the record of a sweep's run keeps: the curve of the sweep's metric, and whether it was ended early."""
    metric = sweep.file.metric.name

    def measure(trained: "Trained") -> "Measured":
        from augrnn.measures.measure import Measured

        logged = records.read_curves(Path(trained.trainer.default_root_dir) / "metrics.csv")
        if metric not in logged:
            raise UserError(f"the metric of {sweep.name}, {metric}, was not logged; there are: {', '.join(logged)}")
        return Measured({PRUNED: pruned()}, {})

    title = sweep.file.description or sweep.name
    return Experiment(f"sweeps/{sweep.name}", title, "", {}, {}, (), (metric,), measure=measure)


def name_of(run: Run) -> str:
    """A run's name among those of its sweep or scale."""
    return run.variant if isinstance(run, Unplanned) else f"{run.variant}/seed-{run.seed}"


def frozen(sweep: Sweep, runs: Path) -> Path:
    """A copy of the sweep's file, so that jobs in the queue do not change when the file does."""
    content = sweep.path.read_bytes()
    path = folder_of(sweep, runs) / "files" / f"{hashlib.sha256(content).hexdigest()[:10]}.yaml"
    if not path.exists():
        with files.replacing(path) as file:
            file.write(content)
    return path


def command(sweep: Sweep, file: Path, run: Run, runs: Path, placement: Sequence[str] = ()) -> list[str]:
    """The command that does a run of a sweep; see `augrnn.sweeps.run_process`."""
    place = [str(file), sweep.name, str(sweep.root), str(runs), *(f"--placement={option}" for option in placement)]
    kind = ["point", run.variant, str(run.seed)]
    if isinstance(run, Unplanned):
        kind = ["trial" if run.scale == TRIALS else "agent", str(int(run.variant))]
    return [sys.executable, "-m", "augrnn.sweeps.run_process", *place, *kind]


def task_of(run: Run, runs: Path, command: Sequence[str]) -> Task:
    """A run as what a job does."""
    return Task(name_of(run), str(run.folder(runs)), tuple(command))


def state_on_disk(run: Run, runs: Path) -> records.RunState:
    """How far a run is, by its record."""
    if isinstance(run, Unplanned):
        folder = run.folder(runs)
        return records.ended(folder) or ("broken" if folder.exists() else "new")
    return records.state_of(run, runs)


@dataclass(frozen=True)
class Standing:
    """How far a run is.

    Attributes:
      run: the run.
      state: in a word.
      where: in the queue, the nodes it is on or why it waits.
    """

    run: Run
    state: State
    where: str = ""


def standings(plan: Sequence[Run], runs: Path, queued: Mapping[str, slurm.Job]) -> list[Standing]:
    """How far each run of a plan is, by its record and the queue."""
    return [_standing(run, runs, queued.get(name_of(run))) for run in plan]


def _standing(run: Run, runs: Path, job: slurm.Job | None) -> Standing:
    state = state_on_disk(run, runs)
    if job is not None and state not in ("finished", "failed"):
        return Standing(run, "running" if job.state in ("RUNNING", "COMPLETING") else "waiting", job.where)
    folder = run.folder(runs)
    if state == "broken" and any(map(files.held, (folder, *folder.glob("seed-*")))):
        return Standing(run, "running", "this machine")
    return Standing(run, state)


def counted(found: Sequence[Standing]) -> str:
    """How many runs are in each state, in words."""
    counts = Counter(each.state for each in found)
    order: tuple[State, ...] = ("finished", "running", "waiting", "new", "broken", "failed", "outdated")
    return ", ".join(f"{counts[state]} {state}" for state in order if counts[state]) or "nothing to do"
