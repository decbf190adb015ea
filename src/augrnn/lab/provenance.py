"""Where a number comes from: commit, versions, machine, and every leg (stretch of time) that a run was at work."""

import contextlib
import platform
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn import files, threads
from augrnn.code_version import commit
from augrnn.lab.settings import recorded
from augrnn.run_folder import PROVENANCE

if TYPE_CHECKING:
    from augrnn.lab.plan import Run

PACKAGES = (
    "augrnn",
    "torch",
    "torchvision",
    "lightning",
    "numpy",
    "scipy",
    "datasets",
    "tokenizers",
    "sacrebleu",
    "wandb",
)


class Leg:
    """A run's stretch of work in this process, on record from its start; say how it ended with `close`.

    An ensemble has one leg: it is made anew each time.
    """

    def __init__(self, run: "Run", folder: Path) -> None:
        self._path = folder / PROVENANCE
        self._started = time.time()
        resumes = self._path.exists() and not run.members
        earlier = files.read_json(self._path, "legs") if resumes else {"legs": []}
        self._legs = [_ended(leg, folder) for leg in earlier["legs"]]
        self._content: dict[str, Any] = {
            "experiment": run.experiment,
            "scale": run.scale,
            "variant": run.variant,
            "seed": run.seed,
            "fingerprint": run.fingerprint,
            "settings": recorded(run.settings),
            "values": run.values,
        }
        if "seconds" in earlier:
            self._content["seconds"] = earlier["seconds"]
        self._leg = {"started": datetime.now(UTC).isoformat(timespec="seconds"), **surroundings()}
        self._write()

    @property
    def seconds(self) -> float:
        """Wall time of the run so far, over all its legs; what it was the first time where a run is measured again."""
        if "seconds" in self._content:
            return self._content["seconds"]
        return sum(leg["seconds"] or 0.0 for leg in self._legs) + time.time() - self._started

    def close(self, outcome: str) -> None:
        """Put on record how the leg ended, on which accelerator and with how many threads: training has chosen both."""
        self._leg |= {
            "seconds": round(time.time() - self._started, 1),
            "outcome": shortened(outcome),
            "hardware": hardware(),
            "threads": threads.in_use(),
        }
        self._write()

    def _write(self) -> None:
        files.write_json(self._path, {**self._content, "legs": [*self._legs, self._leg]})


def shortened(outcome: str) -> str:
    """An outcome as one line of at most 300 letters; a compiler's error has pages."""
    text = " ".join(outcome.split())
    return text if len(text) <= 300 else f"{text[:296]} ..."


def _ended(leg: dict[str, Any], folder: Path) -> dict[str, Any]:
    if "outcome" in leg:
        return leg
    # Killed without a word: it lived at least until it last wrote something.
    alive = max((path.stat().st_mtime for path in folder.rglob("*") if path.is_file()), default=0.0)
    seconds = max(0.0, alive - datetime.fromisoformat(leg["started"]).timestamp())
    return {**leg, "seconds": round(seconds, 1), "outcome": "killed"}


def surroundings() -> dict[str, Any]:
    """What this process runs with."""
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "versions": versions(),
        "hardware": hardware(),
        "threads": threads.in_use(),
    }


def versions() -> dict[str, str]:
    """The installed versions of the packages that decide the numbers."""
    return dict(_installed())


def _installed() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            yield package, metadata.version(package)


def hardware() -> str:
    """The processor with its cores, and the accelerators, once torch has been imported."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    text = f"{name}, {threads.cores()} cores"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        text += f", {torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return text
