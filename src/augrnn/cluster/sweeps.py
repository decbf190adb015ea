"""A sweep's runs on this machine's disk: what there is to do, what has become of it, and the tasks that do it."""

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from augrnn import files
from augrnn.cluster import slurm
from augrnn.cluster.grammar import Sweep
from augrnn.cluster.points import points, runs_of
from augrnn.cluster.submissions import Task
from augrnn.lab import records
from augrnn.lab.experiment import Run

STORAGE = "AUGRNN_STORAGE"
"""The variable that names Optuna's storage. It may hold a password, so it is passed on in the environment alone."""

State = Literal["new", "waiting", "running", "broken", "finished", "failed", "outdated"]
"""How far a run is: `records.RunState`, and whether it is in the queue or at work."""


def folder_of(sweep: Sweep, runs: Path) -> Path:
    """Where a sweep lives."""
    return runs / "sweeps" / sweep.name


def storage_of(sweep: Sweep, runs: Path) -> str:
    """Optuna's storage: a URL, or the path of a journal in the sweep's folder."""
    return os.environ.get(STORAGE) or str(folder_of(sweep, runs) / "study.journal")


def plan(sweep: Sweep) -> list[Run]:
    """What a sweep trains: a run for each point and seed, or for each trial of a bayes sweep.

    The run of a trial is that of its first seed. Its options are not known before the trial has begun.
    """
    if sweep.file.method != "bayes":
        return runs_of(sweep, points(sweep))
    numbers = range(sweep.file.run_cap or 0)
    return [Run(f"sweeps/{sweep.name}", "trials", f"{number:03d}", sweep.seeds[0], (), "") for number in numbers]


def name_of(run: Run) -> str:
    """A run's name among those of its sweep or scale."""
    return f"{run.variant}/seed-{run.seed}"


def frozen(sweep: Sweep, runs: Path) -> Path:
    """A copy of the sweep's file, so that jobs in the queue do not change when the file does."""
    content = sweep.path.read_bytes()
    path = folder_of(sweep, runs) / "files" / f"{hashlib.sha256(content).hexdigest()[:10]}.yaml"
    if not path.exists():
        with files.replacing(path) as file:
            file.write(content)
    return path


def command(sweep: Sweep, file: Path, run: Run, runs: Path, placement: Sequence[str] = ()) -> list[str]:
    """The command that does a run of a sweep; see `augrnn.cluster.worker`."""
    place = [str(file), sweep.name, str(sweep.root), str(runs), *(f"--placement={option}" for option in placement)]
    kind = ["trial", str(int(run.variant))] if run.scale == "trials" else ["point", run.variant, str(run.seed)]
    return [sys.executable, "-m", "augrnn.cluster.worker", *place, *kind]


def task_of(run: Run, runs: Path, command: Sequence[str]) -> Task:
    """A run as what a job does."""
    return Task(name_of(run), str(run.folder(runs)), tuple(command))


def state_on_disk(run: Run, runs: Path) -> records.RunState:
    """How far a run is, by its record; a trial's record is `trial.json`, beside the folders of its seeds."""
    if run.scale != "trials":
        return records.state_of(run, runs)
    folder = run.folder(runs).parent
    if (folder / "trial.json").exists():
        return "failed" if files.read_json(folder / "trial.json")["state"] == "FAIL" else "finished"
    return "broken" if folder.exists() else "new"


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
    if state == "broken" and files.held(run.folder(runs)):
        return Standing(run, "running", "this machine")
    return Standing(run, state)


def counted(found: Sequence[Standing]) -> str:
    """How many runs are in each state, in words."""
    counts = Counter(each.state for each in found)
    order: tuple[State, ...] = ("finished", "running", "waiting", "new", "broken", "failed", "outdated")
    return ", ".join(f"{counts[state]} {state}" for state in order if counts[state]) or "nothing to do"
