"""The batch script of an array, from the inside: `python -m augrnn.cluster.job PLAN.json`; SLURM numbers the tasks.

It starts the run as a step (`srun`) and decides what follows when the step ends:

- on record: the job is done;
- asked to stop (status 143: the time limit is near, or the machine is wanted): the job goes back into the queue. SLURM
  tells only the step so. A preempted job that just ended would count as completed, and be lost;
- SLURM also told this process (cancelled, node failure, requeued by hand): SLURM decides, and we leave;
- killed (out of memory): again, from the last checkpoint, unless it makes no headway;
- at fault: the job fails, and says why.

W&B's service is started here, because what a step starts is told to stop with it, and it has to write the last rows.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from augrnn.cluster import slurm
from augrnn.cluster.submissions import Task, read_tasks
from augrnn.run_folder import LOG
from augrnn.signals import STOPPED

DEATHS = 3
"""How often a run may be killed without a new checkpoint in between."""

DECIDING = 2.0
"""Seconds in which SLURM tells this process too what it told the step, where it does."""


class Told:
    """Whether SLURM has told this process to end."""

    def __init__(self) -> None:
        self.ended = False
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # for the step, which gets its own

    def _note(self, number: int, _: FrameType | None) -> None:
        self.ended = True


def do(task: Task, told: Told, environment: dict[str, str]) -> int:
    """Run a task's command as a step until it has come to something; gives the exit status of the job."""
    folder = Path(task.folder)
    folder.mkdir(parents=True, exist_ok=True)
    deaths = 0
    while True:
        before = _headway(folder)
        status = step(task, environment)
        if status == STOPPED:
            time.sleep(DECIDING)
        if told.ended or status in (0, 1, 2):
            return STOPPED if told.ended else status
        if status == STOPPED:
            return _requeued()
        deaths = 0 if _headway(folder) != before else deaths + 1
        say(f"{task.name}: killed (status {status})" + (f", {deaths} times in a row" if deaths > 1 else ""))
        if deaths == DEATHS:
            return 1


def step(task: Task, environment: dict[str, str]) -> int:
    """Run a task's command once, on all tasks of the job; gives the worst exit status."""
    with open(Path(task.folder) / LOG, "ab") as log:
        # Since 22.05 a step has one core a task unless it is told otherwise.
        cores = [f"--cpus-per-task={os.environ['SLURM_CPUS_PER_TASK']}"] if "SLURM_CPUS_PER_TASK" in os.environ else []
        command = ["srun", "--kill-on-bad-exit=1", *cores, *task.command]
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
        )
        return child.wait()


def _headway(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.rglob("*.ckpt")), default=0.0)


def _requeued() -> int:
    job = os.environ["SLURM_JOB_ID"]
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    if slurm.state(job) == "RUNNING":
        say(f"job {job}: asked to stop; back into the queue")
        slurm.requeue(job)
        time.sleep(DECIDING)
    return STOPPED


def say(line: str) -> None:
    """One line for the job's log, with the time."""
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {line}", flush=True)


@contextlib.contextmanager
def wandb_service() -> Iterator[dict[str, str]]:
    """The environment of a step, with W&B's service at work in this process's part of the job."""
    environment = dict(os.environ)
    if environment.get("WANDB_MODE") == "disabled":
        yield environment
        return
    wandb = [sys.executable, "-m", "wandb", "beta", "core"]
    started = subprocess.run([*wandb, "start"], capture_output=True, text=True, check=False)
    if started.returncode != 0:
        say(f"no W&B service of the job's own: {' '.join(started.stderr.split())}")
        yield environment
        return
    environment["WANDB_SERVICE"] = started.stdout.strip().splitlines()[-1]
    try:
        yield environment
    finally:
        subprocess.run([*wandb, "stop"], env=environment, capture_output=True, check=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Do the task that SLURM has given this job."""
    plan = (sys.argv[1:] if argv is None else argv)[0]
    task = read_tasks(Path(plan))[int(os.environ["SLURM_ARRAY_TASK_ID"])]
    told = Told()
    say(f"{task.name}: leg {int(os.environ.get('SLURM_RESTART_COUNT') or 0) + 1} on {os.environ.get('SLURM_NODELIST')}")
    with wandb_service() as environment:
        status = do(task, told, environment)
    say(f"{task.name}: leg ended with status {status}")
    return status


if __name__ == "__main__":
    sys.exit(main())
