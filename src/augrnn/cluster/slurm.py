"""SLURM: what a job asks for, its batch script, and the four commands that we need of it.

Jobs are ours to requeue. submitit and Lightning would both do it, each on signals of its own and in each other's way,
so neither is asked to: the batch script is `augrnn.cluster.job`, which starts the run as a step.
"""

import math
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from augrnn.errors import UserError
from augrnn.yaml_files import Strict, read_strict

LEAST = 120
"""Seconds that a leg must have before it is asked to stop."""

UNLIMITED = ("UNLIMITED", "INFINITE")
"""SLURM's words for no time limit."""


def seconds(time: str) -> float:
    """How long a time limit in one of SLURM's forms is; 0 is no limit.

    Raises:
      ValueError: it is of none of the forms.
    """
    if time.upper() in UNLIMITED:
        return math.inf
    if not re.fullmatch(r"[0-9]{1,9}(:[0-9]{1,9}){0,2}|[0-9]{1,9}-[0-9]{1,9}(:[0-9]{1,9}){0,2}", time):
        raise ValueError(
            f'{time!r} is not a time limit of SLURM\'s: "hours:minutes:seconds", "days-hours" or UNLIMITED'
        )
    days, dash, rest = time.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if dash or len(parts) == 3:
        hours, minutes, last = [*parts, 0, 0][:3]
    else:
        hours, (minutes, last) = 0, [*parts, 0][:2]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + last or math.inf


class Profile(Strict):
    """What each job of an array asks for: `configs/cluster/*.yaml`.

    Attributes:
      partition, account, qos, constraint: as sbatch has them; the cluster's own defaults when None.
      time: limit of one leg, in SLURM's form; a run that needs longer goes on in the next leg.
      nodes, tasks_per_node: of one run; more than one task is data-parallel training, a process each.
      cpus_per_task, gpus_per_node, memory: of one job.
      notice: seconds before the time limit at which a run is asked to stop; it has to save a checkpoint in that time,
        and to finish a validation if it is in one. The limit is to be at least `LEAST` seconds longer.
      at_once: most jobs of an array that run at the same time.
      largest_array: most jobs of one array (MaxArraySize of the cluster); more are submitted as several.
      environment: lines of the batch script before the run: modules, a virtual environment.
      options: further options of sbatch ("--mail-type=FAIL").
      trainer: further options of the Trainer that are about the machine ({strategy: ddp, precision: bf16-mixed}).
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    time: str = "04:00:00"
    nodes: Annotated[int, Field(ge=1)] = 1
    tasks_per_node: Annotated[int, Field(ge=1)] = 1
    cpus_per_task: Annotated[int, Field(ge=1)] = 1
    gpus_per_node: Annotated[int, Field(ge=0)] = 0
    memory: str | None = None
    notice: Annotated[int, Field(ge=1)] = 120
    at_once: Annotated[int, Field(ge=1)] | None = None
    largest_array: Annotated[int, Field(ge=1)] = 1000
    environment: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    trainer: dict[str, str | int | float | bool] = Field(default_factory=dict)

    @field_validator("partition", "account", "qos", "constraint", "memory")
    @classmethod
    def _one_word(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w.,:&|*()\[\]-]+", value):
            raise ValueError(f"{value!r} is not a word that sbatch takes")
        return value

    @field_validator("time")
    @classmethod
    def _of_slurms_form(cls, value: str) -> str:
        seconds(value)
        return value

    @model_validator(mode="after")
    def _time_to_train(self) -> Self:
        limit = seconds(self.time)
        if limit < self.notice + LEAST:
            raise ValueError(
                f"time {self.time} is {limit:,.0f} seconds, and notice {self.notice:,}: a run would be stopped before "
                f"it has trained, again and again. The limit must be at least {LEAST} seconds longer than the notice, "
                "because SLURM gives it up to 60 seconds early and a run takes a while to start"
            )
        return self

    @field_validator("options")
    @classmethod
    def _long_options(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not re.fullmatch(r"--[a-z-]+(=[^\s'\"\\]+)?", value):
                raise ValueError(f"{value!r} is not an option of sbatch: --name or --name=value, without spaces")
        return values

    def header(self, name: str) -> list[str]:
        """The lines that tell SLURM what the jobs of an array called `name` need."""
        asked = {
            "job-name": name,
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "constraint": self.constraint,
            "time": self.time,
            "nodes": self.nodes,
            "ntasks-per-node": self.tasks_per_node,
            "cpus-per-task": self.cpus_per_task,
            "gpus-per-node": self.gpus_per_node or None,
            "mem": self.memory,
            "signal": f"USR1@{self.notice}",
            "open-mode": "append",
        }
        lines = [f"--{option}={value}" for option, value in asked.items() if value is not None]
        return [f"#SBATCH {line}" for line in (*lines, "--requeue", *self.options)]

    @property
    def placement(self) -> tuple[str, ...]:
        """Options of `augrnn fit` that spread a run over its tasks; none where it has one and nothing is asked for."""
        options = dict(self.trainer)
        if self.nodes * self.tasks_per_node > 1:
            options = {"strategy": "ddp", **options, "num_nodes": self.nodes, "devices": self.tasks_per_node}
        return tuple(f"--trainer.{name}={value}" for name, value in options.items())


def read_profile(path: Path) -> Profile:
    """Read a cluster profile; a UserError of one line where it is missing or not of the form."""
    return read_strict(path, Profile, "cluster profile")


def batch_script(profile: Profile, name: str, plan: Path) -> str:
    """The batch script of an array.

    What the runs are is in the plan, not here: no option of a run goes through a shell.

    Args:
      profile: what the jobs ask for.
      name: the array's name.
      plan: the file of its tasks; see `augrnn.cluster.submissions`.
    """
    command = shlex.join([sys.executable, "-m", "augrnn.cluster.job", str(plan)])
    return "\n".join(["#!/bin/bash", *profile.header(name), "", *profile.environment, f"exec {command}", ""])


def sbatch(script: str, tasks: int, at_once: int | None, output: Path) -> str:
    """Submit an array of tasks 0 to tasks - 1; gives its job id.

    Args:
      script: the batch script.
      tasks: how many.
      at_once: most that run at the same time.
      output: the folder of the jobs' own logs.
    """
    array = f"0-{tasks - 1}" + (f"%{at_once}" if at_once else "")
    log = str(output).replace("%", "%%") + "/%A_%a.log"
    said = _slurm(["sbatch", "--parsable", f"--array={array}", f"--output={log}"], script)
    return said.strip().split(";")[0]


class Job(NamedTuple):
    """A task of an array in the queue: the array's name, the task's number, its state and where or why."""

    name: str
    task: int
    state: str
    where: str


def queue() -> list[Job]:
    """This user's array tasks that are in the queue, one each, however SLURM abbreviates them."""
    said = _slurm(["squeue", "--me", "--noheader", "--array", "--format=%j|%K|%T|%R"])
    fields = (line.split("|", 3) for line in said.splitlines())
    return [Job(name, int(task), state, where) for name, task, state, where in fields if task.isdigit()]


def available() -> bool:
    """Whether this machine can talk to SLURM."""
    return shutil.which("squeue") is not None


def require_here() -> None:
    """Refuse to submit where SLURM is not, before anything is written for it.

    Raises:
      UserError: there is no `sbatch`.
    """
    if shutil.which("sbatch") is None:
        raise _absent("sbatch")


def _absent(program: str) -> UserError:
    return UserError(f"there is no {program} here: run this where SLURM is, on a login node")


def requeue(job: str) -> None:
    """Put a job, or a task of an array ("123_4"), back into the queue."""
    _slurm(["scontrol", "requeue", job])


def state(job: str) -> str:
    """The state of a job in the queue ("RUNNING"); "" where SLURM no longer knows it."""
    try:
        said = _slurm(["scontrol", "--oneliner", "show", "job", job])
    except UserError:
        return ""
    found = re.search(r"\bJobState=(\w+)", said)
    return found[1] if found else ""


def _slurm(command: Sequence[str], given: str | None = None) -> str:
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise _absent(command[0]) from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise UserError(f"SLURM refused: {said}")
    return done.stdout
