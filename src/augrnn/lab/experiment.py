"""An experiment: what of a paper is trained, at which sizes, over which seeds, and which claims that judges.

`experiments/<paper>/<finding>/experiment.py` defines `experiment = Experiment(...)` and reads like the paper's section.
It must not import torch at its top, because `augrnn list` loads every experiment and should answer at once.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from augrnn.counts import MOST_SEEDS, require_count
from augrnn.errors import UserError
from augrnn.known_names import known
from augrnn.lab.claims import Claim
from augrnn.lab.places import config_path, names
from augrnn.lab.plan import Run, Scale, Variant, fingerprint
from augrnn.lab.results import Results
from augrnn.lab.settings import Settings, merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit
    from augrnn.measures.measure import Measured
    from augrnn.training.command import Trained

Measure = Callable[["Trained"], "Measured"]
"""From a trained model to its numbers and exhibits."""

Shown = Mapping[tuple[str, int], Mapping[str, "Exhibit"]]
"""What the model of each finished (variant, seed) shows, by name."""

Exhibits = Callable[[Results, Shown], dict[str, "Exhibit"]]
"""From the results and what the models show to what the experiment shows; without models, what the results show."""


@dataclass(frozen=True)
class Experiment:
    """A finding of a paper, and all that it takes to judge it.

    Attributes:
      name: its folder under the experiments, "<paper>/<finding>".
      title: a line for tables.
      paper: the citation.
      variants: the models, by name.
      scales: the sizes, by name, from smallest to largest.
      claims: what is judged.
      curves: the metrics whose curves go into the committed record ("val/cost_bits").
      exhibits: what is shown, a picture each; None for nothing.
      measure: what is measured on each trained model, where it is not the measure of its task.
      sweeps: the sweeps that belong to it, by the names of their files in configs/sweeps/ ("parity-tau"); each judges
        the claims that have a rule for it.
    """

    name: str
    title: str
    paper: str
    variants: Mapping[str, Variant]
    scales: Mapping[str, Scale]
    claims: tuple[Claim, ...]
    curves: tuple[str, ...] = ()
    exhibits: Exhibits | None = None
    measure: Measure | None = None
    sweeps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, scale in self.scales.items():
            named = {*(scale.variants or ()), *scale.seeds_of, *scale.settings_of}
            if unknown := sorted(named - set(self.variants)):
                raise UserError(f"{self.name}: scale {name} names unknown variants: {', '.join(unknown)}")
            for ensemble, member in self.ensembles(name).items():
                if member not in self.seeds(name) or member in self.ensembles(name):
                    raise UserError(f"{self.name}: {ensemble} is of {member}, which is not trained at scale {name}")
                if ensemble in {*scale.seeds_of, *scale.settings_of}:
                    raise UserError(f"{self.name}: scale {name} must change {member}, not its ensemble {ensemble}")
                one, other = self.variants[ensemble], self.variants[member]
                if (one.config, one.settings) != (other.config, other.settings):
                    raise UserError(f"{self.name}: {ensemble} must have the config and the settings of {member}")
        if both := sorted(set(self.sweeps) & set(self.scales)):
            raise UserError(f"{self.name}: a scale and a sweep are both called {', '.join(both)}")
        for claim in self.claims:
            if unknown := sorted(set(claim.rules) - set(self.scales) - set(self.sweeps)):
                raise UserError(
                    f"{self.name}: claim {claim.name} has rules for unknown scales or sweeps: {', '.join(unknown)}"
                )
            if len(claim.rules) > 1 and set(claim.rules) & set(self.sweeps):
                raise UserError(f"{self.name}: claim {claim.name} is about a sweep, and has a rule for more than that")
        if len({claim.name for claim in self.claims}) < len(self.claims):
            raise UserError(f"{self.name}: two claims have the same name")

    def seeds(self, scale: str) -> dict[str, int]:
        """How many seeds each variant of a scale has; one that is an ensemble counts as one."""
        size = self.scale(scale)
        counts = {name: size.seeds_of.get(name, size.seeds) for name in size.variants or self.variants}
        return counts | dict.fromkeys(self.ensembles(scale), 1)

    def ensembles(self, scale: str) -> dict[str, str]:
        """The variants of a scale that are ensembles, with the variants of whose models they are."""
        of = {name: self.variants[name].ensemble_of for name in self.scale(scale).variants or self.variants}
        return {name: member for name, member in of.items() if member}

    def scale(self, name: str) -> Scale:
        """The scale of that name; a UserError that lists the known ones where there is none."""
        return self.scales[known(name, self.scales, f"scale of {self.name}")]

    def plan(
        self, scale: str, experiments: Path, seeds: int | None = None, variants: Sequence[str] | None = None
    ) -> list[Run]:
        """The runs of a scale, all variants of a seed before the next seed, and then the ensembles.

        Args:
          scale: the scale's name.
          experiments: the folder of all experiments; configs are found beside it, or are the package's.
          seeds: another number of seeds than the scale's. An ensemble is always of the scale's own; it is left out
            where there are fewer.
          variants: only these.

        Raises:
          UserError: a name is unknown, a config cannot be read, or a named ensemble has fewer seeds than the scale.
        """
        if seeds is not None:
            require_count("--seeds", seeds, MOST_SEEDS)
        if variants is not None and not variants:
            raise UserError(f"--variants names none; {self.name} has {', '.join(self.seeds(scale))}")
        counts = self.seeds(scale)
        for name in variants or ():
            known(name, counts, f"variant of {self.name} at scale {scale}")
        chosen = {name: seeds or count for name, count in counts.items() if not variants or name in variants}
        from augrnn.yaml_files import read_config  # slow to import, and `list` needs none

        root = experiments.parent
        configs = {name: read_config(config_path(root, self.variants[name].config), self.name) for name in chosen}
        ensembles = {name: member for name, member in self.ensembles(scale).items() if name in chosen}
        trained = [
            self._run(scale, variant, seed, configs[variant])
            for seed in range(max(chosen.values()))
            for variant, count in chosen.items()
            if seed < count and variant not in ensembles
        ]
        whole = {name: member for name, member in ensembles.items() if counts[member] <= (seeds or counts[member])}
        if variants and len(whole) < len(ensembles):
            few = ", ".join(name for name in ensembles if name not in whole)
            raise UserError(f"--seeds {seeds} leaves out models of {few}: leave out --seeds, or {few}")
        return trained + [
            self._ensemble(scale, name, member, counts[member], configs[name]) for name, member in whole.items()
        ]

    def run(self, scale: str, experiments: Path, variant: str, seed: int) -> Run:
        """One run of a scale; its seed may be beyond the scale's own, but an ensemble has only 0."""
        found = self.plan(scale, experiments, None if variant in self.ensembles(scale) else seed + 1, [variant])
        if seed >= len(found):
            raise UserError(f"{variant} is an ensemble: its only run has seed 0, and not {seed}")
        return found[seed]

    def claims_at(self, place: str) -> list[Claim]:
        """The claims that a scale is about, judged there or not, or those that a sweep judges."""
        if place in self.sweeps:
            return [claim for claim in self.claims if place in claim.rules]
        return [claim for claim in self.claims if not set(claim.rules) & set(self.sweeps)]

    def judges(self, scale: str) -> bool:
        """Whether any claim has a rule at a scale; where none has, it only shows that everything runs."""
        return any(scale in claim.rules for claim in self.claims)

    def changes(self, scale: str, variant: str) -> dict[str, Any]:
        """What a scale's runs of a variant change of its config."""
        size, trained = self.scales[scale], self.variants[variant].ensemble_of or variant
        return merged(self.variants[variant].settings, size.settings, size.settings_of.get(trained, {}))

    def _run(self, scale: str, variant: str, seed: int, config: Settings) -> Run:
        settings = merged(config, self.changes(scale, variant), {"seed_everything": seed})
        return Run(self.name, scale, variant, seed, fingerprint(settings, scale), settings)

    def _ensemble(self, scale: str, name: str, member: str, seeds: int, config: Settings) -> Run:
        members = tuple(self._run(scale, member, seed, config) for seed in range(seeds))
        made_of = [run.fingerprint for run in members]
        return Run(self.name, scale, name, 0, fingerprint({}, *made_of), members[0].settings, members=members)


def titled(shown: Shown, run: tuple[str, int], name: str) -> "Exhibit":
    """An exhibit of a model under the title of its run, "ntm-lstm, seed 3"."""
    return replace(shown[run][name], title=f"{run[0]}, seed {run[1]}")  # type: ignore[call-arg]


def load(name: str, experiments: Path) -> Experiment:
    """The experiment of that name.

    Raises:
      UserError: there is none (with near names), its file cannot be run, or defines no experiment of its folder's name.
    """
    name = known(name.strip("/"), names(experiments), "experiment")
    path = experiments / name / "experiment.py"
    experiment = getattr(_run(path, name), "experiment", None)
    if not isinstance(experiment, Experiment):
        raise UserError(f"{path} must define `experiment = Experiment(...)`")
    if experiment.name != name:
        raise UserError(f"{path} calls its experiment {experiment.name}; the name must be that of its folder")
    return experiment


class _AsItIsNow(SourceFileLoader):
    """Reads a file anew: kept bytecode counts as the file's by its second and its size, and an edit may keep both."""

    def path_stats(self, path: Any) -> NoReturn:
        raise OSError("no bytecode is read or kept")


def _run(path: Path, name: str) -> ModuleType:
    module_name = "augrnn_experiments." + name.replace("/", ".")
    spec = importlib.util.spec_from_file_location(module_name, path, loader=_AsItIsNow(module_name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        places = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else places[-1] if places else None
        where = f"{path}, line {line}" if line else str(path)
        raise UserError(f"{where}: {type(error).__name__}: {getattr(error, 'msg', None) or error}") from error
    return module


def discover(experiments: Path) -> list[Experiment]:
    """All experiments in a folder, sorted by name."""
    return [load(name, experiments) for name in names(experiments)]
