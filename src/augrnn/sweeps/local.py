"""A sweep in processes on this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from augrnn.lab.commands import console
from augrnn.lab.progress import Progress
from augrnn.lab.runner import Pool
from augrnn.lab.work import Work
from augrnn.sweeps.sweep_file import Sweep
from augrnn.sweeps.work import SweepWork, command, frozen
from augrnn.threads import cores


def train_here(sweep: Sweep, todo: Sequence[SweepWork], runs: Path, jobs: int | None) -> Mapping[Work, str]:
    """Do parts of a sweep; for each that broke, why.

    Args:
      sweep: the sweep.
      todo: its parts.
      runs: the folder of all run records.
      jobs: how many at once; as the cores allow when None.
    """
    file = frozen(sweep, runs)
    slots = max(1, min(jobs or cores(), len(todo)))
    with Progress(console(), total=len(todo), jobs=slots, seconds=60, curves=(sweep.file.metric.name,)) as progress:
        begun = sum(each.state(runs) == "broken" for each in todo)
        going_on = f", {begun} of them from where they were stopped" if begun else ""
        progress.say(f"{sweep.name}: {len(todo)} runs to do{going_on}; {slots} at once")
        threads = max(1, cores() // slots)
        return Pool(lambda each: command(sweep, file, each.words(), runs), runs, slots, threads, progress).do(todo)
