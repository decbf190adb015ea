"""How far units of work are, by their records and the queue."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from augrnn import files
from augrnn.cluster.slurm import Job
from augrnn.lab import work as lab
from augrnn.lab.work import ENDED, Work

State = lab.State | Literal["waiting", "running"]
"""How far a unit of work is by its record, and whether it is in the queue or at work."""


@dataclass(frozen=True)
class Standing:
    """How far a unit of work is.

    Attributes:
      work: the unit.
      state: in a word.
      where: in the queue, the nodes it is on or why it waits.
    """

    work: Work
    state: State
    where: str = ""


def standings(plan: Sequence[Work], runs: Path, queued: Mapping[str, Job]) -> list[Standing]:
    """How far each part of a plan is, by its record and the queue."""
    return [_standing(work, runs, queued.get(work.name)) for work in plan]


def _standing(work: Work, runs: Path, job: Job | None) -> Standing:
    state = work.state(runs)
    if job is not None and state not in ENDED:
        return Standing(work, "running" if job.state in ("RUNNING", "COMPLETING") else "waiting", job.where)
    folder = work.folder(runs)
    if state == "broken" and any(map(files.held, (folder, *folder.glob("seed-*")))):
        return Standing(work, "running", "this machine")
    return Standing(work, state)


def counted(found: Sequence[Standing]) -> str:
    """How many units of work are in each state, in words."""
    counts = Counter(each.state for each in found)
    order: tuple[State, ...] = ("finished", "running", "waiting", "new", "broken", "failed", "outdated")
    return ", ".join(f"{counts[state]} {state}" for state in order if counts[state]) or "nothing to do"
