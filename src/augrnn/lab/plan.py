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
      ensemble_of: the variant whose models of all seeds this one is, as one model; it is not trained, and its one run
        at each scale measures them together. It has the config and the settings of that variant.
    """

    config: str
    settings: Settings = field(default_factory=dict)
    ensemble_of: str | None = None


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
    """One training run of a plan, or an ensemble of several.

    Attributes:
      fingerprint: a hash of its settings, or of its members' ones; a record with another is of another run.
      settings: all of them, as a LightningCLI file has them.
      values: where it is a point of a sweep, the point's options.
      members: the runs whose models an ensemble is made of; none for a run that is trained.
    """

    experiment: str
    scale: str
    variant: str
    seed: int
    fingerprint: str
    settings: Settings = field(compare=False, repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    members: tuple["Run", ...] = field(default=(), compare=False, repr=False)

    def folder(self, runs: Path) -> Path:
        """Where its record lives."""
        return runs / self.experiment / self.scale / self.variant / f"seed-{self.seed}"

    @property
    def name(self) -> str:
        """Its folder in that of the scale."""
        return f"{self.variant}/seed-{self.seed}"

    def state(self, runs: Path) -> State:
        """How far it is, by its record."""
        if self.members:
            return self._of_ensemble(runs)
        folder = self.folder(runs)
        path = folder / PROVENANCE
        if not path.exists():
            return "outdated" if any((folder / name).exists() for name in (LAST, SUMMARY)) else "new"
        if read_json(path, "fingerprint")["fingerprint"] != self.fingerprint:
            return "outdated"
        return ended(folder) or "broken"

    def _of_ensemble(self, runs: Path) -> State:
        """By its result alone; one that is of other models is made again, because nothing that took hours is lost."""
        folder = self.folder(runs)
        if not (folder / SUMMARY).exists():
            return "broken" if (folder / PROVENANCE).exists() else "new"
        kept = read_json(folder / SUMMARY, "members")
        same = all(kept["members"].get(name) == made for name, made in self.made_of(runs).items())
        whole = same and kept.get("fingerprint") == self.fingerprint
        return ended(folder) or "broken" if whole else "broken"

    def made_of(self, runs: Path) -> dict[str, str]:
        """A hash of the result of each member that has one, by name: an ensemble is made again when they change."""
        summaries = {member.name: member.folder(runs) / SUMMARY for member in self.members}
        there = {name: path.read_bytes() for name, path in summaries.items() if path.exists()}
        return {name: hashlib.sha256(content).hexdigest()[:16] for name, content in there.items()}

    def __str__(self) -> str:
        return f"{self.variant} seed {self.seed}"


def fingerprint(settings: Settings, *others: Any) -> str:
    """A hash of settings, the code's defaults among them, and of what else makes a run another one."""
    whole = merged({"trainer": TRAINER}, settings)
    return hashlib.sha256(json.dumps([whole, *others], sort_keys=True, default=str).encode()).hexdigest()[:16]
