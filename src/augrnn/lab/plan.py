"""What is to be run: variants, scales, and the runs that they make."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augrnn.files import read_json
from augrnn.lab.settings import Settings, merged
from augrnn.lab.work import State, ended
from augrnn.run_folder import LAST, PROVENANCE, SUMMARY
from augrnn.training.defaults import TRAINER


@dataclass(frozen=True)
class Variant:
    """One model of an experiment.

    Attributes:
      config: a complete LightningCLI file, relative to the repository's root ("configs/copy/ntm-lstm.yaml").
      settings: what is different from the file (`augrnn.lab.settings`).
    """

    config: str
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Scale:
    """A size at which an experiment runs.

    Attributes:
      seeds: each variant is trained with seeds 0 to seeds - 1.
      minutes: estimate for all its runs together on two cores (or on a GPU, at the paper's scale).
      settings: what is different for every variant, over the variant's own.
      variants: those that take part; all when None.
      seeds_of: another number of seeds for some variants.
      settings_of: what else is different for some variants, over all others.
    """

    seeds: int
    minutes: float
    settings: Settings = field(default_factory=dict)
    variants: tuple[str, ...] | None = None
    seeds_of: Mapping[str, int] = field(default_factory=dict)
    settings_of: Mapping[str, Settings] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One training run of a plan.

    Attributes:
      fingerprint: a hash of its settings; a record with another fingerprint is of another run.
      settings: all of them, as a LightningCLI file has them.
      values: where it is a point of a sweep, the point's options.
    """

    experiment: str
    scale: str
    variant: str
    seed: int
    fingerprint: str
    settings: Settings = field(compare=False, repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def folder(self, runs: Path) -> Path:
        """Where its record lives."""
        return runs / self.experiment / self.scale / self.variant / f"seed-{self.seed}"

    @property
    def name(self) -> str:
        """Its folder in that of the scale."""
        return f"{self.variant}/seed-{self.seed}"

    def state(self, runs: Path) -> State:
        """How far it is, by its record."""
        folder = self.folder(runs)
        path = folder / PROVENANCE
        if not path.exists():
            return "outdated" if any((folder / name).exists() for name in (LAST, SUMMARY)) else "new"
        if read_json(path, "fingerprint")["fingerprint"] != self.fingerprint:
            return "outdated"
        return ended(folder) or "broken"

    def __str__(self) -> str:
        return f"{self.variant} seed {self.seed}"


def fingerprint(settings: Settings, *others: Any) -> str:
    """A hash of settings, the code's defaults among them, and of what else makes a run another one."""
    whole = merged({"trainer": TRAINER}, settings)
    return hashlib.sha256(json.dumps([whole, *others], sort_keys=True, default=str).encode()).hexdigest()[:16]
