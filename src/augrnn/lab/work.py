"""What launchers need of any unit of work: a run of an experiment, or a part of a sweep."""

from pathlib import Path
from typing import Literal, Protocol

from augrnn.errors import UserError
from augrnn.files import read_json
from augrnn.run_folder import SUMMARY

State = Literal["new", "broken", "finished", "failed", "outdated"]
"""How far a unit of work is, by its record.

"broken" was stopped, killed or crashed, and resumes; "failed" diverged, which is a result; "outdated" has a record of
other settings, or none of the settings that it was trained with.
"""


ENDED: tuple[State, ...] = ("finished", "failed")
"""The states of work that has a result."""


class Work(Protocol):
    """Something that a process does and that can be taken up again. It can be hashed, and `str` gives words for it."""

    @property
    def name(self) -> str:
        """What it is called within its sweep, or its experiment's scale."""

    def folder(self, runs: Path) -> Path:
        """Where its record lives."""

    def state(self, runs: Path) -> State:
        """How far it is, by its record."""


def ended(folder: Path) -> Literal["finished", "failed"] | None:
    """How the work with this folder ended; None where it has not."""
    if not (folder / SUMMARY).exists():
        return None
    status = read_json(folder / SUMMARY, "status")["status"]
    if status not in ("finished", "failed"):
        raise UserError(f"{folder / SUMMARY} is damaged (its status is {status!r}); delete it")
    return status
