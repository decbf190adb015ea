"""What was handed to SLURM: for each array a file with its tasks, written before the array is submitted.

The array is called after the file, so that a submission that was interrupted after `sbatch` is still known, and tasks
in the queue are found by the array's name and their number alone.
"""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from augrnn import files
from augrnn.cluster import slurm
from augrnn.errors import UserError
from augrnn.lab.work import Work

PREFIX = "augrnn-"


@dataclass(frozen=True)
class Task:
    """What one job does.

    Attributes:
      name: the run's folder in that of the sweep or scale, which says what it is.
      folder: the run's folder.
      command: what does it, and takes it up again: a process that exits with 0 once it is on record, with 143 when it
        was asked to stop, with 2 where the user has to mend something.
    """

    name: str
    folder: str
    command: tuple[str, ...]


def task_of(work: Work, runs: Path, command: Sequence[str]) -> Task:
    """A unit of work as what a job does."""
    return Task(work.name, str(work.folder(runs)), tuple(command))


class Submissions:
    """The arrays submitted for a sweep, or for an experiment at a scale.

    Args:
      folder: the sweep's or scale's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "submissions"

    def submit(self, tasks: Sequence[Task], profile: slurm.Profile) -> tuple[list[str], int]:
        """Submit arrays for the tasks that are not in the queue; gives their job ids, and how many tasks they have.

        Two calls at once take turns, so that no task is submitted twice.
        """
        with files.locked(self.folder, wait=True):
            waiting = self.queued()
            left = [task for task in tasks if task.name not in waiting]
            return [self._submit(part, profile) for part in parts(left, profile.largest_array)], len(left)

    def _submit(self, tasks: Sequence[Task], profile: slurm.Profile) -> str:
        token = secrets.token_hex(5)
        plan = self.folder / f"{token}.json"
        files.write_json(plan, {"tasks": [asdict(task) for task in tasks]})
        script = slurm.batch_script(profile, PREFIX + token, plan)
        try:
            return slurm.sbatch(script, len(tasks), profile.at_once, self.folder)
        except UserError:
            plan.unlink()
            raise

    def script(self, profile: slurm.Profile) -> str:
        """The batch script that `submit` would hand over; nothing is written."""
        return slurm.batch_script(profile, f"{PREFIX}TOKEN", self.folder / "TOKEN.json")

    def queued(self) -> dict[str, slurm.Job]:
        """The tasks in the queue, by name."""
        names = {PREFIX + path.stem: path for path in self.folder.glob("*.json")}
        jobs = [job for job in slurm.queue() if job.name in names] if names else []
        plans = {job.name: read_tasks(names[job.name]) for job in jobs}
        return {plans[job.name][job.task].name: job for job in jobs}


def read_tasks(plan: Path) -> list[Task]:
    """The tasks of an array."""
    return [
        Task(task["name"], task["folder"], tuple(task["command"])) for task in files.read_json(plan, "tasks")["tasks"]
    ]


def parts(tasks: Sequence[Task], largest: int) -> list[Sequence[Task]]:
    """The tasks in arrays of at most `largest`."""
    return [tasks[start : start + largest] for start in range(0, len(tasks), largest)]
