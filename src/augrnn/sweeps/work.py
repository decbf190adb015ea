"""What there is to do for a sweep: a run for each point and seed, or tasks whose points are not known beforehand."""

import hashlib
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from augrnn import files
from augrnn.lab.plan import Run
from augrnn.lab.work import State, Work, ended
from augrnn.run_folder import SUMMARY
from augrnn.sweeps.points import points, runs_of
from augrnn.sweeps.sweep_file import Sweep

STORAGE = "AUGRNN_STORAGE"
"""The variable that names Optuna's storage. It may hold a password, so it is passed on in the environment alone."""

TRIALS, AGENTS = "trials", "agents"
"""The folders of tasks whose points are not known before they have begun: Optuna's trials, and W&B's agents."""

SERVER = "server.json"
"""The file in a sweep's folder that says where it is on W&B's server."""


class SweepWork(Work, Protocol):
    """A part of a sweep."""

    def words(self) -> list[str]:
        """What it is, as the last words of its process (`augrnn.sweeps.run_process`)."""

    def shown(self) -> str:
        """What it trains, in a line; "" where that is not known yet."""


@dataclass(frozen=True)
class PointRun:
    """A point of a grid or random sweep with one of its seeds.

    Attributes:
      run: what is trained.
    """

    run: Run

    @property
    def name(self) -> str:
        return self.run.name

    def folder(self, runs: Path) -> Path:
        return self.run.folder(runs)

    def state(self, runs: Path) -> State:
        return self.run.state(runs)

    def words(self) -> list[str]:
        return ["point", self.run.variant, str(self.run.seed)]

    def shown(self) -> str:
        return " ".join(f"{name}={value}" for name, value in {**self.run.values, "seed": self.run.seed}.items())

    def __str__(self) -> str:
        return str(self.run)


@dataclass(frozen=True)
class Task:
    """A task that gets its point when it begins. Its folder holds those of its seeds, and a summary once all is done.

    Attributes:
      sweep: the sweep's name.
      number: which of its tasks, from 0.
    """

    sweep: str
    number: int
    kind = ""
    place = ""

    @property
    def name(self) -> str:
        return f"{self.number:03d}"

    def folder(self, runs: Path) -> Path:
        return runs / "sweeps" / self.sweep / self.place / self.name

    def state(self, runs: Path) -> State:
        folder = self.folder(runs)
        return ended(folder) or ("broken" if folder.exists() else "new")

    def conclude(self, runs: Path, state: str) -> None:
        """Put on record what has become of it: the state of its trial, in Optuna's words."""
        status = "failed" if state == "FAIL" else "finished"
        files.write_json(self.folder(runs) / SUMMARY, {"status": status, "state": state})

    def words(self) -> list[str]:
        return [self.kind, str(self.number)]

    def shown(self) -> str:
        return ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Trial(Task):
    """A trial of Optuna's."""

    kind, place = "trial", TRIALS


class ServerPoint(Task):
    """A point that W&B's server hands to an agent."""

    kind, place = "agent", AGENTS


def folder_of(sweep: Sweep, runs: Path) -> Path:
    """Where a sweep lives."""
    return runs / "sweeps" / sweep.name


def storage_of(sweep: Sweep, runs: Path) -> str:
    """Optuna's storage: a URL, or the path of a journal in the sweep's folder."""
    return os.environ.get(STORAGE) or str(folder_of(sweep, runs) / "study.journal")


def on_server(sweep: Sweep, runs: Path) -> bool:
    """Whether W&B's server hands out the points; see `augrnn.sweeps.wandb_agents`."""
    return (folder_of(sweep, runs) / SERVER).exists()


def known_beforehand(sweep: Sweep, runs: Path) -> bool:
    """Whether all points can be listed before any has run."""
    return sweep.file.method != "bayes" and not on_server(sweep, runs)


def plan(sweep: Sweep, runs: Path) -> Sequence[SweepWork]:
    """What a sweep trains: a run for each point and seed, for each trial of a bayes sweep, or for each of W&B's agents.

    To W&B's server the seed is a parameter like others, and `run_cap` counts runs.
    """
    if on_server(sweep, runs):
        listed = len(points(sweep)) * len(sweep.seeds) if sweep.file.method == "grid" else math.inf
        return [ServerPoint(sweep.name, number) for number in range(int(min(listed, sweep.file.run_cap or listed)))]
    if sweep.file.method == "bayes":
        return [Trial(sweep.name, number) for number in range(sweep.file.run_cap or 0)]
    return [PointRun(run) for run in runs_of(sweep, points(sweep))]


def frozen(sweep: Sweep, runs: Path) -> Path:
    """A copy of the sweep's file, so that jobs in the queue do not change when the file does."""
    content = sweep.path.read_bytes()
    path = folder_of(sweep, runs) / "files" / f"{hashlib.sha256(content).hexdigest()[:10]}.yaml"
    if not path.exists():
        with files.replacing(path) as file:
            file.write(content)
    return path


def command(sweep: Sweep, file: Path, words: Sequence[str], runs: Path, placement: Sequence[str] = ()) -> list[str]:
    """The command that does a part of a sweep, as its words say; see `augrnn.sweeps.run_process`."""
    place = [str(file), sweep.name, str(sweep.root), str(runs), *(f"--placement={option}" for option in placement)]
    return [sys.executable, "-m", "augrnn.sweeps.run_process", *place, *words]
